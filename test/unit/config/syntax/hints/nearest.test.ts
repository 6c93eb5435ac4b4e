import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nearest } from '../../../../../src/config/syntax/hints/nearest.ts';

const WORDS = ['address', 'name', 'mode', 'maxConnections', 'l4', 'l7', 'round_robin'];

describe('nearest', () => {
  it('finds a word with a missing, extra, changed or swapped letter', () => {
    assert.equal(nearest('adress', WORDS), 'address');
    assert.equal(nearest('addresss', WORDS), 'address');
    assert.equal(nearest('addrezs', WORDS), 'address');
    assert.equal(nearest('anme', WORDS), 'name');
    assert.equal(nearest('roundrobin', WORDS), 'round_robin');
  });

  it('ignores case', () => {
    assert.equal(nearest('maxconnections', WORDS), 'maxConnections');
    assert.equal(nearest('NAME', WORDS), 'name');
  });

  it('finds a word by its beginning', () => {
    assert.equal(nearest('addr', WORDS), 'address');
    assert.equal(nearest('max', WORDS), 'maxConnections');
  });

  it('chooses the nearest of several', () => {
    assert.equal(nearest('modes', ['node', 'mode']), 'mode');
  });

  it('finds nothing if no candidate is near', () => {
    for (const word of ['', 'x', 'backend', 'na', 'addressable-things']) {
      assert.equal(nearest(word, WORDS), undefined, word);
    }
    assert.equal(nearest('word', []), undefined);
  });

  it('finds an exact match, and accepts any text', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), (word, others) => {
        assert.equal(nearest(word, [...others, word])?.toLowerCase(), word.toLowerCase());
        const found = nearest(word, others);
        assert.ok(found === undefined || others.includes(found));
      }),
    );
  });
});
