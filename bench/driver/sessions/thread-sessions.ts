import type { RandomPool } from '../../../src/core/random-pool.ts';
import { Backoff } from '../../../src/core/timing/backoff.ts';
import type { Plan } from '../../options/plan.ts';
import { isEncrypted, isWebSocket } from '../../options/target.ts';
import type { Dialler } from '../dialling/connection.ts';
import type { LivePage } from '../measuring/live-page.ts';
import type { Recorder } from '../measuring/recorder.ts';
import { FrameScanner } from '../scanning/frame-scanner.ts';
import { StreamScanner } from '../scanning/stream-scanner.ts';
import { HandshakeRequest } from './opening-handshake.ts';
import { Session, type SessionHost } from './session.ts';
import type { Sessions, Traffic } from './traffic.ts';

/**
 * Max connections that a thread opens at a time. More would only measure the target's accept queue, which
 * holds 511 connections with Node. If that queue is full, the kernel drops connections, and the client
 * resends its SYN after 1, 3 and 7 seconds.
 */
export const MAX_OPENING = 100;
const RAMP_TICK_MS = 5;
const SWEEP_MS = 100;
/** Max wait for the peer to close. */
const CLOSE_MS = 1000;
const REOPEN = { firstMs: 20, maxMs: 2000 };

export interface ThreadSessionsOptions {
  readonly plan: Plan;
  readonly count: number;
  readonly recorder: Recorder;
  readonly random: RandomPool;
  readonly page: LivePage;
  readonly thread: number;
  readonly traffic: Traffic;
  readonly dialler: Dialler;
}

/** Opens all connections of one thread, enforces their deadlines, and closes them. */
export class ThreadSessions implements Sessions {
  readonly all: readonly Session[];
  readonly #options: ThreadSessionsOptions;
  readonly #backoffs: readonly Backoff[];
  readonly #waiting = new Set<NodeJS.Timeout>();
  #sweeper: NodeJS.Timeout | null = null;
  #ramp: NodeJS.Timeout | null = null;
  #rampStart = 0;
  /** Sessions of the first opening: started, and settled (open or failed). */
  #begun = 0;
  #settled = 0;
  readonly #settledOnce: Uint8Array;
  #whenSettled: (() => void) | null = null;
  #whenClosed: (() => void) | null = null;
  #openCount = 0;
  /** Sessions that are not yet closed. */
  #alive = 0;
  #stopped = false;

  constructor(options: ThreadSessionsOptions) {
    this.#options = options;
    const { plan, recorder, random, dialler, traffic } = options;
    const { target } = plan;
    const host: SessionHost = {
      recorder,
      random,
      dialler,
      replyLengths: traffic.replyLengths,
      events: traffic,
      encrypted: isEncrypted(target.protocol),
      request: isWebSocket(target.protocol) ? new HandshakeRequest(plan) : null,
      newScanner: (sink) =>
        isWebSocket(target.protocol) ? new FrameScanner(sink, traffic.keptBytes) : new StreamScanner(sink),
      sessionOpened: (session) => this.#opened(session),
      sessionClosed: (session, wasOpen) => this.#closed(session, wasOpen),
    };
    this.all = Array.from({ length: options.count }, (_, index) => new Session(index, host));
    this.#settledOnce = new Uint8Array(options.count);
    this.#backoffs = this.all.map(() => new Backoff(REOPEN));
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS);
  }

  /** Opens every session, spread evenly over the plan's ramp. Resolves when each is open or has failed. */
  openAll(): Promise<void> {
    return new Promise((settle) => {
      this.#whenSettled = settle;
      this.#rampStart = this.#options.recorder.readClock();
      if (this.#options.plan.rampMs > 0) this.#ramp = setInterval(() => this.#openNext(), RAMP_TICK_MS);
      this.#openNext();
    });
  }

  open(session: Session): void {
    if (this.#stopped || session.state !== 'closed') return;
    this.#alive++;
    session.open();
  }

  openLater(session: Session): void {
    if (this.#stopped) return;
    const timer = setTimeout(() => {
      this.#waiting.delete(timer);
      this.open(session);
    }, this.#backoffs[session.index]!.next());
    this.#waiting.add(timer);
  }

  /** Stops opening and closes all sessions. Drops slow ones. Resolves when none remain. */
  closeAll(): Promise<void> {
    this.#stopped = true;
    if (this.#ramp !== null) clearInterval(this.#ramp);
    for (const timer of this.#waiting) clearTimeout(timer);
    for (const session of this.all) {
      if (session.state === 'open') session.close();
      else if (session.state === 'opening') session.abandon();
    }
    return new Promise((settle) => {
      this.#whenClosed = () => {
        if (this.#sweeper !== null) clearInterval(this.#sweeper);
        settle();
      };
      this.#checkClosed();
    });
  }

  #openNext(): void {
    const { plan, recorder } = this.#options;
    const all = this.all;
    const share = plan.rampMs === 0 ? 1 : (recorder.readClock() - this.#rampStart) / plan.rampMs;
    const due = Math.min(all.length, Math.floor(share * all.length) + 1);
    while (!this.#stopped && this.#begun < due && this.#begun - this.#settled < MAX_OPENING) {
      this.open(all[this.#begun++]!);
    }
    if (this.#begun === all.length && this.#ramp !== null) clearInterval(this.#ramp);
  }

  #opened(session: Session): void {
    this.#openCount++;
    this.#publish();
    this.#backoffs[session.index]!.reset();
    this.#settle(session);
    this.#options.traffic.opened(session);
  }

  #closed(session: Session, wasOpen: boolean): void {
    this.#alive--;
    if (wasOpen) this.#openCount--;
    this.#publish();
    this.#settle(session);
    const { traffic } = this.#options;
    traffic.closed(session, wasOpen);
    if (traffic.holdsConnections) this.openLater(session);
    this.#checkClosed();
  }

  /** Counts the first open or failure of a session, which makes room for the next session. */
  #settle(session: Session): void {
    if (this.#whenSettled === null || this.#settledOnce[session.index] === 1) return;
    this.#settledOnce[session.index] = 1;
    this.#settled++;
    this.#openNext();
    if (this.#settled === this.all.length) this.#whenSettled();
  }

  #publish(): void {
    this.#options.page.set(this.#options.thread, 'open', this.#openCount);
  }

  #checkClosed(): void {
    if (this.#alive === 0) this.#whenClosed?.();
  }

  /** Ends sessions past their deadline. */
  #sweep(): void {
    const { plan, recorder } = this.#options;
    const now = recorder.readClock();
    for (const session of this.all) {
      const idle = now - session.activeAt;
      switch (session.state) {
        case 'opening':
          if (idle > plan.timeoutMs) session.fail('timeout: opening');
          break;
        case 'open':
          if (idle > plan.timeoutMs && session.sent.length > 0) session.fail('timeout: no reply');
          break;
        case 'closing':
        case 'ended':
          if (idle > CLOSE_MS) session.abandon();
          break;
        case 'closed':
      }
    }
  }
}
