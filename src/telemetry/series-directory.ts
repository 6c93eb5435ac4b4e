import { doSteps, type Steps } from '../core/timing/steps.ts';
import { BlockShape, type Labels } from './block-shape.ts';
import { BlockPool, type Sums } from './block-pool.ts';
import type { Metric } from './metrics/metric.ts';
import { pageShapes } from './metrics/page-shapes.ts';
import { findSlot, type Block, type BlockName, type SlotLookup, type SlotTable } from './page-layout.ts';

/** Min slots of a page: 8 MiB of addresses. Unused slots cost no memory. */
const MIN_SLOTS = 1024 * 1024;
/** Min slots of a page, as a multiple of the slots in the first configuration. */
const MIN_SLOTS_FACTOR = 4;
/** Max fraction of slots that may be lent. The others are for blocks listed in configurations. */
const MAX_LENT_SHARE = 0.5;

/** Blocks to examine per step. Takes less than 1 ms. */
const BLOCKS_PER_STEP = 1000;

/** For the error of an unknown series. */
const NO_BLOCKS: SlotTable = new Map();

interface Entry extends Block {
  /** Parts of the current configuration that have the block. */
  users: number;
  /** First generation without the block. Infinity while the current generation has it. */
  retiredAt: number;
}

/** The blocks of the parts that differ between a generation and the previous one. */
export interface BlockChange {
  /** One for each part that has the block: several routes share the block of their cluster. */
  readonly added: readonly BlockName[];
  readonly removed: readonly BlockName[];
}

/** The changes that a new generation makes to the places of blocks. */
interface SeriesPlan {
  /** Blocks that the current generation does not have, by {@link BlockShape.keyOf}. */
  readonly arriving: ReadonlyMap<string, Block>;
  /** Keys of the blocks that only the current generation has. */
  readonly leaving: readonly string[];
  /** Slots that held other blocks. They must be 0 in every page before a worker writes them. */
  readonly cleared: readonly (readonly [start: number, end: number])[];
  /** Applies the plan. */
  commit(): void;
}

/**
 * The blocks of all generations, and their places in every stats page. A block keeps its slots and counts
 * while others come and go, and when it is removed and added again. Slots of a removed block are reassigned
 * only if no worker can write them any more and no other slots are free.
 */
export class SeriesDirectory implements SlotLookup {
  /** Number of slots of every page. */
  readonly capacity: number;
  readonly #lent: BlockPool;
  #version = 0;
  /** The blocks to show, cached until the next change. */
  #shown: { readonly version: number; readonly blocks: readonly Block[] } | null = null;
  readonly #entries = new Map<string, Entry>();
  /** Number of assigned slots. */
  #size = 0;
  /** Number of assigned slots once the latest plan is applied. */
  #planned = 0;
  #oldest = 0;

