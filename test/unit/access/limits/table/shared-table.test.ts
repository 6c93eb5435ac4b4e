import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SharedTable, type SharedKey } from '../../../../../src/access/limits/table/shared-table.ts';
import { RATE_KINDS } from '../../../../../src/access/limits/table/table-layout.ts';
import type { LimitSettings } from '../../../../../src/config/types/limits.ts';
import { LimitRig, requestOf, UNLIMITED } from '../rig.ts';

const SETTINGS: LimitSettings = {
  ...UNLIMITED,
  isShared: true,
  connections: 3,
  handshakes: { perSecond: 10, burst: 10 },
};
const HANDSHAKES = RATE_KINDS.indexOf('handshakes');
/** Cost of a handshake in microseconds of filling time. */
const COST_US = 100_000;

interface World {
  readonly rig: LimitRig;
  readonly table: SharedTable;
  /** Lets a client in: returns how it leaves, or what refuses. */
  readonly enter: (address: string) => (() => void) | string;
  readonly used: () => SharedKey[];
}

function world(settings = SETTINGS): World {
  const rig = new LimitRig();
  const memory = rig.memoryFor(settings);
  const table = new SharedTable(memory, rig.clock);
  const set = rig.setOf(rig.limit(settings, memory));
  return {
    rig,
    table,
    enter: (address) => {
      const holds = set.open();
      const refusal = set.enter('address', requestOf(address), null, holds);
      return refusal === null ? () => holds.release() : refusal.kind;
    },
    used: () => {
      const keys: SharedKey[] = [];
      table.visitUsed((key) => keys.push(key));
      return keys;
    },
  };
}

/** Returns what a function returns while a key is open. */
function opened<T>(table: SharedTable, key: SharedKey, act: () => T): T {
  assert.ok(table.open(key));
  try {
    return act();
  } finally {
    table.close();
  }
}

describe('the table of a shared limit', () => {
  it('reports each use once', () => {
    const { table, enter, used } = world();
    enter('10.0.0.1');
    enter('10.0.0.1');
    const [key, ...others] = used() as [SharedKey];
    assert.deepEqual(others, []);
    assert.match(key.hex, /^[0-9a-f]{32}$/);
    const look = (): unknown =>
      opened(table, key, () => ({ taken: table.taken(HANDSHAKES), connections: table.connections }));
    assert.deepEqual(look(), { taken: 2, connections: 2 });
    assert.deepEqual(look(), { taken: 0, connections: 2 });
    assert.deepEqual(used(), []);
  });

  it('computes the same key for a client on all machines', () => {
    const [here, there] = [world(), world()];
    here.enter('10.0.0.1');
    there.enter('10.0.0.1');
    assert.equal(here.used()[0]!.hex, there.used()[0]!.hex);
  });

  it('visits each of many keys', () => {
    const { enter, used } = world({ ...SETTINGS, maxKeys: 4096 });
    for (let index = 0; index < 1000; index++) enter(`10.0.${index >> 8}.${index & 255}`);
    assert.equal(new Set(used().map(({ hex }) => hex)).size, 1000);
  });

  it('charges the bucket with usage on other machines', () => {
    const { rig, table, enter, used } = world();
    (enter('10.0.0.1') as () => void)();
    const [key] = used() as [SharedKey];
    opened(table, key, () => table.shift(HANDSHAKES, 9 * COST_US));
    assert.equal(enter('10.0.0.1'), 'handshakes');
    rig.pass(100);
    assert.equal(typeof enter('10.0.0.1'), 'function');
  });

  it('returns units to the bucket, which is never more than full', () => {
    const { table, enter, used } = world();
    for (let count = 0; count < 3; count++) (enter('10.0.0.1') as () => void)();
    const [key] = used() as [SharedKey];
    const levels = opened(table, key, () =>
      [0, -COST_US, -9 * COST_US].map((us) => {
        table.shift(HANDSHAKES, us);
        return Math.round(table.level(HANDSHAKES) / COST_US);
      }),
    );
    assert.deepEqual(levels, [3, 2, 0]);
  });

  it('counts connections on other machines, and keeps their keys', () => {
    const { table, enter, used } = world();
    const leave = enter('10.0.0.1') as () => void;
    const [key] = used() as [SharedKey];
    opened(table, key, () => (table.elsewhere = 2));
    assert.equal(enter('10.0.0.1'), 'connections');
    leave();
    const held: string[] = [];
    table.visitHeld(({ hex }) => held.push(hex));
    assert.deepEqual(held, [key.hex]);
    opened(table, key, () => (table.elsewhere = 0));
    assert.equal(typeof enter('10.0.0.1'), 'function');
  });

  it('does not open an unknown key', () => {
    const [here, there] = [world(), world()];
    there.enter('10.0.0.1');
    assert.equal(here.table.open(there.used()[0]!), false);
  });

  it('refuses everything if told to', () => {
    const { table, enter } = world();
    table.refuses = true;
    assert.equal(enter('10.0.0.1'), 'unavailable');
    table.refuses = false;
    assert.equal(typeof enter('10.0.0.1'), 'function');
  });
});
