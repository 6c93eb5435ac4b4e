import { networkOf } from '../../wire/ip-address.ts';
import { WaitingLine } from '../handshakes/waiting-line.ts';
import { findDescriptors, type Addressed, type Hideable } from '../uws-descriptors.ts';
import type { Asker, ClientConnection } from './client-connections.ts';

/** Max requests of a worker that wait for their connection to be found, and how long each waits. */
export const MAX_ASKERS = 1024;
const MAX_WAIT_MS = 5000;
/** Max descriptors that one step hides, which takes as many free ones, and looks at: 1 us each. */
const MAX_GROUP = 128;
const MAX_LOOKS = 2048;
/** Pause after a step, as a multiple of its time: a fifth of the thread's time goes into steps at most. */
const PAUSE = 4;
/** The same for connections that are looked for at once: a twentieth, and how much of it can be saved up. */
const NOW_SHARE = 0.05;
const MAX_NOW_MS = 100;
/** The kernel counts the time since the last byte in ticks of up to 10 ms. */
const TICKS_MS = 20;

/** What the system knows of the clients' sockets of this thread; `sys/accepted-sockets.ts` has the details. */
interface SearchedSockets {
  /** No descriptor is this number or greater. */
  tableSize(): number;
  includes(fd: number): boolean;
  received(fd: number): number;
  /** Milliseconds since the last byte came; Infinity for what is no connection. */
  silence(fd: number): number;
  cookie(fd: number): number;
  disguise(fds: readonly number[]): Hideable & { end(): void };
}

/** Milliseconds of a monotonic clock, and ways to be called back. */
interface SearchTimers {
  now(): number;
  /** Calls back once, when all that has come from clients has been handed over. */
  later(callback: () => void): void;
  delay(ms: number, callback: () => void): void;
}

type Found = (client: ClientConnection | null) => void;

/** A request whose connection is looked for. */
class Waiting {
  readonly asker: Asker;
  /** The client's network: networks share the line. */
  readonly source: string;
  readonly found: Found;
  readonly until: number;
  /** Whether the current round began before the request came, and says nothing about it. */
  isLate: boolean;
  /** Whether a round has looked at the connections that were heard of lately, in vain. */
  hasLooked = false;

  constructor(asker: Asker, found: Found, until: number, isLate: boolean) {
    this.asker = asker;
    this.source = networkOf(asker.client.address);
    this.found = found;
    this.until = until;
    this.isLate = isLate;
  }
}

/**
 * Finds the connections that requests have come on, of all that wait at once: the work grows with the number of open
 * connections, and hardly with that of the requests. A round looks at every descriptor of the process, in steps of a
 * few milliseconds at most. Connections that have brought no byte since the request cannot be its own, and are not
 * hidden. A request that such a round has not found waits for one that looks at all.
 */
export class ClientSearch {
  readonly #sockets: SearchedSockets;
  readonly #timers: SearchTimers;
  readonly #waiting = new WaitingLine<Waiting>();
  readonly #entries = new Set<Waiting>();
  /** The next descriptor to be looked at; 0 between two rounds. */
  #position = 0;
  #size = 0;
  #nextStep = -Infinity;
  /** Time that may go into {@link findNow}. */
  #nowMs = MAX_NOW_MS;
  #nowSince = -Infinity;
  #isScheduled = false;

  constructor(sockets: SearchedSockets, timers: SearchTimers) {
    this.#sockets = sockets;
    this.#timers = timers;
  }

