import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RevocationSet } from '../../../../../src/primary/access/revocations/revocation-set.ts';

const NONE = { changed: [], ended: [] };

function revocation(
  principal: string,
  at = 10,
  until = 100,
): { principal: string; at: number; until: number } {
  return { principal, at, until };
}

describe('the revocations in force', () => {
  it('report what is new, and nothing the second time', () => {
    const set = new RevocationSet();
    const alice = revocation('jwt:alice');
    assert.deepEqual(set.put([alice], 10), { changed: [alice], ended: [] });
    assert.deepEqual(set.put([alice], 10), NONE);
    assert.deepEqual([set.size, set.all, set.get('jwt:alice')], [1, [alice], alice]);
  });

  it('keep the later of two moments, separately for each field', () => {
    const set = new RevocationSet();
    set.put([revocation('a', 10, 100)], 0);
    assert.deepEqual(set.put([revocation('a', 20, 50)], 0).changed, [revocation('a', 20, 100)]);
    assert.deepEqual(set.put([revocation('a', 5, 300)], 0).changed, [revocation('a', 20, 300)]);
  });

  it('omit expired ones', () => {
    assert.deepEqual(new RevocationSet().put([revocation('a', 10, 100)], 100), NONE);
  });

  it('end when they expire or are undone', () => {
    const set = new RevocationSet();
    set.put([revocation('a', 1, 100), revocation('b', 1, 200), revocation('c', 1, 300)], 0);
    assert.deepEqual(set.expire(199), { changed: [], ended: ['a'] });
    assert.deepEqual(set.remove(['b', 'x']), { changed: [], ended: ['b'] });
    assert.deepEqual(set.all, [revocation('c', 1, 300)]);
  });

  it('evict those that expire first when there are too many, new ones included', () => {
    const set = new RevocationSet(2);
    set.put([revocation('a', 1, 100), revocation('b', 1, 300)], 0);
    const change = set.put([revocation('c', 1, 200), revocation('d', 1, 50)], 0);
    assert.deepEqual(change, { changed: [revocation('c', 1, 200)], ended: ['d', 'a'] });
    assert.deepEqual([set.size, set.evicted], [2, 2]);
  });
});
