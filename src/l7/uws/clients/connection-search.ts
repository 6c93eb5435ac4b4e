import { FairQueue } from '../../../core/collections/fair-queue.ts';
import { networkOf } from '../../../wire/ip-address.ts';
import { findDescriptors, type Hideable } from './hidden-descriptors.ts';
import type { KnownConnection, KnownConnections, UwsRequester } from './known-connections.ts';
import { TimeBudget } from './time-budget.ts';

/** Max requests of a worker that wait for the search. */
export const MAX_WAITING = 1024;
/** Max time that a request waits for the search. */
const MAX_WAIT_MS = 5000;
/** Max descriptors that one step hides: each costs one free descriptor. */
const MAX_GROUP = 128;
/** Max descriptors that one step checks: 1 us each. */
const MAX_LOOKS = 2048;
/** The steps' share of the thread's time, and the max unused time that they may save up. */
const MAX_STEP_SHARE = 0.2;
const MAX_SAVED_STEPS_MS = 50;
/** The same for {@link ConnectionSearch.findNow}. */
const MAX_NOW_SHARE = 0.05;
const MAX_SAVED_NOW_MS = 100;
/** Max time between the arrival of a request's last byte and its handler, unless the thread is overloaded. */
const READ_DELAY_MS = 250;

/** The system's view of this thread's client sockets: see `sys/sockets/accepted-sockets.ts`. */
interface SearchedSockets {
  /** Returns a number that is greater than every descriptor. */
  tableSize(): number;
  /** Whether the descriptor is a client socket of this thread. */
  includes(fd: number): boolean;
  /**
   * Returns the milliseconds since the last received byte, Infinity if the descriptor is not a connection.
   */
  silence(fd: number): number;
  swap(fds: readonly number[]): Hideable & { end(): void };
}

interface SearchTimers {
  /** Returns milliseconds of a monotonic clock. */
  now(): number;
  /** Calls back once, after uWS has delivered all bytes that it has read. */
  later(callback: () => void): void;
  /** Calls back once, in the next turn of the loop. */
  soon(callback: () => void): void;
  delay(ms: number, callback: () => void): void;
}

type Found = (client: KnownConnection | null) => void;

/** A request that waits for the search. */
class Waiting {
  readonly requester: UwsRequester;
  /** The client's network: networks share the places in the queue. */
  readonly source: string;
  readonly found: Found;
  readonly until: number;
  /** Number of descriptors checked for the request. */
  looks = 0;
  /** Whether a whole round over recently active connections has found nothing. */
  hasLooked = false;

  constructor(requester: UwsRequester, found: Found, until: number) {
    this.requester = requester;
    this.source = networkOf(requester.client.address);
    this.found = found;
    this.until = until;
  }
}

/**
 * Finds the connections that carry requests. One search serves all waiting requests, so its cost grows with
 * the number of open connections, and hardly with the number of requests.
 *
 * A round checks every descriptor of the process, in steps of at most a few milliseconds. A connection that
 * was silent when the request arrived cannot carry it, and is not hidden. A round may find nothing because an
 * overloaded thread was late. The next round then checks all connections.
 */
export class ConnectionSearch {
  readonly #sockets: SearchedSockets;
  readonly #known: KnownConnections;
  readonly #timers: SearchTimers;
  readonly #waiting = new FairQueue<Waiting>();
  readonly #entries = new Set<Waiting>();
  /** The next descriptor to check. Wraps around to 0 after the last one. */
  #position = 0;
  /** Descriptor of a recent hit: connections that arrive together have close numbers. */
  #recentHit = 0;
  readonly #steps: TimeBudget;
  /** Time for {@link findNow}. */
  readonly #now: TimeBudget;
  #isScheduled = false;

  /** @param known creates the connections that are found */
  constructor(sockets: SearchedSockets, known: KnownConnections, timers: SearchTimers) {
    this.#sockets = sockets;
    this.#known = known;
    this.#timers = timers;
    this.#steps = new TimeBudget(MAX_STEP_SHARE, MAX_SAVED_STEPS_MS, timers.now());
    this.#now = new TimeBudget(MAX_NOW_SHARE, MAX_SAVED_NOW_MS, timers.now());
  }

