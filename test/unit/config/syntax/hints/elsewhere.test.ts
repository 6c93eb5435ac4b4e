import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { below, placesOfKey } from '../../../../../src/config/syntax/hints/elsewhere.ts';

describe('the places of a key', () => {
  const sections = ['a', 'b', 'c', 'd'].map((name) => below(name, [name, '$&']));

  it('are the sections that have it', () => {
    assert.equal(placesOfKey('c', sections), 'c: { c: ... }');
    assert.equal(placesOfKey('$&', sections.slice(0, 2)), 'a: { $&: ... }, or b: { $&: ... }');
    assert.equal(placesOfKey('e', sections), null);
  });

  it('are not told if they are more than three', () => {
    assert.notEqual(placesOfKey('$&', sections.slice(0, 3)), null);
    assert.equal(placesOfKey('$&', sections), null);
  });
});
