import {
  isPrimaryKind,
  type EventFacts,
  type EventPage,
  type EventRow,
  type WorkerEvent,
} from '../../../protocol/admin/events.ts';
import { networkOf } from '../../../wire/ip-address.ts';
import { EventBuffer, type StoredRow } from './event-buffer.ts';

/** A worker's report of events. */
interface WorkerEvents {
  readonly events: readonly WorkerEvent[];
  readonly suppressed: number;
}

/** Max rows of events that clients can cause. */
const CLIENT_LIMITS = { maxRows: 140, maxPerNetwork: 35 };
/** Max rows of events that clients cannot cause. */
const OWN_LIMITS = { maxRows: 60, maxPerNetwork: Infinity };
/** Equal events within this time share one row. */
const SAME_ROW_MS = 60_000;
/** Max characters of a text. */
const MAX_TEXT_LENGTH = 256;
/** Max characters of a detail. Longer than other texts: configuration errors are long. */
const MAX_DETAIL_LENGTH = 512;
/** Quoted parts of a detail, which a client may have chosen. */
const QUOTED = /"[^"]*"/g;
const DIGIT = /\d/;

/**
 * Keeps the latest refusals and failures of all workers and the primary, 200 rows in total.
 *
 * Events from clients cannot push out the primary's events. One client network gets at most a quarter of the
 * client rows. A flood of one reason leaves the rows of other reasons.
 */
export class EventStore {
  readonly #clients = new EventBuffer(CLIENT_LIMITS);
  readonly #own = new EventBuffer(OWN_LIMITS);
  readonly #now: () => number;
  /** Numbers start with the time, so a new process has higher numbers than the old one. */
  #last: number;
  #suppressed = 0;

  /** @param now returns milliseconds since 1970 */
  constructor(now: () => number = Date.now) {
    this.#now = now;
    this.#last = now();
  }

  /** Adds an event of the primary. @param worker the worker that the event is about */
  readonly record = (facts: EventFacts, worker?: string): void => this.#add(facts, this.#now(), worker);

  /** Adds the events of a worker. */
  receive({ events, suppressed }: WorkerEvents, worker: string): void {
    this.#suppressed += suppressed;
    for (const { at, ...facts } of events) this.#add(facts, at, worker);
  }

  /**
   * Returns the rows that changed after a number, oldest change first. For null, returns the newest rows.
   *
   * @param limit max rows
   */
  page(after: number | null, limit: number): EventPage {
    const rows = [...this.#clients.rows, ...this.#own.rows]
      .filter(({ number }) => number > (after ?? 0))
      .sort((one, other) => one.number - other.number);
    const shown = after === null ? rows.slice(-limit) : rows.slice(0, limit);
    // A reader with a future number got it from a process with another clock. It starts again from `last`.
    const last = shown.at(-1)?.number ?? this.#last;
    return { events: shown.map(rowOf), last, suppressed: this.#suppressed };
  }

  #add(event: EventFacts, at: number, worker: string | undefined): void {
    const facts = bounded(event);
    const key = keyOf(facts, worker);
    const isOwn = isPrimaryKind(facts.kind);
    const buffer = isOwn ? this.#own : this.#clients;
    const number = ++this.#last;
    const known = buffer.find(key);
    if (known !== undefined && Math.abs(at - known.firstAt) < SAME_ROW_MS) {
      known.facts = facts;
      known.number = number;
      known.at = Math.max(known.at, at);
      known.count++;
      buffer.touch(known);
      return;
    }
    buffer.add({
      facts,
      key,
      group: `${facts.kind} ${facts.reason}`,
      network: facts.client === undefined ? '' : networkOf(facts.client),
      number,
      firstAt: at,
      at,
      worker,
      count: 1,
    });
  }
}

/**
 * Returns the identity of an event, without the numbers of its request. Of details that clients can cause,
 * only the proxy's own words count. Each cause thus has its own row, and a client cannot invent causes.
 */
function keyOf(facts: EventFacts, worker: string | undefined): string {
  const { kind, reason, status, code, side, listener, route, cluster, endpoint } = facts;
  const { client, principal, host, path, detail } = facts;
  const where = [listener, route, cluster, endpoint, client, principal, host, path];
  const why = isPrimaryKind(kind) ? [worker, detail] : [detail === undefined ? undefined : ownWords(detail)];
  return JSON.stringify([kind, reason, status, code, side, ...where, ...why]);
}

/** Removes the text that a client may have chosen: quoted parts, and words with digits. */
function ownWords(detail: string): string {
  const words = detail.replace(QUOTED, '').split(' ');
  return words.filter((word) => !DIGIT.test(word)).join(' ');
}

function bounded(facts: EventFacts): EventFacts {
  const entries = Object.entries(facts).map(([name, value]: [string, unknown]) => {
    if (typeof value !== 'string') return [name, value];
    const max = name === 'detail' ? MAX_DETAIL_LENGTH : MAX_TEXT_LENGTH;
    return [name, value.length <= max ? value : `${value.slice(0, max - 1).toWellFormed()}…`];
  });
  return Object.fromEntries(entries) as EventFacts;
}

function rowOf({ facts, number, firstAt, at, worker, count }: StoredRow): EventRow {
  return {
    number,
    at: new Date(at).toISOString(),
    firstAt: new Date(firstAt).toISOString(),
    count,
    ...(worker !== undefined && { worker }),
    ...facts,
  };
}
