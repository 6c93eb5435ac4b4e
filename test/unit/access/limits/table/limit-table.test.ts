import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { digestOf } from '../../../../../src/access/limits/limit-key.ts';
import { HoldLedger } from '../../../../../src/access/limits/table/hold-ledger.ts';
import { LimitTable } from '../../../../../src/access/limits/table/limit-table.ts';
import { allocateTable, SLOT, TableLayout } from '../../../../../src/access/limits/table/table-layout.ts';
import { TableSweep } from '../../../../../src/access/limits/table/table-sweep.ts';

const TICKS = [65_536, 65_536, 65_536, 65_536];

interface World {
  readonly memory: SharedArrayBuffer;
  readonly table: LimitTable;
  readonly sweepAll: () => void;
  now: number;
}

function world(maxKeys: number): World {
  const memory = allocateTable(1, { maxKeys, ticks: TICKS, isShared: false });
  const made: World = {
    memory,
    table: new LimitTable(memory, () => made.now),
    sweepAll: () => {
      for (let part = 0; part < 60; part++) sweep.step();
    },
    now: 0,
  };
  const sweep = new TableSweep(memory, () => made.now);
  return made;
}

/** Sets when a slot's first bucket is full again. */
function fillAt({ table }: World, slot: number, ms: number): void {
  table.layout.words[table.layout.at(slot) + SLOT.fullAt] = Math.floor((ms * 65_536) / 1000) | 0;
}

describe('a table of a limit', () => {
  it('finds a key again, and separates keys', () => {
    const { table } = world(64);
    const first = table.pin(digestOf('a'));
    const second = table.pin(digestOf('b'));
    assert.notEqual(first, second);
    assert.equal(table.pin(digestOf('a')), first);
    assert.equal(table.layout.keys, 2);
  });

  it('keeps keys that are pinned, connected or not full, and reuses all other slots', () => {
    const made = world(8);
    const { table } = made;
    const [pinned, connected, used] = ['pinned', 'connected', 'used'].map((key) => table.pin(digestOf(key)));
    assert.ok(table.connect(connected!, 1));
    fillAt(made, used!, 500);
    table.unpin(connected!);
    table.unpin(used!);
    for (let index = 0; index < 1000; index++) {
      const slot = table.pin(digestOf(`guest ${index}`));
      assert.ok(slot < table.overflow);
      table.unpin(slot);
    }
    assert.equal(table.pin(digestOf('pinned')), pinned);
    assert.equal(table.pin(digestOf('connected')), connected);
    assert.equal(table.pin(digestOf('used')), used);
    assert.equal(table.layout.keys, 16);
  });

  it('lets keys share the overflow slot when the others are taken', () => {
    const { table } = world(8);
    for (let index = 0; index < 100; index++) table.pin(digestOf(`key ${index}`));
    assert.equal(table.layout.keys, 16);
    assert.equal(table.pin(digestOf('one')), table.overflow);
    assert.equal(table.pin(digestOf('two')), table.overflow);
    assert.ok(table.connect(table.overflow, 1));
    assert.equal(table.connect(table.overflow, 1), false);
  });

  it('clears a slot before it is reused', () => {
    const made = world(8);
    const { table } = made;
    const slots = Array.from({ length: 50 }, (_, index) => table.pin(digestOf(`key ${index}`)));
    for (const slot of slots) {
      fillAt(made, slot, 500);
      table.unpin(slot);
    }
    made.now = 501;
    const slot = table.pin(digestOf('new'));
    const at = table.layout.at(slot);
    assert.deepEqual([...table.layout.words.subarray(at + SLOT.fullAt, at + SLOT.fullAt + 4)], [0, 0, 0, 0]);
  });

  it('has a slot for nearly every key', () => {
    const { table } = world(8192);
    let shared = 0;
    for (let key = 0; key < 8192; key++) if (table.pin(digestOf(`key ${key}`)) === table.overflow) shared++;
    assert.ok(shared < 20, String(shared));
  });
});