  /**
   * Finds the connection of a request. Nothing may be sent on the connection until then.
   *
   * @param found gets null if the search times out or too many requests wait. May be called before this
   * returns.
   * @returns a function that cancels the search: call it when the connection closes
   */
  find(requester: UwsRequester, found: Found): () => void {
    const waiting = new Waiting(requester, found, this.#timers.now() + MAX_WAIT_MS);
    let displaced: Waiting | null = null;
    if (this.#waiting.size >= MAX_WAITING) {
      displaced = this.#waiting.evictFor(waiting.source);
      if (displaced === null) {
        found(null);
        return () => undefined;
      }
      this.#entries.delete(displaced);
    }
    this.#waiting.push(waiting);
    this.#entries.add(waiting);
    this.#schedule(this.#entries.size === 1);
    displaced?.found(null);
    return () => this.#forget(waiting);
  }

  /**
   * Finds a connection at once if few descriptors are open and such searches took little time recently.
   * Otherwise returns null.
   */
  findNow(requester: UwsRequester): KnownConnection | null {
    const begun = this.#timers.now();
    if (this.#now.wait(begun) > 0) return null;
    try {
      const size = this.#sockets.tableSize();
      if (size > MAX_LOOKS) return null;
      const maxSilence = begun - requester.startedAt + READ_DELAY_MS;
      for (let from = 0; from < size;) {
        const group: number[] = [];
        from = this.#gather(group, from, size, maxSilence);
        const [client = null] = this.#identify([requester], group);
        if (client !== null) return client;
      }
      return null;
    } catch {
      return null;
    } finally {
      this.#now.spend(this.#timers.now() - begun);
    }
  }

  #forget(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    this.#entries.delete(waiting);
  }

  /**
   * @param isFirst whether no other request was waiting. The first step waits for all requests of the same
   * read.
   */
  #schedule(isFirst: boolean): void {
    if (this.#isScheduled || this.#entries.size === 0) return;
    this.#isScheduled = true;
    const timers = this.#timers;
    const step = (): void => this.#step();
    const pause = this.#steps.wait(timers.now());
    if (pause > 0) timers.delay(Math.ceil(pause), () => timers.later(step));
    else if (isFirst) timers.later(step);
    else timers.soon(() => timers.later(step));
  }

  #step(): void {
    this.#isScheduled = false;
    const begun = this.#timers.now();
    const entries = [...this.#entries];
    if (entries.length === 0) return;
    const answers: (KnownConnection | null | undefined)[] = [];
    let size = 0;
    try {
      size = this.#sockets.tableSize();
      const from = this.#position < size ? this.#position : 0;
      const group: number[] = [];
      const end = this.#gather(group, from, size, this.#maxSilence(entries, begun));
      const clients = this.#identify(
        entries.map(({ requester }) => requester),
        group,
      );
      for (const client of clients) {
        if (client !== null) this.#recentHit = group[0]!;
        answers.push(client ?? undefined);
      }
      for (const waiting of entries) waiting.looks += end - from;
      this.#position = end;
    } catch {
      // No descriptor is free, or there is no /proc.
      answers.length = 0;
      answers.push(...entries.map(() => null));
    }
    const now = this.#timers.now();
    this.#steps.spend(now - begun);
    for (const [index, waiting] of entries.entries()) {
      let answer = answers[index];
      waiting.hasLooked = waiting.looks >= size;
      if (waiting.looks >= 2 * size || waiting.until <= now) answer ??= null;
      // An earlier `found` callback may have ended this request.
      if (answer === undefined || !this.#entries.has(waiting)) continue;
      this.#forget(waiting);
      waiting.found(answer);
    }
    if (this.#entries.size === 0) this.#position = this.#recentHit;
    this.#schedule(false);
  }

  /** Returns the max silence, in milliseconds, of connections that may carry one of the requests. */
  #maxSilence(entries: readonly Waiting[], now: number): number {
    let oldest = 0;
    for (const { requester, hasLooked } of entries) {
      if (hasLooked) return Number.MAX_VALUE;
      oldest = Math.max(oldest, now - requester.startedAt);
    }
    return oldest + READ_DELAY_MS;
  }

  /** Adds the descriptors of recently active clients to a group. Returns the next descriptor to check. */
  #gather(group: number[], from: number, size: number, maxSilenceMs: number): number {
    const sockets = this.#sockets;
    const end = Math.min(size, from + MAX_LOOKS);
    let fd = from;
    for (; fd < end && group.length < MAX_GROUP; fd++) {
      if (sockets.includes(fd) && sockets.silence(fd) <= maxSilenceMs) group.push(fd);
    }
    return fd;
  }

  /** Returns the connection of each request, null if it is not in the group. */
  #identify(requesters: readonly UwsRequester[], group: readonly number[]): (KnownConnection | null)[] {
    if (group.length === 0) return requesters.map(() => null);
    const swap = this.#sockets.swap(group);
    let indexes: number[];
    try {
      indexes = findDescriptors(
        requesters.map(({ connection }) => connection),
        swap,
      );
    } finally {
      swap.end();
    }
    return indexes.map((index, number) => {
      const fd = group[index];
      return fd === undefined ? null : this.#known.connection(fd, requesters[number]!.peer);
    });
  }
}
