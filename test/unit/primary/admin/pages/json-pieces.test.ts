import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LazyList, jsonPieces } from '../../../../../src/primary/admin/pages/json-pieces.ts';

describe('JSON in pieces', () => {
  const plain = [null, 1, 'a\n"b"', [], {}, [1, { a: [] }], { a: { b: [1, 2] }, c: null, d: undefined }];

  it('is what JSON.stringify returns', () => {
    for (const value of plain) {
      assert.equal([...jsonPieces(value)].join(''), JSON.stringify(value, null, 2));
    }
  });

  it('writes lazy lists as lists, at every depth', () => {
    const lazy = { a: 1, b: undefined, 'c"': new LazyList(plain), d: new LazyList([]), e: [3] };
    const full = { a: 1, b: undefined, 'c"': plain, d: [], e: [3] };
    assert.equal([...jsonPieces(lazy)].join(''), JSON.stringify(full, null, 2));
    const nested = new LazyList([lazy, { list: new LazyList([lazy]) }]);
    assert.equal([...jsonPieces(nested)].join(''), JSON.stringify([full, { list: [full] }], null, 2));
  });

  it('creates an element when its piece is consumed', () => {
    const made: number[] = [];
    function* elements(): Generator<number> {
      for (const element of [1, 2]) {
        made.push(element);
        yield element;
      }
    }
    const pieces = jsonPieces({ list: new LazyList(elements()) });
    for (const expected of [[], [1], [1], [1, 2]]) {
      pieces.next();
      assert.deepEqual(made, expected);
    }
  });
});
