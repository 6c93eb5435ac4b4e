import type { Labels } from './block-shape.ts';
import type { Metric } from './metrics/metric.ts';
import { findSlot, type SlotLookup, type SlotTable } from './page-layout.ts';

/** How the places of a generation's blocks differ from those of the generation before it. */
export interface SlotChange {
  readonly arriving: SlotTable;
  /** Keys of blocks. */
  readonly leaving: readonly string[];
}

/**
 * The places of blocks as one worker knows them, from one generation to the next. There is one table for all generations: a
 * block that two generations have in common keeps its place.
 */
export class ChangingSlots implements SlotLookup {
  readonly #table: Map<string, number>;

  constructor(table: SlotTable) {
    this.#table = new Map(table);
  }

  slot(metric: Metric, labels: Labels): number {
    return findSlot(this.#table, metric, labels);
  }

  /** Makes the blocks of the next generation known. Exactly one of the returned functions must be called. */
  prepare({ arriving, leaving }: SlotChange): { readonly commit: () => void; readonly abort: () => void } {
    for (const [key, slot] of arriving) this.#table.set(key, slot);
    const remove = (keys: Iterable<string>): void => {
      for (const key of keys) this.#table.delete(key);
    };
    return { commit: () => remove(leaving), abort: () => remove(arriving.keys()) };
  }
}
