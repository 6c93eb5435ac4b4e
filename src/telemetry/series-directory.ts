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

/** Slots that are never touched cost no memory, so that there are many: 8 MiB of addresses. */
const LEAST_CAPACITY = 1024 * 1024;
/** How many times what the first configuration needs there are at least. */
const HEAD_ROOM = 4;
/** Fraction of the slots that may be lent: the others are for what configurations list. */
const MAX_LENT = 0.5;

interface Entry extends Series {
  /** The first generation that does not have the series; Infinity while the one in use has it. */
  retiredAt: number;
}

/** Where the series of a new generation will be. */
interface SeriesPlan {
  readonly table: SlotTable;
  /** Ranges of slots that held other series: to be zero in every page before anybody writes them. */
  readonly cleared: readonly (readonly [start: number, end: number])[];
  /** Brings it into force. */
  commit(): void;
}

/**
 * The series of all generations, and where each lies in every stats page. A series keeps its slots, and so its
 * count, when others come and go, and also when it goes and comes back. Slots of a series that has gone are
 * given to another only when nobody can write them any more, and only where there is no other room.
 */
export class SeriesDirectory implements SlotLookup {
  /** Slots of every page. */
  readonly capacity: number;
  readonly #lent: LentSeries;
  #version = 0;
  readonly #entries = new Map<string, Entry>();
  /** Slots that have been given out. */
  #size = 0;
  /** Slots that are given out if the latest plan comes into force. */
  #planned = 0;
  /** Of the generation in use. */
  #table: SlotTable = new Map();
  #oldest = 0;

  /** @param wanted the series of the first configuration */
  constructor(wanted: readonly SeriesName[]) {
    const needed = wanted.reduce((sum, { metric }) => sum + slotCount(metric), 0);
    this.capacity = Math.max(LEAST_CAPACITY, needed * HEAD_ROOM);
    const floor = (): number =>
      Math.max(this.#size, this.#planned, Math.ceil(this.capacity * (1 - MAX_LENT)));
    this.#lent = new LentSeries({ end: this.capacity, floor });
    this.plan(wanted, 0)?.commit();
  }

  /** Where the series of the generation in use are. */
  get table(): SlotTable {
    return this.#table;
  }

  slot(metric: Metric, labels: Labels): number {
    return this.find(metric, labels) ?? findSlot(this.#table, metric, labels);
  }

  /** As {@link slot}, but undefined for a series that is not there. */
  find(metric: Metric, labels: Labels): number | undefined {
    const key = seriesKey(metric, labels);
    return this.#table.get(key) ?? this.#lent.find(key);
  }

  /** Changes whenever {@link visible} does. */
  get version(): number {
    return this.#version + this.#lent.version;
  }

  /**
   * Lists the series to show, each name once: those of the generation in use, those lent, and those that something older
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

  /** All series that have slots, shown or not. */
  *all(): Iterable<Series> {
    yield* this.#entries.values();
    yield* this.#lent.all();
  }

  /**
   * Lends consecutive slots to an owner that no configuration lists, until it gives them back.
   *
   * @param wanted one slot each, the owner's gauge first
   * @returns the first slot, or null if there is no room
   */
  lend(wanted: readonly SeriesName[], sums: Sums): number | null {
    return this.#lent.lend(wanted, sums);
  }

  /** Gives back what was lent. @param first of the series that were lent */
  giveBack(first: SeriesName): void {
    this.#lent.giveBack(first);
  }

  /** Hides the lent series of owners that have gone and whose last connection has ended. */
  sweep(sums: Pick<Sums, 'at'>): void {
    this.#lent.sweep(sums);
  }

  /** Nothing of a generation before this one lives: what retired with it or earlier is not written any more. */
  release(oldest: number): void {
    if (oldest <= this.#oldest) return;
    this.#oldest = oldest;
    this.#version++;
  }

  /** Finds room for the series of a new generation; null where there is none. Nothing changes before its commit. */
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

  /** What may be given to others, by its number of slots; the one that went first is the last of its list. */
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
