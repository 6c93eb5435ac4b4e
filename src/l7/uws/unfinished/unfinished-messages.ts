import { LiveSet, type LiveMember } from '../../../core/collections/live-set.ts';
import { messageOf } from '../../../core/errors.ts';
import { ownShortageOf } from '../../../core/shortage.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { BufferBudget } from '../../buffers/buffer-budget.ts';
import { findDescriptors, type Addressed, type Hideable } from '../clients/hidden-descriptors.ts';
import { HeldBytes, type Delivered, type WireTraits } from './held-bytes.ts';

/** Interval of {@link UnfinishedMessages.tick}. */
export const SAMPLE_MS = 10;
/** Interval of lookups for new sessions, and of samples of some sessions. */
const SLOW_MS = 100;
/** Number of slow samples that cover all sessions. */
const SLOW_ROUNDS = 20;
const MIN_SLOW_SAMPLES = 64;
/**
 * Min growth of the process before all sessions are sampled. The threshold is a quarter of the free budget if
 * that is larger.
 */
const MIN_GROWTH_BYTES = 4 * 1024 * 1024;
const GROWTH_SHARE = 0.25;
/**
 * Pauses after work, as multiples of its duration. Samples and the search for descriptors use at most a fifth
 * of the thread's time, the list of descriptors a fiftieth.
 */
const SAMPLE_PAUSE = 4;
const LOOK_UP_PAUSE = 50;
/** Max time of lookups in one tick. */
const MAX_LOOK_UP_MS = 50;
/** Max descriptors that are identified together. Needs as many free descriptors for a moment. */
const MAX_GROUP = 128;
/** Max age of a session that counts as watched from its start. */
const MAX_YOUNG_MS = 10_000;
/**
 * Time until uWS 20.66 to 20.68 has freed a WebSocket's memory after a close frame. 16 s were measured (no
 * upstream issue known). Needed until uWS frees that memory at the close frame.
 */
const LINGER_MS = 20_000;
/** Sessions that end within this time share an entry. */
const LINGER_STEP_MS = 1000;
/** Min held bytes at which an ended session's connection is cut at once. */
const MIN_ENDED_BYTES = 64 * 1024;

/** Receives a client's messages. */
export interface Receiver extends Delivered, LiveMember {
  /** Null after the client's WebSocket has ended. */
  readonly socket: Addressed | null;
  readonly wireTraits: WireTraits;
  /** By the clock of {@link UnfinishedMessages}. */
  readonly openedAt: number;
  /**
   * Counts bytes of an incomplete message in the budget. May close this WebSocket and others before it
   * returns.
   */
  unfinished(bytes: number): void;
}

/** The client sockets of this thread: see `sys/sockets/accepted-sockets.ts`. */
interface SampledSockets {
  includes(fd: number): boolean;
  find(isKnown: (fd: number) => boolean): number[];
  received(fd: number): number;
  unread(fd: number): number;
  isFinishing(fd: number): boolean;
  cookie(fd: number): number;
  endReading(fd: number, cookie: number): void;
  swap(fds: readonly number[]): Hideable & { end(): void };
}

/** Milliseconds of a monotonic clock, and the process's resident bytes. */
interface Gauges {
  now(): number;
  residentBytes(): number;
}

interface WatchedSession {
  readonly fd: number;
  readonly cookie: number;
  received: number;
  unread: number;
  readonly held: HeldBytes;
}

/**
 * Counts the bytes of incomplete messages in the budget. uWS 20.66 to 20.68 buffers up to `maxMessageSize`
 * per session, and does not report it. Needed until uWS reports the buffered bytes, or can pause a WebSocket
 * (uWebSockets.js#1165).
 *
 * If half of the budget covers the largest possible messages of all sessions, their size is reserved and
 * nothing is watched. Otherwise the kernel's counters of the sessions' sockets are sampled: some sessions at
 * regular intervals, and all of them when the process's memory grows.
 */
export class UnfinishedMessages {
  readonly #budget: BufferBudget;
  readonly #sockets: SampledSockets | null;
  readonly #log: Logger;
  readonly #gauges: Gauges;
  /** Sessions with an unknown descriptor: all of them, unless sessions must be watched. */
  readonly #unknown = new LiveSet<Receiver>();
  readonly #watched = new Map<Receiver, WatchedSession>();
  readonly #known = new Set<number>();
  /** Bytes that uWS may still hold for ended sessions: one entry per second, in order. */
  readonly #lingering: { readonly until: number; bytes: number }[] = [];
  /** Total size of the largest possible messages of all sessions. */
  #worst = 0;
  #watches = false;
  /** Whether the sockets cannot be watched. */
  #blind: boolean;
  #warned = false;
  /** Whether a session with an unknown descriptor has ended, so that uWS may still hold its bytes. */
  #endedUnknown = false;
  /** Max descriptors per lookup: fewer after a shortage of descriptors. */
  #groupSize = MAX_GROUP;
  /** Descriptors that have not been checked yet. */
  #candidates: number[] = [];
  #nextLookUp = 0;
  #nextGroup = 0;
  #nextSlow = 0;
  #nextFull = 0;
  #lowestResident = 0;
  /** The next sessions for slow samples. */
  #turn: Iterator<[Receiver, WatchedSession]> | null = null;

