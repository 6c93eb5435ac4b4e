import type { BlockShape, Labels } from './block-shape.ts';
import type { Block } from './page-layout.ts';

/** Min idle blocks before one is reused: its last owner may return, and workers may still write it. */
const MIN_IDLE_BLOCKS = 512;
/** Max idle blocks to check per search. */
const MAX_CHECKED_BLOCKS = 64;

/** Reads and resets counts over all workers. */
export interface Sums {
  /** Returns the sum of one slot over all workers. */
  at(slot: number): number;
  /** Resets a counter to 0. */
  restart(slot: number): void;
}

interface LentBlock extends Block {
  holders: number;
  /** Whether to show an idle block: its last owner still has an open connection. */
  hasConnections: boolean;
}

interface BlockPoolOptions {
  /** Shape of all blocks. Its first series is the gauge of the owner's open connections. */
  readonly shape: BlockShape;
  /** First slot above the lent ones. Blocks grow downwards from here. */
  readonly end: number;
  /** Returns the lowest slot that may be lent now. */
  readonly floor: () => number;
}

/**
 * Blocks of owners that come and go under one configuration: the addresses of names. The remaining
 * connections of a removed owner still count under its labels.
 *
 * A block is reassigned only if its last owner has no open connection. Its counters then restart at 0. The
 * block returned first is reused first, but only once there are {@link MIN_IDLE_BLOCKS} idle blocks, unless
 * slots run out.
 */
export class BlockPool {
  /** Changes whenever {@link visible} does. */
  version = 0;
  readonly #shape: BlockShape;
  readonly #floor: () => number;
  #lowest: number;
  /** By the owner's key. */
  readonly #lent = new Map<string, LentBlock>();
  /** Returned blocks, the oldest first. Blocks with connections at the last check move to the end. */
  readonly #idle = new Map<string, LentBlock>();

  constructor({ shape, end, floor }: BlockPoolOptions) {
    this.#shape = shape;
    this.#floor = floor;
    this.#lowest = end;
  }

  /** The lowest slot lent so far. */
  get lowest(): number {
    return this.#lowest;
  }

  /** Lends a block, or lends the owner's block again. Returns its first slot, or null if there is no room. */
  lend(labels: Labels, sums: Sums): number | null {
    const key = this.#shape.keyOf(labels);
    let block = this.#lent.get(key);
    if (block === undefined) {
      block = this.#take(key) ?? this.#place(labels, sums) ?? undefined;
      if (block === undefined) return null;
      this.#lent.set(key, block);
      this.version++;
    }
    block.holders++;
    return block.slot;
  }

  /** Returns a block. It becomes idle when all of its lendings are returned. */
  returnBlock(labels: Labels): void {
    const key = this.#shape.keyOf(labels);
    const block = this.#lent.get(key);
    if (block === undefined || --block.holders > 0) return;
    this.#lent.delete(key);
    block.hasConnections = true;
    this.#idle.set(key, block);
  }

  /** Hides the blocks of removed owners whose last connection has ended. */
  sweep(sums: Pick<Sums, 'at'>): void {
    for (const block of this.#idle.values()) {
      if (!block.hasConnections || sums.at(block.slot) !== 0) continue;
      block.hasConnections = false;
      this.version++;
    }
  }

  /** Returns the first slot of a block by its key. Undefined without one. */
  find(key: string): number | undefined {
    return (this.#lent.get(key) ?? this.#idle.get(key))?.slot;
  }

  /** Lists the blocks to show: the lent ones, and those of removed owners with open connections. */
  visible(): Block[] {
    const idle = [...this.#idle.values()].filter(({ hasConnections }) => hasConnections);
    return [...this.#lent.values(), ...idle];
  }

  /** Lists all blocks. */
  *all(): Iterable<Block> {
    yield* this.#lent.values();
    yield* this.#idle.values();
  }

  /** Takes the idle block of a returning owner, with its counts. */
  #take(key: string): LentBlock | undefined {
    const block = this.#idle.get(key);
    this.#idle.delete(key);
    return block;
  }

  #place(labels: Labels, sums: Sums): LentBlock | null {
    const { size } = this.#shape;
    const isFull = this.#lowest - size < this.#floor();
    let slot = isFull || this.#idle.size > MIN_IDLE_BLOCKS ? this.#reuse(sums) : null;
    if (slot === null) {
      if (isFull) return null;
      slot = this.#lowest -= size;
    }
    return { shape: this.#shape, labels, slot, holders: 0, hasConnections: false };
  }

  /** Reassigns the block of a removed owner. A block with open connections moves to the end of the queue. */
  #reuse(sums: Sums): number | null {
    let left = MAX_CHECKED_BLOCKS;
    for (const [key, block] of this.#idle) {
      if (left-- === 0) return null;
      const { slot } = block;
      this.#idle.delete(key);
      if (sums.at(slot) !== 0) {
        this.#idle.set(key, block);
        continue;
      }
      for (const [start, end] of this.#shape.counters) {
        for (let at = start; at < end; at++) sums.restart(slot + at);
      }
      this.version++;
      return slot;
    }
    return null;
  }
}
