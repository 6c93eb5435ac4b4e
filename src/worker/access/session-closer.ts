import { Timed, type TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { RelaySession } from '../../l7/contract/relay.ts';

/** Max milliseconds of closing per turn, because other sessions of the worker wait. */
const MAX_SLICE_MS = 10;
/** The tick of the wheel. */
const TURN_MS = 100;
/** Sessions to close between two reads of the clock. */
const SESSIONS_PER_CHECK = 16;

/** The sessions that one command closes. */
interface Order {
  readonly sessions: readonly Pick<RelaySession, 'close'>[];
  readonly code: number;
  readonly reason: string;
  /** Index of the next session to close. */
  next: number;
}

/** Closes sessions in slices of a few milliseconds: a principal may have 100,000 sessions. */
export class SessionCloser extends Timed {
  readonly #wheel: TimerWheel;
  /** Milliseconds, monotonic. */
  readonly #clock: () => number;
  readonly #orders: Order[] = [];

  constructor(wheel: TimerWheel, clock = (): number => performance.now()) {
    super();
    this.#wheel = wheel;
    this.#clock = clock;
  }

  /**
   * Closes sessions after those of earlier calls. The first slice runs at once. Ended sessions are skipped.
   */
  close(sessions: Order['sessions'], code: number, reason: string): void {
    if (sessions.length === 0) return;
    this.#orders.push({ sessions, code, reason, next: 0 });
    if (this.wheelTick < 0) this.expire();
  }

  override expire(): void {
    const end = this.#clock() + MAX_SLICE_MS;
    for (let [order] = this.#orders; order !== undefined; [order] = this.#orders) {
      const { sessions, code, reason } = order;
      while (order.next < sessions.length) {
        const stop = Math.min(order.next + SESSIONS_PER_CHECK, sessions.length);
        while (order.next < stop) sessions[order.next++]?.close(code, reason);
        if (this.#clock() < end) continue;
        this.#wheel.arm(this, TURN_MS);
        return;
      }
      this.#orders.shift();
    }
  }
}
