import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestOf } from '../../../../src/access/limits/limit-key.ts';
import { LimitTable } from '../../../../src/access/limits/table/limit-table.ts';
import { allocateTable } from '../../../../src/access/limits/table/table-layout.ts';
import { HeldPlaces } from '../../../../src/primary/workers/held-places.ts';

describe('places that the task of a worker holds', () => {
  it('are free again when the task has ended', () => {
    const ticks = [65_536, 65_536, 65_536, 65_536];
    const memory = allocateTable(1, { maxKeys: 64, ticks, isShared: false });
    const places = new HeldPlaces();
    const ended = new LimitTable(memory, () => 0);
    places.add({ type: 'limit_ledger', table: memory, ledger: ended.ledger.memory });
    assert.ok(ended.connect(ended.pin(digestOf('a')), 1));

    const next = new LimitTable(memory, () => 0);
    const slot = next.pin(digestOf('a'));
    assert.equal(next.connect(slot, 1), false);
    places.giveBack();
    assert.ok(next.connect(slot, 1));
    // The task that runs now keeps what it holds.
    places.giveBack();
    assert.equal(next.connect(slot, 1), false);
  });
});
