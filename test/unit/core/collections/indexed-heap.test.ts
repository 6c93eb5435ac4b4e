import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { IndexedHeap } from '../../../../src/core/collections/indexed-heap.ts';

describe('a heap with indexes', () => {
  it('has the first item of the order, whatever is added, changed and deleted', () => {
    const steps = fc.array(fc.record({ at: fc.nat(15), value: fc.nat(1000), isDeleted: fc.boolean() }), {
      maxLength: 100,
    });
    fc.assert(
      fc.property(steps, (all) => {
        const items = Array.from({ length: 16 }, () => ({ heapIndex: -1, value: 0 }));
        const heap = new IndexedHeap<(typeof items)[0]>((a, b) => a.value < b.value);
        const inside = new Set<(typeof items)[0]>();
        for (const { at, value, isDeleted } of all) {
          const item = items[at]!;
          if (isDeleted) {
            heap.delete(item);
            inside.delete(item);
          } else {
            item.value = value;
            heap.put(item);
            inside.add(item);
          }
          const least = Math.min(...[...inside].map((each) => each.value));
          assert.equal(heap.first?.value ?? Infinity, least);
          assert.ok(items.every((each) => each.heapIndex >= 0 === inside.has(each)));
        }
      }),
    );
  });
});
