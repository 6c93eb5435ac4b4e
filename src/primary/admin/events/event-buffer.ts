import type { EventFacts } from '../../../protocol/admin/events.ts';

/** Events that share one row. */
export interface StoredRow {
  /** Facts of the last event. */
  facts: EventFacts;
  /** Identity that all events of the row share. */
  readonly key: string;
  /** Rows of one group do not push out rows of other groups. */
  readonly group: string;
  /** The client's network; empty if there is no client. */
  readonly network: string;
  number: number;
  /** When the first event happened, in milliseconds since 1970. */
  readonly firstAt: number;
  /** When the last event happened, in milliseconds since 1970. */
  at: number;
  readonly worker: string | undefined;
  count: number;
}

interface BufferLimits {
  readonly maxRows: number;
  /** Max rows per client network. */
  readonly maxPerNetwork: number;
}

/**
 * A limited number of rows, in the order of their last changes. A new row evicts the oldest row of its
 * network if the network has too many. Otherwise, it evicts the oldest row of the largest group.
 */
export class EventBuffer {
  readonly #limits: BufferLimits;
  readonly #rows = new Set<StoredRow>();
  /** The last row of each key. */
  readonly #byKey = new Map<string, StoredRow>();

  constructor(limits: BufferLimits) {
    this.#limits = limits;
  }

  /** All rows, in the order of their last changes. */
  get rows(): Iterable<StoredRow> {
    return this.#rows;
  }

  /** Returns the last row of a key. */
  find(key: string): StoredRow | undefined {
    return this.#byKey.get(key);
  }

  /** Adds a row, and evicts another one if necessary. */
  add(row: StoredRow): void {
    const own = row.network === '' ? [] : this.#where(({ network }) => network === row.network);
    if (own.length >= this.#limits.maxPerNetwork) this.#remove(own[0]!);
    else if (this.#rows.size >= this.#limits.maxRows) this.#remove(this.#oldestOfLargestGroup());
    this.#rows.add(row);
    this.#byKey.set(row.key, row);
  }

  /** Moves a changed row to the end. */
  touch(row: StoredRow): void {
    this.#rows.delete(row);
    this.#rows.add(row);
  }

  #where(fits: (row: StoredRow) => boolean): StoredRow[] {
    return [...this.#rows].filter(fits);
  }

  #oldestOfLargestGroup(): StoredRow {
    const groups = Map.groupBy(this.#rows, ({ group }) => group);
    let largest: readonly StoredRow[] = [];
    // Among equals, the first group has the oldest row.
    for (const rows of groups.values()) if (rows.length > largest.length) largest = rows;
    return largest[0]!;
  }

  #remove(row: StoredRow): void {
    this.#rows.delete(row);
    if (this.#byKey.get(row.key) === row) this.#byKey.delete(row.key);
  }
}
