import { LentSeries, type Sums } from './lent-series.ts';
import type { Metric } from './metrics/metric.ts';
import {
  findSlot,
  seriesKey,
  slotCount,
  type Labels,
  type Series,
  type SeriesName,
  type SlotLookup,
  type SlotTable,
} from './page-layout.ts';

/** Min slots of a page: 8 MiB of addresses. Unused slots cost no memory. */
const MIN_SLOTS = 1024 * 1024;
/** Min slots of a page, as a multiple of the slots of the first configuration. */
const MIN_SLOTS_FACTOR = 4;
/** Max fraction of the slots that may be lent. The others are for series that configurations list. */
const MAX_LENT_SHARE = 0.5;

interface Entry extends Series {
  /** The first generation without the series; Infinity while the generation in use has it. */
  retiredAt: number;
}

/** The places of the series of a new generation. */
interface SeriesPlan {
  readonly table: SlotTable;
  /** Ranges of slots that held other series. They must be 0 in every page before a worker writes them. */
  readonly cleared: readonly (readonly [start: number, end: number])[];
  /** Puts the plan into force. */
  commit(): void;
}

/**
 * The series of all generations, and their places in every stats page. A series keeps its slots, and so its count, while
 * others come and go, and when it goes and comes back. Another series gets the slots of one that has gone only if no worker
 * can write them any more, and only if there are no other free slots.
 */
export class SeriesDirectory implements SlotLookup {
  /** Number of slots of every page. */
  readonly capacity: number;
  readonly #lent: LentSeries;
  #version = 0;
  readonly #entries = new Map<string, Entry>();
  /** Number of assigned slots. */
  #size = 0;
  /** Number of assigned slots if the latest plan comes into force. */
  #planned = 0;
  /** Series of the generation in use. */
  #table: SlotTable = new Map();
  #oldest = 0;

  /** @param wanted the series of the first configuration */
  constructor(wanted: readonly SeriesName[]) {
    const needed = wanted.reduce((sum, { metric }) => sum + slotCount(metric), 0);
    this.capacity = Math.max(MIN_SLOTS, needed * MIN_SLOTS_FACTOR);
    const floor = (): number =>
      Math.max(this.#size, this.#planned, Math.ceil(this.capacity * (1 - MAX_LENT_SHARE)));
    this.#lent = new LentSeries({ end: this.capacity, floor });
    this.plan(wanted, 0)?.commit();
  }

  /** The places of the series of the generation in use. */
  get table(): SlotTable {
    return this.#table;
  }

  slot(metric: Metric, labels: Labels): number {
    return this.find(metric, labels) ?? findSlot(this.#table, metric, labels);
  }

  /** Returns the first slot of a series; undefined for an unknown series. */
  find(metric: Metric, labels: Labels): number | undefined {
    const key = seriesKey(metric, labels);
    return this.#table.get(key) ?? this.#lent.find(key);
  }

  /** Changes whenever {@link visible} does. */
  get version(): number {
    return this.#version + this.#lent.version;
  }

  /**
   * Lists the series to show, each once: those of the generation in use, the lent ones, and those that an older generation
   * may still write.
   */
  visible(): Series[] {
    const shown = new Map<string, Series>();
    const listed: [string, Series][] = [];
    for (const [key, entry] of this.#entries) {
      if (entry.retiredAt === Infinity) listed.push([key, entry]);
      else if (entry.retiredAt > this.#oldest) shown.set(key, entry);
    }
    for (const series of this.#lent.visible()) shown.set(seriesKey(series.metric, series.labels), series);
    for (const [key, entry] of listed) shown.set(key, entry);
    return [...shown.values()];
  }

  /** Lists all series that have slots, shown or not. */
  *all(): Iterable<Series> {
    yield* this.#entries.values();
    yield* this.#lent.all();
  }

  /**
   * Lends consecutive slots to an owner that no configuration lists.
   *
   * @param wanted series of one slot each, the owner's gauge first
   * @returns the first slot, or null if there is no room
   */
  lend(wanted: readonly SeriesName[], sums: Sums): number | null {
    return this.#lent.lend(wanted, sums);
  }

  /** Gives back lent slots. @param first the first lent series */
  giveBack(first: SeriesName): void {
    this.#lent.giveBack(first);
  }

  /** Hides the lent series of owners that have gone and whose last connection has ended. */
  sweep(sums: Pick<Sums, 'at'>): void {
    this.#lent.sweep(sums);
  }

  /** Notes that all generations before this one have ended. Series that retired with it or earlier have no writer. */
  release(oldest: number): void {
    if (oldest <= this.#oldest) return;
    this.#oldest = oldest;
    this.#version++;
  }

  /** Finds slots for the series of a new generation. Returns null if there are too few. Nothing changes before the commit. */
  plan(wanted: readonly SeriesName[], generation: number): SeriesPlan | null {
    const names = new Map(wanted.map((name) => [seriesKey(name.metric, name.labels), name]));
    const idle = this.#idle(names);
    const table = new Map<string, number>();
    const taken: (readonly [key: string, entry: Entry])[] = [];
    let size = this.#size;
    for (const [key, { metric }] of names) {
      const known = this.#entries.get(key);
      const count = slotCount(metric);
      if (known !== undefined) {
        table.set(key, known.slot);
      } else if (size + count <= this.#lent.lowest) {
        table.set(key, size);
        size += count;
      } else {
        const old = idle.get(count)?.pop();
        if (old === undefined) return null;
        taken.push(old);
        table.set(key, old[1].slot);
      }
    }
    this.#planned = size;
    return {
      table,
      cleared: taken.map(([, { slot, metric }]) => [slot, slot + slotCount(metric)] as const),
      commit: () => {
        for (const [key] of taken) this.#entries.delete(key);
        for (const [key, entry] of this.#entries) {
          entry.retiredAt = names.has(key) ? Infinity : Math.min(entry.retiredAt, generation);
        }
        for (const [key, { metric, labels }] of names) {
          if (this.#entries.has(key)) continue;
          this.#entries.set(key, { metric, labels, slot: table.get(key)!, retiredAt: Infinity });
        }
        this.#size = size;
        this.#table = table;
        this.#version++;
      },
    };
  }

  /** Returns the retired series whose slots are free, by their number of slots. The one that retired first is the last. */
  #idle(wanted: ReadonlyMap<string, SeriesName>): Map<number, [string, Entry][]> {
    const idle = new Map<number, [string, Entry][]>();
    for (const [key, entry] of this.#entries) {
      if (entry.retiredAt > this.#oldest || wanted.has(key)) continue;
      const count = slotCount(entry.metric);
      const list = idle.get(count);
      if (list === undefined) idle.set(count, [[key, entry]]);
      else list.push([key, entry]);
    }
    for (const list of idle.values()) list.sort(([, a], [, b]) => b.retiredAt - a.retiredAt);
    return idle;
  }
}
