import { doSteps, type Steps } from '../../core/timing/steps.ts';
import { BlockShape } from '../block-shape.ts';
import type { Metric } from '../metrics/metric.ts';
import { pageMetrics, threadMetrics } from '../metrics/page-metrics.ts';
import type { Block } from '../page-layout.ts';
import type { PageSums } from '../page-sums.ts';
import type { ExemplarStore } from './exemplar-store.ts';
import { labelText, type FamilyText } from './family-text.ts';
import type { WrittenFamily } from './family.ts';

/** Blocks to sort per step. Takes less than 1 ms. */
const BLOCKS_PER_STEP = 1000;

/** One series of each block. */
interface LabelledOffset {
  /** Labels besides those of the block's owner. */
  readonly labels: string;
  readonly offset: number;
}

/**
 * Returns the families of the workers' metrics. Each series is the sum over all workers.
 *
 * @param exemplarStore exemplars of histograms; those of removed series are dropped
 */
export function pageFamilies(sums: PageSums, exemplarStore: ExemplarStore): WrittenFamily[] {
  const metrics: readonly Metric[] = [...Object.values(pageMetrics), ...Object.values(threadMetrics)];
  const shown = new ShownBlocks(sums, exemplarStore);
  return metrics.map((metric) => {
    const places = BlockShape.of(metric)
      .series.filter((place) => place.metric === metric)
      .map(({ labels, offset }): LabelledOffset => ({ labels: labelText(labels), offset }));
    const isHistogram = metric.kind === 'histogram';
    const write = isHistogram
      ? histogramsOf(metric, places, sums, exemplarStore)
      : samplesOf(metric, places, sums);
    return { metric, write: (text) => linesOf(metric, shown, (block) => write(text, block)) };
  });
}

/** The visible blocks, by shape. */
class ShownBlocks {
  readonly #sums: PageSums;
  readonly #exemplarStore: ExemplarStore;
  #version = -1;
  #byShape: ReadonlyMap<BlockShape, readonly Block[]> = new Map();

  constructor(sums: PageSums, exemplarStore: ExemplarStore) {
    this.#sums = sums;
    this.#exemplarStore = exemplarStore;
  }

  /** Changes whenever {@link of} does. */
  get version(): number {
    return this.#sums.series.version;
  }

  /** Sorts the blocks if they have changed. */
  *sort(): Steps<void> {
    if (this.#version === this.version) return;
    const { version } = this;
    const byShape = new Map<BlockShape, Block[]>();
    let sorted = 0;
    for (const block of yield* this.#sums.series.listVisible()) {
      const same = byShape.get(block.shape);
      if (same === undefined) byShape.set(block.shape, [block]);
      else same.push(block);
      if (++sorted % BLOCKS_PER_STEP === 0) yield;
    }
    this.#version = version;
    this.#byShape = byShape;
    if (!this.#exemplarStore.isEmpty) yield* this.#forgetExemplars();
  }

  *#forgetExemplars(): Steps<void> {
    const keys = new Set<string>();
    for (const [shape, blocks] of this.#byShape) {
      if (shape.series.every(({ metric }) => metric.kind !== 'histogram')) continue;
      for (const { labels } of blocks) {
        keys.add(shape.keyOf(labels));
        if (keys.size % BLOCKS_PER_STEP === 0) yield;
      }
    }
    this.#exemplarStore.forgetUnless((key) => keys.has(key));
  }

  of(shape: BlockShape): readonly Block[] {
    doSteps(this.sort());
    return this.#byShape.get(shape) ?? [];
  }
}

/**
 * Yields the lines of each block in turn. The event loop may run between two blocks and reassign slots to
 * another owner, so blocks hidden since the start are skipped.
 */
function* linesOf(metric: Metric, shown: ShownBlocks, write: (block: Block) => string): Iterable<string> {
  const shape = BlockShape.of(metric);
  // An empty piece lets the event loop run.
  for (const steps = shown.sort(); steps.next().done !== true;) yield '';
  const blocks = shown.of(shape);
  let { version } = shown;
  let remaining: ReadonlySet<Block> | null = null;
  for (const block of blocks) {
    if (version !== shown.version) {
      ({ version } = shown);
      remaining = new Set(shown.of(shape));
    }
    if (remaining === null || remaining.has(block)) yield write(block);
  }
}

type BlockWriter = (text: FamilyText, block: Block) => string;

function samplesOf(metric: Metric, places: readonly LabelledOffset[], sums: PageSums): BlockWriter {
  const isSparse = metric.sparse === true;
  return (text, block) => {
    const { slot } = block;
    let lines = '';
    let owner: string | null = null;
    for (const place of places) {
      const value = sums.at(slot + place.offset);
      if (value === 0 && isSparse) continue;
      owner ??= ownerText(block);
      lines += text.line(joined(owner, place.labels), value);
    }
    return lines;
  };
}

/** Writes histograms. A histogram has no lines before its first observation. */
function histogramsOf(
  metric: Metric,
  places: readonly LabelledOffset[],
  sums: PageSums,
  exemplarStore: ExemplarStore,
): BlockWriter {
  const bounds = metric.buckets ?? [];
  return (text, block) => {
    const { shape, slot, labels } = block;
    let lines = '';
    for (const place of places) {
      const first = slot + place.offset;
      const counts = Array.from({ length: bounds.length + 1 }, (_, index) => sums.at(first + index));
      if (counts.every((count) => count === 0)) continue;
      const sum = sums.at(first + bounds.length + 1);
      const own = joined(ownerText(block), place.labels);
      const hasExemplars = text.takesExemplars && !exemplarStore.isEmpty;
      const exemplars = hasExemplars ? exemplarStore.of(metric, shape.keyOf(labels)) : undefined;
      lines += text.histogram(own, bounds, counts, sum, exemplars);
    }
    return lines;
  };
}

const ownerTexts = new WeakMap<Block, string>();

/** Returns the labels of a block's owner as text. All lines of the block contain them. */
function ownerText(block: Block): string {
  let text = ownerTexts.get(block);
  if (text === undefined) ownerTexts.set(block, (text = labelText(block.labels)));
  return text;
}

function joined(owner: string, own: string): string {
  return owner === '' || own === '' ? owner + own : `${owner},${own}`;
}
