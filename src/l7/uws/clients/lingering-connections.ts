import type { OpenConnections } from './open-connections.ts';
import { TimeBudget } from './time-budget.ts';

/** Max time for a client that has received everything to close its connection, before it is cut. */
export const MAX_LINGER_MS = 5000;
/** Pauses between rounds. Each is twice as long as the last, until a connection is found closed. */
const MIN_PAUSE_MS = 5;
const MAX_PAUSE_MS = 100;
/** Max descriptors that one step checks: 1 us each. */
const MAX_LOOKS = 2048;
/** The steps' share of the thread's time, and the max unused time that they may save up. */
const MAX_TIME_SHARE = 0.02;
const MAX_SAVED_MS = 10;

/** The thread's client sockets: see `client-sockets.ts`. */
interface LingeringSockets {
  tableSize(): number;
  listenerOf(fd: number): OpenConnections | null;
  includes(fd: number): boolean;
  forget(fd: number): void;
  hasFinished(fd: number): boolean;
  cookie(fd: number): number;
  endReading(fd: number, cookie: number): void;
}

interface LingeringTimers {
  /** Returns milliseconds of a monotonic clock. */
  now(): number;
  delay(ms: number, callback: () => void): void;
}

/** A client that has received our FIN and has not closed its connection. */
interface Finished {
  readonly cookie: number;
  readonly since: number;
}

/**
 * Counts connections with ended WebSockets until their descriptors are closed, and cuts those that stay open.
 *
 * After a close frame, uWS 20.66 to 20.68 keeps the connection until the client closes it, for 12 to 16 s (no
 * upstream issue known). It exposes neither the descriptor nor the end. But the descriptors that uWS got are
 * known, so rounds over them count the open ones. The connections that uWS does not serve any more are
 * lingering.
 *
 * While connections open and close, a round may be wrong by a few, which the next one corrects. Needed until
 * uWS calls the filter at the end of every connection.
 */
export class LingeringConnections {
  readonly #sockets: LingeringSockets;
  readonly #timers: LingeringTimers;
  readonly #time: TimeBudget;
  /** Listeners with lingering connections. */
  readonly #listeners = new Set<OpenConnections>();
  /** Clients that have finished, by descriptor. */
  readonly #finished = new Map<number, Finished>();
  /** The next descriptor of the round, -1 between rounds. */
  #position = -1;
  #pauseMs = MIN_PAUSE_MS;
  /**
   * Whether a full round has ended while connections were lingering. Clients that close at once are closed
   * by then.
   */
  #cuts = false;
  #isScheduled = false;

  constructor(sockets: LingeringSockets, timers: LingeringTimers) {
    this.#sockets = sockets;
    this.#timers = timers;
    this.#time = new TimeBudget(MAX_TIME_SHARE, MAX_SAVED_MS, timers.now());
  }

  /** Called when a connection was added to the sockets. */
  opened(fd: number, listener: OpenConnections): void {
    listener.served++;
    // The round will reach it.
    if (this.#position >= 0 && fd >= this.#position) listener.expected++;
  }

  /** Called when uWS has ended a WebSocket, and keeps its connection until the client closes it. */
  ended(listener: OpenConnections): void {
    listener.served--;
    listener.lingering++;
    this.#listeners.add(listener);
    this.#pauseMs = MIN_PAUSE_MS;
    this.#schedule(MIN_PAUSE_MS);
  }

  /** Called when every connection of a listener was closed. */
  forget(listener: OpenConnections): void {
    this.#listeners.delete(listener);
    listener.gone(listener.lingering);
  }

  #schedule(ms: number): void {
    if (this.#isScheduled || this.#listeners.size === 0) return;
    this.#isScheduled = true;
    this.#timers.delay(Math.ceil(ms), () => this.#step());
  }

  #step(): void {
    this.#isScheduled = false;
    const begun = this.#timers.now();
    if (this.#position < 0) this.#begin();
    const size = this.#sockets.tableSize();
    const end = Math.min(size, this.#position + MAX_LOOKS);
    for (let fd = this.#position; fd < end; fd++) this.#look(fd, begun);
    this.#position = end;
    if (end === size) this.#end();
    const now = this.#timers.now();
    this.#time.spend(now - begun);
    this.#schedule(Math.max(this.#position < 0 ? this.#pauseMs : 1, this.#time.wait(now)));
  }

  #begin(): void {
    this.#position = 0;
    for (const listener of this.#listeners) {
      listener.before = listener.lingering;
      listener.expected = listener.served;
      listener.met = 0;
    }
  }

  #look(fd: number, now: number): void {
    const sockets = this.#sockets;
    const listener = sockets.listenerOf(fd);
    if (listener === null || listener.before === 0) return;
    if (!sockets.includes(fd)) {
      sockets.forget(fd);
      this.#finished.delete(fd);
      return;
    }
    listener.met++;
    if (this.#cuts) this.#watch(fd, now);
  }

  /** Cuts the connection if its client finished long ago. */
  #watch(fd: number, now: number): void {
    const sockets = this.#sockets;
    if (!sockets.hasFinished(fd)) {
      this.#finished.delete(fd);
      return;
    }
    const cookie = sockets.cookie(fd);
    const finished = this.#finished.get(fd);
    if (finished?.cookie !== cookie) this.#finished.set(fd, { cookie, since: now });
    else if (now - finished.since >= MAX_LINGER_MS) sockets.endReading(fd, cookie);
  }

  #end(): void {
    this.#position = -1;
    this.#pauseMs = Math.min(MAX_PAUSE_MS, 2 * this.#pauseMs);
    for (const listener of this.#listeners) {
      const left = Math.max(0, listener.met - listener.expected);
      const gone = Math.min(listener.lingering, Math.max(0, listener.before - left));
      listener.before = listener.expected = 0;
      if (gone > 0) this.#pauseMs = MIN_PAUSE_MS;
      listener.gone(gone);
      if (listener.lingering === 0) this.#listeners.delete(listener);
    }
    this.#cuts = this.#listeners.size > 0;
    if (!this.#cuts) this.#finished.clear();
  }
}
