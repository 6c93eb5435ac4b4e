import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestOf } from '../../../../src/access/limits/limit-key.ts';
import { LimitTable } from '../../../../src/access/limits/table/limit-table.ts';
import { allocateTable } from '../../../../src/access/limits/table/table-layout.ts';
import { HeldPlaces } from '../../../../src/primary/workers/held-places.ts';

const TICKS = [65_536, 65_536, 65_536, 65_536];

function tableOf(number: number): SharedArrayBuffer {
  return allocateTable(number, { maxKeys: 64, ticks: TICKS, isShared: false });
}

describe("places held by a worker's task", () => {
  it('are released when the task has ended', () => {
    const memory = tableOf(1);
    const places = new HeldPlaces(() => [memory]);
    const ended = new LimitTable(memory, () => 0);
    places.add({ type: 'limit_ledger', table: memory, ledger: ended.ledger.memory });
    assert.ok(ended.connect(ended.pin(digestOf('a')), 1));

    const next = new LimitTable(memory, () => 0);
    const slot = next.pin(digestOf('a'));
    assert.equal(next.connect(slot, 1), false);
    places.releaseAll();
    assert.ok(next.connect(slot, 1));
    // The task that runs now keeps what it holds.
    places.releaseAll();
    assert.equal(next.connect(slot, 1), false);
  });

  it('are dropped with a table that a reload has replaced', () => {
    let inUse = [tableOf(1), tableOf(2)];
    const places = new HeldPlaces(() => inUse);
    const report = (table: SharedArrayBuffer): void => {
      const { memory } = new LimitTable(table, () => 0).ledger;
      places.add({ type: 'limit_ledger', table, ledger: memory });
    };
    for (const table of inUse) report(table);
    // The worker opens the tables of a reload before the reload counts.
    const [third, fourth] = [tableOf(3), tableOf(4)];
    report(third);
    report(fourth);
    assert.equal(places.size, 4);
    inUse = [inUse[0]!, third, fourth];
    report(tableOf(5));
    assert.equal(places.size, 4);
  });
});
