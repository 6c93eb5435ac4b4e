import { TimerWheel, type Timed } from './timer-wheel.ts';

/**
 * Milliseconds of a tick, the max lateness of a deadline. Entries of one tick expire in one turn of the loop.
 */
const TICK_MS = 20;

/** Timers and the monotonic clock of Node's loop, replaceable in tests. */
export interface LoopTimers<Handle = unknown> {
  /** Milliseconds. */
  now(): number;
  setTimeout(run: () => void, ms: number): Handle;
  clearTimeout(handle: Handle): void;
}

const TIMERS: LoopTimers<NodeJS.Timeout> = {
  now: () => performance.now(),
  setTimeout: (run, ms) => setTimeout(run, ms).unref(),
  clearTimeout: (handle) => clearTimeout(handle),
};

/**
 * A timer wheel in Node's loop: any number of deadlines share one timer. The timer sleeps until the next
 * deadline, and exists only while there are deadlines. It does not keep the process alive.
 */
export class LoopWheel {
  readonly #timers: LoopTimers;
  readonly #wheel: TimerWheel;
  #timer: unknown = null;
  /** Time at which the timer fires; Infinity without one. */
  #wakesAt = Infinity;
  #isAdvancing = false;

  constructor(timers: LoopTimers = TIMERS) {
    this.#timers = timers;
    this.#wheel = new TimerWheel(timers.now(), TICK_MS);
  }

  /** Sets the entry's deadline to `ms` milliseconds from now, replacing an armed one. */
  arm(entry: Timed, ms: number): void {
    this.#wheel.now = this.#timers.now();
    this.#wheel.arm(entry, ms);
    if (!this.#isAdvancing) this.#wakeAt(this.#wheel.dueAt(entry));
  }

  /** Disarms the entry's deadline. Does nothing without a deadline. */
  disarm(entry: Timed): void {
    this.#wheel.disarm(entry);
  }

  /** Makes the timer fire at a time, unless it fires earlier. */
  #wakeAt(time: number): void {
    if (time >= this.#wakesAt) return;
    if (this.#timer !== null) this.#timers.clearTimeout(this.#timer);
    this.#wakesAt = time;
    // Node's timers have whole milliseconds, and may fire a fraction of one early.
    const ms = Math.max(1, Math.ceil(time - this.#timers.now() + 1));
    this.#timer = this.#timers.setTimeout(() => this.#advance(), ms);
  }

  #advance(): void {
    this.#timer = null;
    this.#wakesAt = Infinity;
    this.#isAdvancing = true;
    try {
      this.#wheel.advance(this.#timers.now());
    } finally {
      this.#isAdvancing = false;
      this.#wakeAt(this.#wheel.idleUntil());
    }
  }
}
