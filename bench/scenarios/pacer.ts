import { monotonicNow } from '../driver/measuring/clock.ts';

/** Sends messages when they are due. */
export interface Paced {
  /**
   * Sends the message that is due at `intended`.
   *
   * @returns false if nothing can be sent now. {@link Pacer.poke} retries.
   */
  sendDue(intended: number): boolean;
}

export interface PacerOptions {
  readonly intervalMs: number;
  /** Delay of the first due message after the start, so that threads take turns. */
  readonly phaseMs: number;
  readonly paced: Paced;
  /** See `Dialler.soon`. */
  readonly soon: (callback: () => void) => void;
}

/** Time before a due message at which the thread starts to watch the clock. Timers are up to 2 ms late. */
const WATCH_MS = 2.5;

/**
 * The timetable of an open loop. Message k is due at start + k * interval, whatever happened to earlier
 * messages. Shortly before a due time, the thread turns its event loop without sleeping: no timer is exact
 * enough.
 */
export class Pacer {
  readonly #intervalMs: number;
  readonly #phaseMs: number;
  readonly #paced: Paced;
  readonly #soon: (callback: () => void) => void;
  #start = 0;
  #until = Infinity;
  #sent = 0;
  #due = Infinity;
  #blocked = false;
  #running = false;
  #timer: NodeJS.Timeout | null = null;

  constructor({ intervalMs, phaseMs, paced, soon }: PacerOptions) {
    this.#intervalMs = intervalMs;
    this.#phaseMs = phaseMs;
    this.#paced = paced;
    this.#soon = soon;
  }

  /** Starts the timetable. Times are on the monotonic clock. */
  begin(start: number, until: number): void {
    this.#start = start + this.#phaseMs;
    this.#until = until;
    this.#due = this.#start;
    this.#running = true;
    this.#tick();
  }

  /** Moves the end of the timetable to an earlier time. Messages due before it are still sent. */
  endAt(until: number): void {
    this.#until = Math.min(this.#until, until);
  }

  /** Tries again. Called when room becomes available. */
  poke(): void {
    if (!this.#blocked || !this.#running) return;
    this.#blocked = false;
    this.#tick();
  }

  /** Number of messages that are due but not sent. */
  get backlog(): number {
    if (!this.#running) return 0;
    const now = Math.min(monotonicNow(), this.#until);
    return Math.max(0, Math.ceil((now - this.#start) / this.#intervalMs) - this.#sent);
  }

  /** Stops, and reports the due time of each unsent message. */
  giveUp(unsent: (intended: number) => void): void {
    for (let left = this.backlog; left > 0; left--) {
      unsent(this.#due);
      this.#advance();
    }
    this.#running = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #advance(): void {
    this.#sent++;
    // Computed from the start, so that rounding errors do not add up.
    this.#due = this.#start + this.#sent * this.#intervalMs;
  }

  readonly #tick = (): void => {
    this.#timer = null;
    if (!this.#running || this.#blocked) return;
    const now = monotonicNow();
    while (this.#due <= now && this.#due < this.#until) {
      if (!this.#paced.sendDue(this.#due)) {
        this.#blocked = true;
        return;
      }
      this.#advance();
    }
    if (this.#due >= this.#until) return;
    const wait = this.#due - now;
    if (wait <= WATCH_MS) this.#soon(this.#tick);
    else this.#timer = setTimeout(this.#tick, Math.min(wait - WATCH_MS, 1000));
  };
}
