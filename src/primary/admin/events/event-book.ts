import {
  isOwnKind,
  type EventFacts,
  type EventPage,
  type EventRow,
  type WorkerEvent,
} from '../../../protocol/admin/events.ts';
import { networkOf } from '../../../wire/ip-address.ts';
import { EventRoom, type KeptRow } from './event-room.ts';

/** What a worker tells at once. */
interface Heard {
  readonly events: readonly WorkerEvent[];
  readonly suppressed: number;
}

/** Max rows of events that clients can cause. */
const CLIENT_ROOM = { maxRows: 140, maxPerNetwork: 35 };
/** Max rows of events that clients cannot cause. */
const OWN_ROOM = { maxRows: 60, maxPerNetwork: Infinity };
/** Equal events are one row for this long. */
const SAME_ROW_MS = 60_000;
/** Max characters of a text. */
const MAX_TEXT_LENGTH = 256;
/** Max characters of a detail: the errors of a configuration are long. */
const MAX_DETAIL_LENGTH = 512;
/** What a client may have chosen in a detail. */
const QUOTED = /"[^"]*"/g;
const DIGIT = /\d/;

/**
 * Keeps the last refused and failed events of all workers and of the primary, 200 rows in all. Clients cannot push out what the
 * primary tells, one client's network has a quarter of the rows of clients, and a flood of one reason leaves rows of others.
 */
export class EventBook {
  readonly #clients = new EventRoom(CLIENT_ROOM);
  readonly #own = new EventRoom(OWN_ROOM);
  readonly #now: () => number;
  /** Numbers begin with the time, so that those of a new process are higher. */
  #last: number;
  #suppressed = 0;

  /** @param now milliseconds since 1970 */
  constructor(now: () => number = Date.now) {
    this.#now = now;
    this.#last = now();
  }

  /** Adds an event of the primary. @param worker the worker that it is about */
  readonly tell = (facts: EventFacts, worker?: string): void => this.#add(facts, this.#now(), worker);

  /** Adds the events of a worker. */
  hear({ events, suppressed }: Heard, worker: string): void {
    this.#suppressed += suppressed;
    for (const { at, ...facts } of events) this.#add(facts, at, worker);
  }

  /**
   * Returns the rows that have changed after a number, the oldest change first; for null the newest rows.
   *
   * @param limit max rows
   */
  page(after: number | null, limit: number): EventPage {
    const rows = [...this.#clients.rows, ...this.#own.rows]
      .filter(({ number }) => number > (after ?? 0))
      .sort((one, other) => one.number - other.number);
    const shown = after === null ? rows.slice(-limit) : rows.slice(0, limit);
    // A reader with a number of the future has it from a process with another clock: it begins again.
    const last = shown.at(-1)?.number ?? this.#last;
    return { events: shown.map(rowOf), last, suppressed: this.#suppressed };
  }

  #add(told: EventFacts, at: number, worker: string | undefined): void {
    const facts = bounded(told);
    const key = keyOf(facts, worker);
    const isOwn = isOwnKind(facts.kind);
    const room = isOwn ? this.#own : this.#clients;
    const number = ++this.#last;
    const known = room.find(key);
    if (known !== undefined && Math.abs(at - known.firstAt) < SAME_ROW_MS) {
      known.facts = facts;
      known.number = number;
      known.at = Math.max(known.at, at);
      known.count++;
      room.touch(known);
      return;
    }
    room.add({
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
 * Returns the identity of an event: without the numbers of requests. Of a client's detail only the proxy's words count, so that
 * each cause has a row and a client cannot make up causes.
 */
function keyOf(facts: EventFacts, worker: string | undefined): string {
  const { kind, reason, status, code, side, listener, route, cluster, endpoint } = facts;
  const { client, principal, host, path, detail } = facts;
  const where = [listener, route, cluster, endpoint, client, principal, host, path];
  const why = isOwnKind(kind) ? [worker, detail] : [detail === undefined ? undefined : ownWords(detail)];
  return JSON.stringify([kind, reason, status, code, side, ...where, ...why]);
}

/** Leaves out what a client may have chosen: quoted texts, and words with numbers. */
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

function rowOf({ facts, number, firstAt, at, worker, count }: KeptRow): EventRow {
  return {
    number,
    at: new Date(at).toISOString(),
    firstAt: new Date(firstAt).toISOString(),
    count,
    ...(worker !== undefined && { worker }),
    ...facts,
  };
}
