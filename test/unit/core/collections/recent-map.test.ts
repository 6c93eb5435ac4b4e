import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RecentMap } from '../../../../src/core/collections/recent-map.ts';

const KEYS = Array.from('abcdefghijkl');

describe('recent map', () => {
  it('returns the last value of a key', () => {
    const map = new RecentMap<number>({ maxEntries: 10, maxWeight: 100 });
    map.set('a', 1, 1);
    map.set('a', 2, 1);
    assert.equal(map.get('a'), 2);
    assert.equal(map.get('b'), undefined);
    assert.equal(map.size, 1);
    map.delete('a');
    assert.equal(map.get('a'), undefined);
  });

  it('keeps used entries while others are added and dropped', () => {
    const map = new RecentMap<number>({ maxEntries: 8, maxWeight: Infinity });
    map.set('used', 0, 1);
    for (let index = 0; index < 100; index++) {
      map.set(`once ${index}`, index, 1);
      assert.equal(map.get('used'), 0);
    }
    assert.equal(map.get('once 0'), undefined);
  });

  it('does not keep an entry heavier than a generation', () => {
    const map = new RecentMap<string>({ maxEntries: 10, maxWeight: 100 });
    map.set('light', 'a', 1);
    map.set('heavy', 'b', 51);
    assert.equal(map.get('light'), 'a');
    assert.equal(map.get('heavy'), undefined);
  });

  it('stays within both limits, and never returns a value it was not given', () => {
    const step = fc.record({
      kind: fc.constantFrom('set', 'get', 'delete'),
      key: fc.constantFrom(...KEYS),
      weight: fc.nat(12),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const map = new RecentMap<{ weight: number }>({ maxEntries: 6, maxWeight: 40 });
        const model = new Map<string, { weight: number }>();
        for (const { kind, key, weight } of steps) {
          if (kind === 'set') {
            const value = { weight };
            model.set(key, value);
            map.set(key, value, weight);
          } else if (kind === 'delete') {
            model.delete(key);
            map.delete(key);
          } else {
            const found = map.get(key);
            if (found !== undefined) assert.equal(found, model.get(key));
          }
          assert.ok(map.size <= 6);
        }
        let weight = 0;
        for (const key of KEYS) {
          const before = map.size;
          const found = map.get(key);
          if (found !== undefined && map.size === before) weight += found.weight;
        }
        assert.ok(weight <= 40 + 20, `${weight}`);
      }),
    );
  });
});
