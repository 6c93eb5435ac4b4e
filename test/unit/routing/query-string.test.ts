import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { QueryString } from '../../../src/routing/query-string.ts';

describe('QueryString', () => {
  it('finds any occurrence of a key with exactly the value', () => {
    const query = new QueryString('v=1&room=a&v=2&flag&empty=&=x&eq=a=b');
    for (const [key, value] of [
      ['v', '1'],
      ['v', '2'],
      ['room', 'a'],
      ['flag', ''],
      ['empty', ''],
      ['', 'x'],
      ['eq', 'a=b'],
    ] as const) {
      assert.equal(query.has(key, value), true, `${key}=${value}`);
    }
    for (const [key, value] of [
      ['v', '3'],
      ['v', ''],
      ['V', '1'],
      ['ro', 'om=a'],
      ['room', 'ab'],
      ['eq=a', 'b'],
      ['flag', 'x'],
      ['oom', 'a'],
    ] as const) {
      assert.equal(query.has(key, value), false, `${key}=${value}`);
    }
  });

  it('decodes plus signs and escapes', () => {
    const query = new QueryString('a+b=c%20d&%76=%32&caf%C3%A9=1%2B1');
    assert.equal(query.has('a b', 'c d'), true);
    assert.equal(query.has('v', '2'), true);
    assert.equal(query.has('café', '1+1'), true);
    assert.equal(query.has('a+b', 'c%20d'), false);
  });

  it('treats a question mark in the query as part of the key', () => {
    assert.equal(new QueryString('?v=1').has('v', '1'), false);
    assert.equal(new QueryString('?v=%31').has('?v', '1'), true);
  });

  it('has no pair if there is no query', () => {
    assert.equal(new QueryString('').has('', ''), false);
    assert.equal(new QueryString('&&').has('', ''), false);
  });

  it('agrees with URLSearchParams', () => {
    const text = fc
      .array(fc.constantFrom('a', 'b', '=', '&', '+', '%61', '%3D', '%', '?', '%26'))
      .map((p) => p.join(''));
    const part = fc
      .array(fc.constantFrom('a', 'b', '=', '&', ' ', '?'), { maxLength: 3 })
      .map((p) => p.join(''));
    const plain = text.map((value) => value.replace(/[%+]/g, ''));
    fc.assert(
      fc.property(fc.oneof(text, plain), part, part, (query, key, value) => {
        assert.equal(
          new QueryString(query).has(key, value),
          new URLSearchParams(`&${query}`).has(key, value),
        );
      }),
      { numRuns: 500 },
    );
  });
});
