import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keepAliveHint } from '../../../../src/l7/upstream/keep-alive-hint.ts';

describe('the max idle time of a connection', () => {
  it("is a second less than the endpoint's timeout, whatever precedes it in the header", () => {
    for (const before of [[], ['connection', 'keep-alive'], ['server', 'timeout=9']]) {
      const head = { status: 200, headers: [...before, 'keep-alive', 'timeout=5, max=100'] };
      assert.equal(keepAliveHint(head), 4000);
    }
  });

  it('is 0 if the endpoint closes within a second', () => {
    assert.equal(keepAliveHint({ status: 200, headers: ['keep-alive', 'timeout=1'] }), 0);
  });

  it('is unlimited without a hint', () => {
    for (const headers of [[], ['connection', 'keep-alive'], ['keep-alive', 'max=100'], ['x', 'timeout=5']]) {
      assert.equal(keepAliveHint({ status: 200, headers }), Infinity);
    }
  });
});
