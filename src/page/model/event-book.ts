import { isPrimaryKind, type EventPage, type EventRow } from '../../protocol/admin/events.ts';

/** Max rows, as many as the proxy keeps. */
const MAX_ROWS = 200;

interface EventChoice {
  /** Empty for all kinds. */
  readonly kind: string;
  /** Words that must all be in a row, in any case. */
  readonly filter: string;
}

/** The last events. A row that counts another event comes again with a new number, and takes the place of the older one. */
export class EventBook {
  /** The number to ask with next. */
  last = 0;
  /** Events that workers have left out. */
  suppressed = 0;
  #rows: readonly EventRow[] = [];

  /** Adds an answer of `GET /events`. */
  add({ events, last, suppressed }: EventPage): void {
    // A process that was started again numbers from the start.
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

  /** Returns the kinds that there are, in alphabetical order. */
  get kinds(): readonly string[] {
    return [...new Set(this.#rows.map(({ kind }) => kind))].sort();
  }

  /** Returns the rows that fit, the newest first. */
  find({ kind, filter }: EventChoice): readonly EventRow[] {
    const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
    return this.#rows.filter((row) => (kind === '' || row.kind === kind) && fits(row, words)).toReversed();
  }
}

/** Writes who caused an event: the principal and the client's address. */
export function whoOf({ principal, client }: EventRow): string {
  return [principal, client].filter(Boolean).join(' ');
}

/** Writes where an event happened: host and path, then listener, route, cluster and endpoint. */
export function whereOf(row: EventRow): string {
  const { host, path, listener, route, cluster, endpoint, worker } = row;
  const url = [host, path].filter(Boolean).join('');
  return [url, listener, route, cluster, endpoint, worker].filter(Boolean).join(' · ');
}

/** Writes what came out of it: the status of the answer, or the close code and the side that closed. */
export function outcomeOf({ status, code, side }: EventRow): string {
  return [status, code, side].filter((part) => part !== undefined).join(' ');
}

function fits(row: EventRow, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const text = Object.values(row).join(' ').toLowerCase();
  return words.every((word) => text.includes(word));
}

/** Everything but what changes when a row counts another event: it then has the ids and words of that event. */
function identityOf(row: EventRow): string {
  const { number: _number, at: _at, count: _count, requestId: _request, traceId: _trace, ...others } = row;
  const { detail, ...facts } = others;
  const own = isPrimaryKind(row.kind) ? detail : null;
  return JSON.stringify([own, Object.entries(facts).sort(([a], [b]) => (a < b ? -1 : 1))]);
}
