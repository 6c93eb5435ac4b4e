import { TICK_MS } from '../../core/timing/timer-wheel.ts';

/** The clocks of a thread, in milliseconds. */
export interface BudgetClock {
  /** Monotonic. */
  readonly now: () => number;
  /** CPU time of the thread. It costs a system call. */
  readonly cpu: () => number;
}

/** Time that must be in doubt before it is worth a look at the thread's CPU time. */
const MIN_DOUBT_MS = 0.5;

/**
 * Bounds the CPU time of a kind of work. It fills up all the time, and not once a tick, so that a flood of work becomes many
 * short stops, and not a long one. What is not used is saved up, so that rare work is never refused because its code is
 * cold. Work is measured by the monotonic clock, which is cheap but also runs while other processes have the CPU: what is
 * spent is at most the thread's CPU time.
 */
export class TapBudget {
  readonly #budgetMs: number;
  readonly #maxLeftMs: number;
  readonly #clock: BudgetClock;
  /** Below 0 if work has used more than was left: it is paid off first. */
  #leftMs: number;
  #filledAt: number;
  #begunAt = 0;
  /** Spent by the monotonic clock since `#cpuBefore`. */
  #doubtMs = 0;
  /** CPU time of the thread when `#doubtMs` was 0. */
  #cpuBefore: number;

  /**
   * @param budgetMs milliseconds in each {@link TICK_MS}
   * @param ticks budgets that can be saved up: work may use them all at once
   */
  constructor(budgetMs: number, ticks: number, clock: BudgetClock) {
    this.#budgetMs = budgetMs;
    this.#maxLeftMs = this.#leftMs = budgetMs * ticks;
    this.#clock = clock;
    this.#filledAt = clock.now();
    this.#cpuBefore = clock.cpu();
  }

  /**
   * Begins a piece of work. Returns false if nothing is left: then there must be none.
   *
   * @param overdraftMs what the work may use beyond that: it is paid off later
   */
  begin(overdraftMs = 0): boolean {
    const now = this.#clock.now();
    this.#begunAt = now;
    this.#fill(now);
    return !this.#hasSpent(overdraftMs);
  }

  /**
   * Whether the piece of work under way has used up what was left. It counts as ended and begun again.
   *
   * @param overdraftMs as for {@link begin}
   */
  isOver(overdraftMs = 0): boolean {
    const now = this.#clock.now();
    this.#spend(now - this.#begunAt);
    this.#begunAt = now;
    this.#fill(now);
    return this.#hasSpent(overdraftMs);
  }

  /** Ends a piece of work. */
  end(): void {
    this.#spend(this.#clock.now() - this.#begunAt);
  }

  /** Compares what has been spent with the CPU time of the thread. To be called in each tick: later it proves less. */
  measure(): void {
    const cpu = this.#clock.cpu();
    this.#leftMs += Math.max(0, this.#doubtMs - (cpu - this.#cpuBefore));
    this.#doubtMs = 0;
    this.#cpuBefore = cpu;
  }

  #fill(now: number): void {
    const filled = this.#leftMs + ((now - this.#filledAt) * this.#budgetMs) / TICK_MS;
    this.#leftMs = Math.min(this.#maxLeftMs, filled);
    this.#filledAt = now;
  }

  #spend(ms: number): void {
    this.#leftMs -= ms;
    this.#doubtMs += ms;
  }

  #hasSpent(overdraftMs: number): boolean {
    if (this.#leftMs > -overdraftMs) return false;
    if (this.#doubtMs < MIN_DOUBT_MS) return true;
    this.measure();
    return this.#leftMs <= -overdraftMs;
  }
}
