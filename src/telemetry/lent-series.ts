import { seriesKey, type Series, type SeriesName } from './page-layout.ts';

/** Min idle blocks before one is reused: the last owner may come back, and workers may still write the block. */
const MIN_IDLE_BLOCKS = 512;
/** Max idle blocks that one search checks. */
const MAX_CHECKED_BLOCKS = 64;

/** Reads and clears the counts of all workers. */
export interface Sums {
  /** Returns the sum of one slot over all workers. */
  at(slot: number): number;
  /** Sets a counter back to 0. */
  restart(slot: number): void;
}

interface Block {
  readonly series: readonly Series[];
  readonly slot: number;
  holders: number;
  /** Whether an idle block is shown: some connection of its last owner is open. */
  lives: boolean;
}

interface LentSeriesOptions {
  /** The first slot above the lent ones. Blocks lie below it, the latest lowest. */
  readonly end: number;
  /** Returns the lowest slot that may be lent now. */
  readonly floor: () => number;
}

/**
 * Series of owners that come and go while one configuration is in use: the addresses of names. Each owner gets a block of
 * consecutive slots. The last connections of an owner that has gone stay counted under its labels.
 *
 * A block is lent to another owner only if no connection of the last owner is open. The counters then start at 0. The block
 * that was given back first is reused first, but not before there are {@link MIN_IDLE_BLOCKS} idle blocks, unless slots run
 * out.
 */
export class LentSeries {
  /** Changes whenever {@link visible} does. */
  version = 0;
  readonly #floor: () => number;
  #lowest: number;
  readonly #lent = new Map<string, Block>();
  /** Blocks that were given back, the oldest first. Blocks with connections at the last check come later. */
  readonly #idle = new Map<string, Block>();
  /** The slot of every series, by its key. */
  readonly #slots = new Map<string, number>();

  constructor({ end, floor }: LentSeriesOptions) {
    this.#floor = floor;
    this.#lowest = end;
  }

  /** The lowest slot that has been lent. */
  get lowest(): number {
    return this.#lowest;
  }

  /**
   * Lends a block, or lends the owner's block once more.
   *
   * @param wanted series of one slot each, the owner's gauge first; the same number for every owner
   * @returns the first slot, or null if there is no room
   */
  lend(wanted: readonly SeriesName[], sums: Sums): number | null {
    const key = keyOf(wanted[0]!);
    let block = this.#lent.get(key);
    if (block === undefined) {
      block = this.#take(key) ?? this.#place(wanted, sums) ?? undefined;
      if (block === undefined) return null;
      this.#lent.set(key, block);
      this.version++;
    }
    block.holders++;
    return block.slot;
  }

  /** Gives a block back. It becomes idle when every lending has been given back. */
  giveBack(first: SeriesName): void {
    const key = keyOf(first);
    const block = this.#lent.get(key);
    if (block === undefined || --block.holders > 0) return;
    this.#lent.delete(key);
    block.lives = true;
    this.#idle.set(key, block);
  }

  /** Hides the blocks of owners that have gone and whose last connection has ended. */
  sweep(sums: Pick<Sums, 'at'>): void {
    for (const block of this.#idle.values()) {
      if (!block.lives || sums.at(block.slot) !== 0) continue;
      block.lives = false;
      this.version++;
    }
  }

  /** Returns the slot of a series by its key; undefined without one. */
  find(key: string): number | undefined {
    return this.#slots.get(key);
  }

  /** Lists the series to show: the lent ones, and those of gone owners with open connections. */
  visible(): Series[] {
    const idle = [...this.#idle.values()].filter(({ lives }) => lives);
    return [...this.#lent.values(), ...idle].flatMap(({ series }) => series);
  }

  /** Lists all series that have slots. */
  *all(): Iterable<Series> {
    for (const { series } of this.#lent.values()) yield* series;
    for (const { series } of this.#idle.values()) yield* series;
  }

  /** Takes the idle block of an owner that has come back, with its counts. */
  #take(key: string): Block | undefined {
    const block = this.#idle.get(key);
    this.#idle.delete(key);
    return block;
  }

  #place(wanted: readonly SeriesName[], sums: Sums): Block | null {
    const isFull = this.#lowest - wanted.length < this.#floor();
    let slot = isFull || this.#idle.size > MIN_IDLE_BLOCKS ? this.#reuse(sums) : null;
    if (slot === null) {
      if (isFull) return null;
      slot = this.#lowest -= wanted.length;
    }
    const first = slot;
    const series = wanted.map(({ metric, labels }, index) => ({ metric, labels, slot: first + index }));
    for (const one of series) this.#slots.set(keyOf(one), one.slot);
    return { series, slot, holders: 0, lives: false };
  }

  /** Takes a block from an owner that has gone. A block with open connections goes to the end of the queue. */
  #reuse(sums: Sums): number | null {
    let left = MAX_CHECKED_BLOCKS;
    for (const [key, block] of this.#idle) {
      if (left-- === 0) return null;
      const { series, slot } = block;
      this.#idle.delete(key);
      if (sums.at(slot) !== 0) {
        this.#idle.set(key, block);
        continue;
      }
      for (const one of series) {
        this.#slots.delete(keyOf(one));
        if (one.metric.kind !== 'gauge') sums.restart(one.slot);
      }
      this.version++;
      return slot;
    }
    return null;
  }
}

function keyOf({ metric, labels }: SeriesName): string {
  return seriesKey(metric, labels);
}
