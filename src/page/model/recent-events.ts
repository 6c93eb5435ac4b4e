import { isPrimaryKind, type EventPage, type EventRow } from '../../protocol/admin/events.ts';

/** Max rows. The proxy keeps the same number. */
const MAX_ROWS = 200;

interface EventChoice {
  /** Empty for all kinds. */
  readonly kind: string;
  /** Words that a row must all contain, ignoring case. */
  readonly filter: string;
}

/** The last events. A row whose count rises arrives again with a new number and replaces the older row. */
export class RecentEvents {
  /** The `after` parameter of the next request. */
  last = 0;
  /** Number of events that workers suppressed. */
  suppressed = 0;
  #rows: readonly EventRow[] = [];

  /** Adds an answer of `GET /events`. */
  add({ events, last, suppressed }: EventPage): void {
    // A restarted process numbers from the start.
    if (last < this.last) this.clear();
    this.last = last;
    this.suppressed = suppressed;
    if (events.length === 0) return;
    const again = new Set(events.map(identityOf));
    const older = this.#rows.filter((row) => !again.has(identityOf(row)));
    this.#rows = [...older, ...events].sort((a, b) => a.number - b.number).slice(-MAX_ROWS);
  }

  clear(): void {
    this.#rows = [];
    this.last = 0;
    this.suppressed = 0;
  }

  get size(): number {
    return this.#rows.length;
  }

  /** Returns the kinds of the rows, in alphabetical order. */
  get kinds(): readonly string[] {
    return [...new Set(this.#rows.map(({ kind }) => kind))].sort();
  }

  /** Returns the matching rows, newest first. */
  find({ kind, filter }: EventChoice): readonly EventRow[] {
    const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
    return this.#rows.filter((row) => (kind === '' || row.kind === kind) && fits(row, words)).toReversed();
  }
}

/** Formats the cause of an event: the principal and the client's address. */
export function whoOf({ principal, client }: EventRow): string {
  return [principal, client].filter(Boolean).join(' ');
}

/** Formats the place of an event: host and path, then listener, route, cluster and endpoint. */
export function whereOf(row: EventRow): string {
  const { host, path, listener, route, cluster, endpoint, worker } = row;
  const url = [host, path].filter(Boolean).join('');
  return [url, listener, route, cluster, endpoint, worker].filter(Boolean).join(' · ');
}

/** Formats the outcome: the status of the answer, or the close code and the side that closed. */
export function outcomeOf({ status, code, side }: EventRow): string {
  return [status, code, side].filter((part) => part !== undefined).join(' ');
}

function fits(row: EventRow, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const text = Object.values(row).join(' ').toLowerCase();
  return words.every((word) => text.includes(word));
}

/**
 * Returns a key of the facts that do not change when a row counts another event. Its IDs and detail do
 * change.
 */
function identityOf(row: EventRow): string {
  const { number: _number, at: _at, count: _count, requestId: _request, traceId: _trace, ...others } = row;
  const { detail, ...facts } = others;
  const own = isPrimaryKind(row.kind) ? detail : null;
  return JSON.stringify([own, Object.entries(facts).sort(([a], [b]) => (a < b ? -1 : 1))]);
}