  /** @param wanted the blocks of the first configuration */
  constructor(wanted: readonly BlockName[]) {
    const needed = wanted.reduce((sum, { shape }) => sum + shape.size, 0);
    this.capacity = Math.max(MIN_SLOTS, needed * MIN_SLOTS_FACTOR);
    const floor = (): number =>
      Math.max(this.#size, this.#planned, Math.ceil(this.capacity * (1 - MAX_LENT_SHARE)));
    this.#lent = new BlockPool({ shape: pageShapes.endpoint, end: this.capacity, floor });
    this.plan({ added: wanted, removed: [] }, 0)?.commit();
  }

  /** Returns the places of the current generation's blocks, except those of one shape. */
  tableWithout(shape: BlockShape): Map<string, number> {
    const table = new Map<string, number>();
    for (const [key, entry] of this.#entries) {
      if (entry.retiredAt === Infinity && entry.shape !== shape) table.set(key, entry.slot);
    }
    return table;
  }

  slot(metric: Metric, labels: Labels): number {
    return this.find(metric, labels) ?? findSlot(NO_BLOCKS, metric, labels);
  }

  /** Returns the first slot of a series. Undefined for an unknown series. */
  find(metric: Metric, labels: Labels): number | undefined {
    const shape = BlockShape.of(metric);
    const key = shape.keyOf(labels);
    const slot = this.#listed(key)?.slot ?? this.#lent.find(key);
    const offset = shape.offsetOf(metric, labels);
    return slot === undefined || offset === undefined ? undefined : slot + offset;
  }

  /** Changes whenever {@link visible} does. */
  get version(): number {
    return this.#version + this.#lent.version;
  }

  /**
   * Lists the blocks to show, each once: those of the current generation, lent ones, and those that an older
   * generation may still write.
   */
  visible(): readonly Block[] {
    return doSteps(this.listVisible());
  }

  /** Lists the same blocks as {@link visible}, in steps. */
  *listVisible(): Steps<readonly Block[]> {
    const { version } = this;
    if (this.#shown?.version === version) return this.#shown.blocks;
    const blocks = yield* this.#gatherVisible();
    // Blocks were added or removed between two steps. Retrying in steps might never end.
    if (version !== this.version) return this.visible();
    this.#shown = { version, blocks };
    return blocks;
  }

  *#gatherVisible(): Steps<readonly Block[]> {
    const lent = this.#lent.visible();
    const lentKeys = new Set(lent.map(({ shape, labels }) => shape.keyOf(labels)));
    const older: Block[] = [];
    const listed: Block[] = [];
    let seen = 0;
    for (const [key, entry] of this.#entries) {
      if (entry.retiredAt === Infinity) listed.push(entry);
      else if (entry.retiredAt > this.#oldest && !lentKeys.has(key)) older.push(entry);
      if (++seen % BLOCKS_PER_STEP === 0) yield;
    }
    const unlisted = lent.filter(({ shape, labels }) => this.#listed(shape.keyOf(labels)) === null);
    return [...older, ...unlisted, ...listed];
  }

  /** Lists all blocks that have slots, shown or not. */
  *all(): Iterable<Block> {
    yield* this.#entries.values();
    yield* this.#lent.all();
  }

  /**
   * Lends the block of an endpoint that no configuration lists. Returns its first slot, or null if there is
   * no room.
   */
  lend(labels: Labels, sums: Sums): number | null {
    return this.#lent.lend(labels, sums);
  }

  /** Returns a lent block. */
  returnBlock(labels: Labels): void {
    this.#lent.returnBlock(labels);
  }

  /** Hides the lent blocks of removed owners whose last connection has ended. */
  sweep(sums: Pick<Sums, 'at'>): void {
    this.#lent.sweep(sums);
  }

  /**
   * Records that all generations before this one have ended. Blocks retired with it or earlier have no
   * writer.
   */
  release(oldest: number): void {
    if (oldest <= this.#oldest) return;
    this.#oldest = oldest;
    this.#version++;
  }

  /**
   * Finds slots for the blocks of a new generation, looking only at changes. Returns null if slots run out.
   * Nothing changes before the commit.
   */
  plan(change: BlockChange, generation: number): SeriesPlan | null {
    const changes = netOf(change);
    const arriving = new Map<string, Block>();
    const leaving: string[] = [];
    const taken: (readonly [key: string, entry: Entry])[] = [];
    let idle: Map<number, [string, Entry][]> | null = null;
    let size = this.#size;
    for (const [key, { shape, labels, users }] of changes) {
      const known = this.#entries.get(key);
      const before = this.#listed(key)?.users ?? 0;
      const after = before + users;
      if (before > 0 && after === 0) leaving.push(key);
      if (before > 0 || after === 0) continue;
      if (known !== undefined) {
        arriving.set(key, known);
      } else if (size + shape.size <= this.#lent.lowest) {
        arriving.set(key, { shape, labels, slot: size });
        size += shape.size;
      } else {
        idle ??= this.#idle(changes);
        const old = idle.get(shape.size)?.pop();
        if (old === undefined) return null;
        taken.push(old);
        arriving.set(key, { shape, labels, slot: old[1].slot });
      }
    }
    this.#planned = size;
    return {
      arriving,
      leaving,
      cleared: taken.map(([, { slot, shape }]) => [slot, slot + shape.size] as const),
      commit: () => {
        for (const [key] of taken) this.#entries.delete(key);
        for (const [key, { shape, labels, users }] of changes) {
          const entry = this.#entries.get(key);
          if (entry === undefined) {
            const slot = arriving.get(key)?.slot;
            if (slot !== undefined)
              this.#entries.set(key, { shape, labels, slot, users, retiredAt: Infinity });
            continue;
          }
          entry.users += users;
          entry.retiredAt = entry.users > 0 ? Infinity : Math.min(entry.retiredAt, generation);
        }
        this.#size = size;
        this.#version++;
      },
    };
  }

  /** Returns the block of a key if the current generation has it. */
  #listed(key: string): Entry | null {
    const entry = this.#entries.get(key);
    return entry?.retiredAt === Infinity ? entry : null;
  }

  /**
   * Returns the retired blocks with free slots, by their number of slots. The block that retired first is
   * last.
   */
  #idle(wanted: ReadonlyMap<string, unknown>): Map<number, [string, Entry][]> {
    const idle = new Map<number, [string, Entry][]>();
    for (const [key, entry] of this.#entries) {
      if (entry.retiredAt > this.#oldest || wanted.has(key)) continue;
      const { size } = entry.shape;
      const list = idle.get(size);
      if (list === undefined) idle.set(size, [[key, entry]]);
      else list.push([key, entry]);
    }
    for (const list of idle.values()) list.sort(([, a], [, b]) => b.retiredAt - a.retiredAt);
    return idle;
  }
}

/** A block, and the change in the number of parts that have it. */
interface NetChange extends BlockName {
  users: number;
}

function netOf({ added, removed }: BlockChange): ReadonlyMap<string, NetChange> {
  const changes = new Map<string, NetChange>();
  const note = ({ shape, labels }: BlockName, users: number): void => {
    const key = shape.keyOf(labels);
    const known = changes.get(key);
    if (known === undefined) changes.set(key, { shape, labels, users });
    else known.users += users;
  };
  for (const name of added) note(name, 1);
  for (const name of removed) note(name, -1);
  return changes;
}
