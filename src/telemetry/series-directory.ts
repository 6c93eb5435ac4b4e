import type { Metric } from './names.ts';
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
  /** Changes whenever {@link visible} does. */
  version = 0;
  readonly #entries = new Map<string, Entry>();
  /** Slots that have been given out. */
  #size = 0;
  /** Of the generation in use. */
  #table: SlotTable = new Map();
  #oldest = 0;

  /** @param wanted the series of the first configuration */
  constructor(wanted: readonly SeriesName[]) {
    const needed = wanted.reduce((sum, { metric }) => sum + slotCount(metric), 0);
    this.capacity = Math.max(LEAST_CAPACITY, needed * HEAD_ROOM);
    this.plan(wanted, 0)?.commit();
  }

  /** Where the series of the generation in use are. */
  get table(): SlotTable {
    return this.#table;
  }

  slot(metric: Metric, labels: Labels): number {
    return findSlot(this.#table, metric, labels);
  }

  /** As {@link slot}, but undefined for a series that is not there. */
  find(metric: Metric, labels: Labels): number | undefined {
    return this.#table.get(seriesKey(metric, labels));
  }

  /** The series to show: those of the generation in use, and those that something older may still write. */
  visible(): Series[] {
    return Array.from(this.#entries.values()).filter(({ retiredAt }) => retiredAt > this.#oldest);
  }

  /** All series that have slots, shown or not. */
  all(): Iterable<Series> {
    return this.#entries.values();
  }

  /** Nothing of a generation before this one lives: what retired with it or earlier is not written any more. */
  release(oldest: number): void {
    if (oldest <= this.#oldest) return;
    this.#oldest = oldest;
    this.version++;
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
      } else if (size + count <= this.capacity) {
        table.set(key, size);
        size += count;
      } else {
        const old = idle.get(count)?.pop();
        if (old === undefined) return null;
        taken.push(old);
        table.set(key, old[1].slot);
      }
    }
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
        this.version++;
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