  /**
   * Finds the connection of a request. Nothing is sent on it meanwhile.
   *
   * @param found told null if the connection cannot be told in time, or too many wait. May be called at once.
   * @returns forgets the request, which must be called when its connection closes
   */
  find(asker: Asker, found: Found): () => void {
    const waiting = new Waiting(asker, found, this.#timers.now() + MAX_WAIT_MS, this.#position > 0);
    let displaced: Waiting | null = null;
    if (this.#waiting.size >= MAX_ASKERS) {
      displaced = this.#waiting.displaceFor(waiting.source);
      if (displaced === null) {
        found(null);
        return () => undefined;
      }
      this.#entries.delete(displaced);
    }
    this.#waiting.push(waiting);
    this.#entries.add(waiting);
    this.#schedule();
    displaced?.found(null);
    return () => this.#forget(waiting);
  }

  /** Finds a connection at once, if few are open and little time has gone into that lately; else null. */
  findNow(asker: Asker): ClientConnection | null {
    const begun = this.#timers.now();
    this.#nowMs = Math.min(MAX_NOW_MS, this.#nowMs + (begun - this.#nowSince) * NOW_SHARE);
    this.#nowSince = begun;
    if (this.#nowMs <= 0) return null;
    try {
      const size = this.#sockets.tableSize();
      if (size > MAX_LOOKS) return null;
      const mostSilent = begun - asker.startedAt + TICKS_MS;
      for (let from = 0; from < size;) {
        const group: number[] = [];
        from = this.#gather(group, from, size, mostSilent);
        const [client = null] = this.#identify([asker], group);
        if (client !== null) return client;
      }
      return null;
    } catch {
      return null;
    } finally {
      this.#nowMs -= this.#timers.now() - begun;
    }
  }

  #forget(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    this.#entries.delete(waiting);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#entries.size === 0) return;
    this.#isScheduled = true;
    const timers = this.#timers;
    const step = (): void => timers.later(() => this.#step());
    const pause = this.#nextStep - timers.now();
    if (pause > 0) timers.delay(Math.ceil(pause), step);
    else step();
  }

  #step(): void {
    this.#isScheduled = false;
    const begun = this.#timers.now();
    const entries = [...this.#entries];
    if (entries.length === 0) {
      this.#position = 0;
      return;
    }
    const answers: (ClientConnection | null | undefined)[] = [];
    try {
      if (this.#position === 0) this.#size = this.#sockets.tableSize();
      const group: number[] = [];
      this.#position = this.#gather(group, this.#position, this.#size, this.#mostSilent(entries, begun));
      const clients = this.#identify(
        entries.map(({ asker }) => asker),
        group,
      );
      for (const client of clients) answers.push(client ?? undefined);
    } catch {
      // No descriptor is free, or there is no /proc.
      answers.push(...entries.map(() => null));
    }
    const isRoundOver = this.#position >= this.#size;
    if (isRoundOver) this.#position = 0;
    const end = this.#timers.now();
    this.#nextStep = end + PAUSE * (end - begun);
    for (const [index, waiting] of entries.entries()) {
      let answer = answers[index];
      if (answer === undefined && isRoundOver) {
        if (waiting.isLate) waiting.isLate = false;
        else if (!waiting.hasLooked) waiting.hasLooked = true;
        else answer = null;
      }
      if (answer === undefined && waiting.until <= end) answer = null;
      // An earlier answer may have ended this request.
      if (answer === undefined || !this.#entries.has(waiting)) continue;
      this.#forget(waiting);
      waiting.found(answer);
    }
    this.#schedule();
  }

  #mostSilent(entries: readonly Waiting[], now: number): number {
    let oldest = 0;
    for (const { asker, hasLooked } of entries) {
      if (hasLooked) return Number.MAX_VALUE;
      oldest = Math.max(oldest, now - asker.startedAt);
    }
    return oldest + TICKS_MS;
  }

  /** Adds clients' descriptors that are silent for so long at most. Returns the first one that was not looked at. */
  #gather(group: number[], from: number, size: number, mostSilentMs: number): number {
    const sockets = this.#sockets;
    const end = Math.min(size, from + MAX_LOOKS);
    let fd = from;
    for (; fd < end && group.length < MAX_GROUP; fd++) {
      if (sockets.silence(fd) <= mostSilentMs && sockets.includes(fd)) group.push(fd);
    }
    return fd;
  }

  /** Returns the connection of each request; null if it is none of the group. */
  #identify(askers: readonly Asker[], group: readonly number[]): (ClientConnection | null)[] {
    if (group.length === 0) return askers.map(() => null);
    const addressed: Addressed[] = askers.map(({ socket }) => socket);
    const disguise = this.#sockets.disguise(group);
    let indexes: number[];
    try {
      indexes = findDescriptors(addressed, disguise);
    } finally {
      disguise.end();
    }
    return indexes.map((index, number) => {
      const fd = group[index];
      if (fd === undefined) return null;
      const cookie = this.#sockets.cookie(fd);
      const { peer } = askers[number]!;
      return cookie === 0 ? null : { fd, cookie, peer, received: this.#sockets.received(fd) };
    });
  }
}