  /** @param sockets null if system calls are off */
  constructor(budget: BufferBudget, sockets: SampledSockets | null, log: Logger, gauges: Gauges) {
    this.#budget = budget;
    this.#sockets = sockets;
    this.#blind = sockets === null;
    this.#log = log;
    this.#gauges = gauges;
  }

  /** Starts counting for a session. */
  opened(session: Receiver): void {
    this.#unknown.add(session);
    this.#worst += session.wireTraits.maxMessageSize;
  }

  /**
   * Stops counting for a session whose WebSocket has ended. Does nothing if the session was not opened.
   *
   * @param lingers whether uWS keeps the connection until the client closes it
   */
  closed(session: Receiver, lingers: boolean): void {
    const watched = this.#watched.get(session);
    if (watched === undefined) {
      if (!this.#unknown.delete(session)) return;
    } else {
      this.#watched.delete(session);
      this.#known.delete(watched.fd);
    }
    session.unfinished(0);
    const bytes = session.wireTraits.maxMessageSize;
    if (!lingers) {
      this.#worst -= bytes;
      return;
    }
    this.#linger(bytes);
    if (this.#sockets === null) return;
    if (watched === undefined) {
      this.#endedUnknown = true;
    } else if (this.#sockets.cookie(watched.fd) === watched.cookie) {
      const held = this.#measure(this.#sockets, session, watched);
      if (held >= MIN_ENDED_BYTES) this.#sockets.endReading(watched.fd, watched.cookie);
    }
  }

  /**
   * Does the lookups and samples that are due. Must not be called from a uWS callback, because it may close
   * sessions.
   */
  tick(): void {
    const now = this.#gauges.now();
    this.#endLingering(now);
    const fits = 2 * this.#worst <= this.#budget.maxBytes;
    const sockets = this.#sockets;
    if (fits || this.#blind || sockets === null) {
      if (!fits) this.#warn('system calls are unavailable');
      // Must precede the reservation: bytes that are both counted and reserved would shed sessions.
      if (this.#watches) this.#stopWatching();
      this.#budget.reserve(fits ? this.#worst : 0);
      return;
    }
    this.#budget.reserve(0);
    try {
      this.#watch(sockets, now);
    } catch (error) {
      this.#failed(error, now);
    }
  }

  #watch(sockets: SampledSockets, now: number): void {
    const resident = this.#gauges.residentBytes();
    if (!this.#watches) {
      this.#watches = true;
      this.#lowestResident = resident;
      this.#sampleAll(sockets);
    }
    this.#lowestResident = Math.min(this.#lowestResident, resident);
    const growth = Math.max(MIN_GROWTH_BYTES, GROWTH_SHARE * this.#budget.left);
    if (resident - this.#lowestResident >= growth && now >= this.#nextFull) {
      this.#lowestResident = resident;
      this.#sampleAll(sockets);
      this.#beginLookUp(sockets);
      // Later ticks look up the rest: thousands of unknown sessions take seconds.
      while (this.#candidates.length > 0 && this.#gauges.now() - now < MAX_LOOK_UP_MS) this.#lookUp(sockets);
      const end = this.#gauges.now();
      this.#nextFull = end + SAMPLE_PAUSE * (end - now);
      return;
    }
    if (this.#candidates.length > 0) {
      if (now >= this.#nextGroup) {
        this.#lookUp(sockets);
        const end = this.#gauges.now();
        this.#nextGroup = end + SAMPLE_PAUSE * (end - now);
      }
    } else if (now >= this.#nextLookUp && (this.#unknown.size > 0 || this.#endedUnknown)) {
      this.#beginLookUp(sockets);
    }
    if (now >= this.#nextSlow) {
      this.#nextSlow = now + SLOW_MS;
      this.#sampleSome(sockets, Math.max(MIN_SLOW_SAMPLES, Math.ceil(this.#watched.size / SLOW_ROUNDS)));
    }
  }

  /** Lists the descriptors that may belong to sessions with an unknown descriptor. */
  #beginLookUp(sockets: SampledSockets): void {
    const start = this.#gauges.now();
    if (this.#unknown.size === 0 && !this.#endedUnknown) return;
    this.#endedUnknown = false;
    this.#candidates = sockets.find((fd) => this.#known.has(fd));
    const end = this.#gauges.now();
    this.#nextLookUp = end + Math.max(SLOW_MS, LOOK_UP_PAUSE * (end - start));
  }

  /** Finds the sessions of some candidates. */
  #lookUp(sockets: SampledSockets): void {
    // Some may have been closed since they were listed, and another thread may have reused their numbers.
    const group = this.#candidates
      .splice(-this.#groupSize)
      .filter((fd) => !this.#known.has(fd) && sockets.includes(fd));
    if (group.length === 0) return;
    const receivers = [...this.#unknown].filter(({ socket }) => socket !== null);
    const clients = receivers.map(({ socket }) => socket!);
    const swap = sockets.swap(group);
    let indexes: number[];
    try {
      indexes = findDescriptors(clients, swap);
    } finally {
      swap.end();
    }
    this.#groupSize = Math.min(MAX_GROUP, this.#groupSize + 1);
    const ended = new Set(group);
    for (const [number, index] of indexes.entries()) {
      if (index < 0) continue;
      ended.delete(group[index]!);
      this.#found(sockets, receivers[number]!, group[index]!);
    }
    for (const fd of ended) {
      if (sockets.isFinishing(fd) && sockets.received(fd) >= MIN_ENDED_BYTES) {
        sockets.endReading(fd, sockets.cookie(fd));
      }
    }
  }

  #found(sockets: SampledSockets, session: Receiver, fd: number): void {
    // Shedding another session may have closed this one.
    if (!this.#unknown.has(session)) return;
    const received = sockets.received(fd);
    if (received < 0) return;
    const unread = sockets.unread(fd);
    const isYoung = this.#gauges.now() - session.openedAt < MAX_YOUNG_MS;
    const held = new HeldBytes(session.wireTraits, received - unread, session, isYoung);
    this.#unknown.delete(session);
    this.#known.add(fd);
    this.#watched.set(session, { fd, cookie: sockets.cookie(fd), received, unread, held });
    session.unfinished(held.value);
  }

  #sampleAll(sockets: SampledSockets): void {
    for (const [session, watched] of this.#watched) this.#sample(sockets, session, watched);
  }

  #sampleSome(sockets: SampledSockets, count: number): void {
    for (let done = 0; done < count; done++) {
      this.#turn ??= this.#watched.entries();
      const next = this.#turn.next();
      if (next.done === true) {
        this.#turn = null;
        return;
      }
      const [session, watched] = next.value;
      this.#sample(sockets, session, watched);
    }
  }

  /** Samples a session. May close it and others before it returns. */
  #sample(sockets: SampledSockets, session: Receiver, watched: WatchedSession): void {
    session.unfinished(this.#measure(sockets, session, watched));
  }

  #measure(sockets: SampledSockets, session: Receiver, watched: WatchedSession): number {
    const received = sockets.received(watched.fd);
    if (received < 0) return watched.held.value;
    if (received !== watched.received || watched.unread > 0) {
      watched.received = received;
      watched.unread = sockets.unread(watched.fd);
    }
    return watched.held.sample(received - watched.unread, session);
  }

  #stopWatching(): void {
    this.#watches = false;
    this.#candidates = [];
    for (const session of this.#watched.keys()) session.unfinished(0);
  }

  #linger(bytes: number): void {
    const until = this.#gauges.now() + LINGER_MS;
    const last = this.#lingering.at(-1);
    if (last !== undefined && until - last.until < LINGER_STEP_MS) last.bytes += bytes;
    else this.#lingering.push({ until, bytes });
  }

  #endLingering(now: number): void {
    while (this.#lingering.length > 0 && this.#lingering[0]!.until <= now) {
      this.#worst -= this.#lingering.shift()!.bytes;
    }
  }

  #failed(error: unknown, now: number): void {
    this.#warn(messageOf(error));
    if (ownShortageOf(error) === null) {
      this.#blind = true;
      return;
    }
    // Clients can cause a shortage, so a shortage must not end the counting.
    this.#groupSize = Math.ceil(this.#groupSize / 2);
    this.#candidates = [];
    this.#endedUnknown = true;
    this.#nextLookUp = this.#nextFull = now + SLOW_MS;
  }

  #warn(reason: string): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#log.warn({ reason }, 'unfinished messages not counted in the buffer budget');
  }
}
