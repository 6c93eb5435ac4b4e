import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cookieOf, cookiesOf } from '../../../../src/wire/http/cookie.ts';
import type { RequestHead } from '../../../../src/wire/http/request-head.ts';

function headWith(...lines: readonly string[]): RequestHead {
  return { method: 'GET', path: '/', query: '', headers: lines.flatMap((line) => ['cookie', line]) };
}

describe('cookies of a request', () => {
  it('are found by their whole name, with and without quotes', () => {
    const head = headWith('xa=1; ax=2; a="3"; b', 'a=4;a = 5 ');
    assert.equal(cookieOf(head, 'a'), '3');
    assert.equal(cookieOf(head, 'b'), null);
    assert.equal(cookieOf(headWith(), 'a'), null);
    assert.deepEqual(cookiesOf(head, 'a', 8), ['3', '4', '5']);
  });

  it('are limited to the requested number', () => {
    const head = headWith('a=0; '.repeat(1000));
    assert.equal(cookiesOf(head, 'a', 8).length, 8);
  });
});
