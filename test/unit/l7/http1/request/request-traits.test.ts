import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { traitsOf } from '../../../../../src/l7/http1/request/request-traits.ts';

function read(isHttp10: boolean, ...headers: string[]): ReturnType<typeof traitsOf> {
  const head = { method: 'POST', path: '/', query: '', headers };
  return traitsOf(isHttp10 ? { ...head, isHttp10 } : head);
}

describe('the traits of a request', () => {
  it('keep a connection according to the version and the Connection header', () => {
    for (const [isHttp10, value, keepsAlive] of [
      [false, null, true],
      [false, 'close', false],
      [false, 'Upgrade, CLOSE', false],
      [false, 'closed', true],
      [true, null, false],
      [true, 'Keep-Alive', true],
      [true, 'keep-alive, close', false],
    ] as const) {
      const headers = value === null ? [] : ['connection', value];
      assert.equal(read(isHttp10, ...headers).keepsAlive, keepsAlive, `${isHttp10} ${value}`);
    }
  });

  it('contain the framing of the body', () => {
    assert.equal(read(false).body, 0);
    assert.equal(read(false, 'content-length', '0').body, 0);
    assert.equal(read(false, 'content-length', '17').body, 17);
    assert.equal(read(false, 'transfer-encoding', 'chunked').body, 'chunked');
  });

  it("contain the client's expectation", () => {
    const expects = (isHttp10: boolean, ...headers: string[]): string => {
      const { expectsContinue, expectsMore } = read(isHttp10, ...headers);
      return expectsMore ? 'more' : expectsContinue ? 'continue' : 'nothing';
    };
    assert.equal(expects(false, 'expect', '100-Continue', 'content-length', '1'), 'continue');
    assert.equal(expects(false, 'expect', '100-continue'), 'nothing');
    assert.equal(expects(false, 'expect', 'tea'), 'more');
    assert.equal(expects(true, 'expect', 'tea'), 'nothing');
    assert.equal(expects(true, 'expect', '100-continue', 'content-length', '1'), 'nothing');
  });
});
