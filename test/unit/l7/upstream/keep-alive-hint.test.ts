import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keepAliveHint } from '../../../../src/l7/upstream/keep-alive-hint.ts';

describe('the time for which a connection may be kept', () => {
  it('is a second less than the endpoint says, whatever stands before', () => {
    for (const before of [[], ['connection', 'keep-alive'], ['server', 'timeout=9']]) {
      const head = { status: 200, headers: [...before, 'keep-alive', 'timeout=5, max=100'] };
      assert.equal(keepAliveHint(head), 4000);
    }
  });

  it('is 0 if the endpoint closes within a second', () => {
    assert.equal(keepAliveHint({ status: 200, headers: ['keep-alive', 'timeout=1'] }), 0);
  });

  it('is not limited by anything else', () => {
    for (const headers of [[], ['connection', 'keep-alive'], ['keep-alive', 'max=100'], ['x', 'timeout=5']]) {
      assert.equal(keepAliveHint({ status: 200, headers }), Infinity);
    }
  });
});
