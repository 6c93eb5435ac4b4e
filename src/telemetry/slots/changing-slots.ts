import type { Labels } from '../block-shape.ts';
import type { Metric } from '../metrics/metric.ts';
import { findSlot, type SlotLookup, type SlotTable } from '../page-layout.ts';
import type { SharedSlots } from './shared-slots.ts';

/** How the places of a generation's blocks differ from those of the generation before it. */
export interface SlotChange {
  readonly arriving: SlotTable;
  /** Keys of blocks. */
  readonly leaving: readonly string[];
}

/**
 * The places of blocks as one worker knows them, from one generation to the next. There is one table for all generations: a
 * block that two generations have in common keeps its place. A block that goes stays known while a generation that has it is
 * alive: a client of a listener that is gone may still take a route for the first time.
 */
export class ChangingSlots implements SlotLookup {
  readonly #first: SharedSlots;
  /** Keys of the first generation that are not known any more. */
  readonly #forgotten = new Set<string>();
  /** The blocks that have come later. */
  readonly #later = new Map<string, number>();
  /** By their keys: the first generation without each block that has gone. */
  readonly #gone = new Map<string, number>();

  /** @param first the blocks of the first generation */
  constructor(first: SharedSlots) {
    this.#first = first;
  }

  slot(metric: Metric, labels: Labels): number {
    return findSlot(this, metric, labels);
  }

  /** Returns the first slot of a block by its key; undefined for an unknown one. */
  get(key: string): number | undefined {
    return this.#later.get(key) ?? (this.#forgotten.has(key) ? undefined : this.#first.get(key));
  }

  /** Makes the blocks of the next generation known. Exactly one of the returned functions must be called. */
  prepare(
    { arriving, leaving }: SlotChange,
    generation: number,
  ): { readonly commit: () => void; readonly abort: () => void } {
    const added = [...arriving.keys()].filter((key) => this.get(key) === undefined);
    for (const key of added) this.#later.set(key, arriving.get(key)!);
    return {
      commit: () => {
        for (const key of arriving.keys()) this.#gone.delete(key);
        for (const key of leaving) this.#gone.set(key, generation);
      },
      abort: () => {
        for (const key of added) this.#later.delete(key);
      },
    };
  }

  /** Forgets the blocks that no generation has any more. @param oldest the oldest generation of which anything is alive */
  release(oldest: number): void {
    for (const [key, generation] of this.#gone) {
      if (generation > oldest) continue;
      this.#gone.delete(key);
      if (!this.#later.delete(key)) this.#forgotten.add(key);
    }
  }
}
