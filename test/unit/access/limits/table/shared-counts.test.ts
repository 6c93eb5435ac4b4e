import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LimitSettings } from '../../../../../src/config/types/limits.ts';
import { SharedCounts, type KeyUse } from '../../../../../src/access/limits/table/shared-counts.ts';
import { LimitRig, requestOf, UNLIMITED } from '../rig.ts';

const SETTINGS: LimitSettings = {
  ...UNLIMITED,
  isShared: true,
  connections: 3,
  handshakes: { perSecond: 10, burst: 10 },
};

interface World {
  readonly rig: LimitRig;
  readonly counts: SharedCounts;
  /** Lets a client in: returns how it leaves, or what refuses. */
  readonly enter: (address: string) => (() => void) | string;
  readonly collect: () => KeyUse[];
}

function world(settings = SETTINGS): World {
  const rig = new LimitRig();
  const memory = rig.memoryFor(settings);
  const counts = new SharedCounts(memory, settings, rig.clock);
  const set = rig.setOf(rig.limit(settings, memory));
  return {
    rig,
    counts,
    enter: (address) => {
      const holds = set.open();
      const refusal = set.enter('address', requestOf(address), null, holds);
      return refusal === null ? () => holds.release() : refusal.kind;
    },
    collect: () => {
      const uses: KeyUse[] = [];
      assert.ok(counts.collect(1000, (use) => uses.push(use)));
      return uses;
    },
  };
}

describe('counts of a shared limit', () => {
  it('hand over each use once', () => {
    const { enter, collect } = world();
    enter('10.0.0.1');
    enter('10.0.0.1');
    enter('10.0.0.2');
    const uses = collect().toSorted((a, b) => a.connections - b.connections);
    assert.deepEqual(
      uses.map(({ taken, connections }) => ({ taken, connections })),
      [
        { taken: [1, 0, 0, 0], connections: 1 },
        { taken: [2, 0, 0, 0], connections: 2 },
      ],
    );
    assert.match(uses[0]!.key, /^[0-9a-f]{32}$/);
    assert.deepEqual(collect(), []);
  });

  it('have the same key for the same client on all machines', () => {
    const [here, there] = [world(), world()];
    here.enter('10.0.0.1');
    there.enter('10.0.0.1');
    assert.equal(here.collect()[0]!.key, there.collect()[0]!.key);
  });

  it('hand over keys in batches', () => {
    const { counts, enter } = world({ ...SETTINGS, maxKeys: 4096 });
    for (let index = 0; index < 1000; index++) enter(`10.0.${index >> 8}.${index & 255}`);
    const keys = new Set<string>();
    let batches = 1;
    while (!counts.collect(100, ({ key }) => keys.add(key))) batches++;
    assert.equal(keys.size, 1000);
    assert.ok(batches > 5, String(batches));
  });

  it('take from the bucket what other machines have taken', () => {
    const { rig, counts, enter, collect } = world();
    (enter('10.0.0.1') as () => void)();
    const [{ key }] = collect() as [KeyUse];
    assert.ok(counts.push(key, 'handshakes', 9));
    assert.equal(enter('10.0.0.1'), 'handshakes');
    rig.pass(100);
    assert.equal(typeof enter('10.0.0.1'), 'function');
    assert.equal(counts.push('f'.repeat(32), 'handshakes', 9), false);
  });

  it('count connections on other machines', () => {
    const { counts, enter, collect } = world();
    const leave = enter('10.0.0.1') as () => void;
    const [{ key }] = collect() as [KeyUse];
    assert.ok(counts.setElsewhere(key, 2));
    assert.equal(enter('10.0.0.1'), 'connections');
    leave();
    const held: unknown[] = [];
    counts.holding((...row) => held.push(row));
    assert.deepEqual(held, [[key, 0, 2]]);
    counts.setElsewhere(key, 0);
    assert.equal(typeof enter('10.0.0.1'), 'function');
  });

  it('refuse while nobody knows the count', () => {
    const { counts, enter } = world();
    counts.setRefusing(true);
    assert.equal(enter('10.0.0.1'), 'unavailable');
    counts.setRefusing(false);
    assert.equal(typeof enter('10.0.0.1'), 'function');
  });
});
