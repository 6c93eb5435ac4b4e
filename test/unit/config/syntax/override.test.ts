import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseOverride, replaceIn } from '../../../../src/config/syntax/override.ts';

describe('override', () => {
  it('is a dotted path and a value in YAML', () => {
    assert.deepEqual(parseOverride('a.0.b=5'), { path: ['a', '0', 'b'], value: 5 });
    assert.deepEqual(parseOverride('a=x=y'), { path: ['a'], value: 'x=y' });
    assert.deepEqual(parseOverride('a=[1, two]'), { path: ['a'], value: [1, 'two'] });
    assert.deepEqual(parseOverride('a={b: true}'), { path: ['a'], value: new Map([['b', true]]) });
    assert.deepEqual(parseOverride('a='), { path: ['a'], value: null });
    assert.deepEqual(parseOverride('a'), { path: ['a'], value: null });
  });

  it('treats a value that is not YAML as text', () => {
    for (const text of ['[::1]:8080', '[::]:80', '*x', '@x', '"', '{a', '!tag x', 'a: b: c']) {
      assert.deepEqual(parseOverride(`a=${text}`), { path: ['a'], value: text });
    }
  });

  it('replaces a nested value in a copy', () => {
    const inner = new Map([['c', 1]]);
    const target = new Map([['a', [new Map(), inner]]]);
    const replaced = replaceIn(target, ['a', '1', 'c'], 2);
    assert.deepEqual(replaced, {
      error: null,
      value: new Map([['a', [new Map(), new Map([['c', 2]])]]]),
      path: ['a', 1, 'c'],
    });
    assert.deepEqual(inner, new Map([['c', 1]]));
  });

  it('changes only one of two places that share a value', () => {
    const shared = new Map([['x', 1]]);
    const replaced = replaceIn([shared, shared], ['0', 'x'], 2);
    assert.deepEqual(replaced.error === null && replaced.value, [new Map([['x', 2]]), shared]);
  });

  it('creates missing mappings and lists on the path', () => {
    assert.deepEqual(replaceIn(new Map(), ['a', '0', 'b'], 1), {
      error: null,
      value: new Map([['a', [new Map([['b', 1]])]]]),
      path: ['a', 0, 'b'],
    });
    assert.deepEqual(replaceIn(null, ['a'], 1), { error: null, value: new Map([['a', 1]]), path: ['a'] });
  });

  it('appends to a list, but not beyond its end', () => {
    assert.deepEqual(replaceIn([1], ['1'], 2), { error: null, value: [1, 2], path: [1] });
    assert.deepEqual(replaceIn([1], ['2'], 2), {
      error: 'the list has no "2": it has 0 to 0, and 1 adds one',
    });
    assert.deepEqual(replaceIn([], ['1'], 2), { error: 'the list has no "1": it is empty, and 0 adds one' });
    assert.deepEqual(replaceIn([1], ['x'], 2), {
      error: 'the list has no "x": it has 0 to 0, and 1 adds one',
    });
    assert.deepEqual(replaceIn([1], ['-1'], 2), {
      error: 'the list has no "-1": it has 0 to 0, and 1 adds one',
    });
  });

  it('does not descend into a scalar', () => {
    assert.deepEqual(replaceIn('text', ['a'], 1), { error: 'there is no "a" in "text"' });
    assert.deepEqual(replaceIn(new Map([['a', 5]]), ['a', 'b'], 1), { error: 'there is no "b" in 5' });
    assert.deepEqual(replaceIn(new Map(), ['a', ''], 1), {
      error: 'the path has an empty part: write key.key=value',
    });
  });

  it('cannot reach a prototype', () => {
    replaceIn(new Map(), ['__proto__', 'polluted'], true);
    replaceIn(null, ['constructor', 'prototype', 'polluted'], true);
    assert.equal('polluted' in {}, false);
  });
});
