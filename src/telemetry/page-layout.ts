import type { Steps } from '../core/timing/steps.ts';
import { BlockShape, type Labels } from './block-shape.ts';
import type { Metric } from './metrics/metric.ts';
// Registers the shapes of all metrics.
import './metrics/page-shapes.ts';

/** The block of one owner. */
export interface BlockName {
  readonly shape: BlockShape;
  /** The labels that distinguish the owner from others of its kind. */
  readonly labels: Labels;
}

/** A block and its first slot in a page. */
export interface Block extends BlockName {
  readonly slot: number;
}

/** Finds series in a page. */
export interface SlotLookup {
  /** Returns the first slot of a series. @throws RangeError for an unknown series */
  slot(metric: Metric, labels: Labels): number;
}

/**
 * A layout in the form sent between threads: the first slot of each block by its {@link BlockShape.keyOf}.
 */
export type SlotTable = ReadonlyMap<string, number>;

/** Assigns the slots of a stats page to blocks. */
export class PageLayout implements SlotLookup {
  readonly blocks: Block[] = [];
  /** Number of used slots. */
  size = 0;
  readonly #slots = new Map<string, number>();

  /** Adds a block unless it exists. */
  addBlock(shape: BlockShape, labels: Labels): void {
    const key = shape.keyOf(labels);
    if (this.#slots.has(key)) return;
    this.#slots.set(key, this.size);
    this.blocks.push({ shape, labels, slot: this.size });
    this.size += shape.size;
  }

  /** Adds the block of a series unless it exists. Returns the first slot of the series. */
  add(metric: Metric, labels: Labels): number {
    const shape = BlockShape.of(metric);
    this.addBlock(shape, Object.fromEntries(shape.owner.map((name) => [name, labels[name] ?? ''])));
    return this.slot(metric, labels);
  }

  slot(metric: Metric, labels: Labels): number {
    return findSlot(this.#slots, metric, labels);
  }

  get table(): SlotTable {
    return this.#slots;
  }

  /** The number of blocks: a complete layout never changes. */
  get version(): number {
    return this.blocks.length;
  }

  *listVisible(): Steps<readonly Block[]> {
    yield;
    return this.blocks;
  }
}

/** Finds the first slot of a series in a table. @throws RangeError for an unknown series */
export function findSlot(table: Pick<SlotTable, 'get'>, metric: Metric, labels: Labels): number {
  const shape = BlockShape.of(metric);
  const slot = table.get(shape.keyOf(labels));
  const offset = shape.offsetOf(metric, labels);
  if (slot === undefined || offset === undefined) {
    throw new RangeError(`no series ${metric.name} ${JSON.stringify(labels)} in the stats page`);
  }
  return slot + offset;
}
