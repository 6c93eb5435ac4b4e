import type { Labels } from '../block-shape.ts';
import type { Metric } from '../metrics/metric.ts';
import { findSlot, type SlotLookup, type SlotTable } from '../page-layout.ts';
import type { SharedSlots } from './shared-slots.ts';

/** Differences between the block places of a generation and of the previous one. */
export interface SlotChange {
  readonly arriving: SlotTable;
  /** Keys of blocks. */
  readonly leaving: readonly string[];
}

/**
 * The places of blocks in one worker, across generations. All generations share one table: a block keeps its
 * place as long as generations have it. A removed block stays known while a generation with it is alive. A
 * client of a removed listener may still use a route for the first time.
 */
export class ChangingSlots implements SlotLookup {
  readonly #first: SharedSlots;
  /** Keys of the first generation that are no longer known. */
  readonly #forgotten = new Set<string>();
  /** Blocks added later. */
  readonly #later = new Map<string, number>();
  /** By key: the first generation without each removed block. */
  readonly #gone = new Map<string, number>();

  /** @param first the blocks of the first generation */
  constructor(first: SharedSlots) {
    this.#first = first;
  }

  slot(metric: Metric, labels: Labels): number {
    return findSlot(this, metric, labels);
  }

  /** Returns the first slot of a block by its key. Undefined for an unknown key. */
  get(key: string): number | undefined {
    return this.#later.get(key) ?? (this.#forgotten.has(key) ? undefined : this.#first.get(key));
  }

  /** Adds the blocks of the next generation. The caller must call exactly one of the returned functions. */
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

  /** Removes the blocks that no generation has any more. @param oldest the oldest live generation */
  release(oldest: number): void {
    for (const [key, generation] of this.#gone) {
      if (generation > oldest) continue;
      this.#gone.delete(key);
      if (!this.#later.delete(key)) this.#forgotten.add(key);
    }
  }
}