describe('the sweep of a table', () => {
  it('frees the slots of idle keys', () => {
    const made = world(64);
    const { table } = made;
    const kept = table.pin(digestOf('kept'));
    table.unpin(table.pin(digestOf('full')));
    const used = table.pin(digestOf('used'));
    fillAt(made, used, 1000);
    table.unpin(used);
    made.sweepAll();
    assert.equal(table.layout.keys, 2);
    made.now = 1001;
    made.sweepAll();
    assert.equal(table.layout.keys, 1);
    assert.equal(table.pin(digestOf('kept')), kept);
  });

  it('clears past times before they look like future ones', () => {
    const made = world(64);
    const slot = made.table.pin(digestOf('a'));
    fillAt(made, slot, 1000);
    const word = made.table.layout.at(slot) + SLOT.fullAt;
    for (let minute = 1; minute < 24 * 60; minute++) {
      made.now = minute * 60_000;
      made.sweepAll();
      assert.equal(made.table.layout.words[word], 0);
    }
  });
});

describe('the ledger of a worker', () => {
  it('releases what an ended worker still held', () => {
    const { memory, table } = world(64);
    const other = new LimitTable(memory, () => 0);
    for (const key of ['a', 'b', 'a']) {
      const slot = table.pin(digestOf(key));
      assert.ok(table.connect(slot, 10));
    }
    const slot = other.pin(digestOf('a'));
    assert.ok(other.connect(slot, 10));
    const layout = new TableLayout(memory);
    const ledger = new HoldLedger(layout, table.ledger.memory);
    ledger.release(layout);
    ledger.release(layout);
    const at = layout.at(slot);
    assert.equal(layout.words[at + SLOT.pins], 1);
    assert.equal(layout.words[at + SLOT.connections], 1);
    other.disconnect(slot);
    other.unpin(slot);
    for (let each = 0; each <= layout.slots; each++) {
      assert.equal(layout.words[layout.at(each) + SLOT.pins], 0);
      assert.equal(layout.words[layout.at(each) + SLOT.connections], 0);
    }
  });

  it('frees the slot whose key the worker was replacing', () => {
    const { memory, table } = world(8);
    const layout = new TableLayout(memory);
    for (let index = 0; index < 100; index++) table.unpin(table.pin(digestOf(`key ${index}`)));
    const { keys } = layout;
    // As if the thread had been terminated between the claim of slot 3 and the end of its use.
    layout.words[layout.at(3) + SLOT.pins] = -(2 ** 30);
    table.ledger.claim[0] = 4;
    new HoldLedger(layout, table.ledger.memory).release(layout);
    assert.equal(layout.words[layout.at(3) + SLOT.pins], 0);
    assert.equal(layout.words[layout.tags + 3], 0);
    assert.equal(layout.keys, keys - 1);
  });

  it('lets others use a set whose lock a dead worker still holds', () => {
    const { memory } = world(8);
    const layout = new TableLayout(memory);
    layout.words.fill(1, layout.locks, layout.locks + layout.sets);
    const table = new LimitTable(memory, () => 0);
    assert.ok(table.pin(digestOf('a')) < table.overflow);
    assert.ok(table.pin(digestOf('a')) < table.overflow);
  });
});

describe('a table of a limit under random use', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('enter' as const), key: fc.nat(30) }),
    fc.record({ kind: fc.constant('leave' as const), key: fc.nat(30) }),
    fc.record({ kind: fc.constant('sweep' as const), key: fc.constant(0) }),
    fc.record({ kind: fc.constant('fill' as const), key: fc.nat(30) }),
    fc.record({ kind: fc.constant('time' as const), key: fc.nat(2000) }),
  );

  it('counts connections as a Map does, while there are slots', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const made = world(256);
        const { table } = made;
        const model = new Map<number, number>();
        for (const { kind, key } of steps) {
          const held = model.get(key) ?? 0;
          if (kind === 'time') made.now += key;
          else if (kind === 'sweep') made.sweepAll();
          else {
            const slot = table.pin(digestOf(String(key)));
            if (kind === 'fill') fillAt(made, slot, made.now + 1000);
            else if (kind === 'enter') {
              assert.equal(table.connect(slot, 5), held < 5);
              if (held < 5) model.set(key, held + 1);
            } else if (held > 0) {
              table.disconnect(slot);
              model.set(key, held - 1);
            }
            table.unpin(slot);
          }
        }
        for (const [key, held] of model) {
          const slot = table.pin(digestOf(String(key)));
          assert.equal(table.layout.words[table.layout.at(slot) + SLOT.connections], held);
          table.unpin(slot);
        }
        made.now += 60_000;
        for (const [key, held] of model) {
          const slot = table.pin(digestOf(String(key)));
          for (let left = held; left > 0; left--) table.disconnect(slot);
          table.unpin(slot);
        }
        made.sweepAll();
        assert.equal(table.layout.keys, 0);
      }),
    );
  });
});
