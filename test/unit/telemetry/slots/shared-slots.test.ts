import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SharedSlots, writeSharedSlots } from '../../../../src/telemetry/slots/shared-slots.ts';

describe('slots in shared memory', () => {
  it('match the table for all keys, known and unknown', () => {
    const keys = fc.uniqueArray(fc.string({ unit: 'grapheme', maxLength: 20 }), { maxLength: 50 });
    fc.assert(
      fc.property(keys, fc.string(), (known, other) => {
        const table = new Map(known.map((key, index) => [key, index * 3]));
        const slots = new SharedSlots(writeSharedSlots(table));
        for (const [key, slot] of table) assert.equal(slots.get(key), slot);
        assert.equal(slots.get(other), table.get(other));
      }),
    );
  });

  it('are found among 20,000 numbered names', () => {
    const table = new Map(
      Array.from({ length: 20_000 }, (_, index) => [`route web,route-${index}`, index] as const),
    );
    const slots = new SharedSlots(writeSharedSlots(table));
    for (const [key, slot] of table) assert.equal(slots.get(key), slot);
    assert.equal(slots.get('route web,route-20000'), undefined);
  });
});
