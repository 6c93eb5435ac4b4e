import type { ThreadCpuClock } from '../../sys/thread-cpu-clock.ts';
import { TICK_MS } from '../../core/timing/timer-wheel.ts';

/** The clocks of a thread, in milliseconds. */
export interface BudgetClock {
  /** Monotonic. */
  readonly now: () => number;
  readonly cpu: ThreadCpuClock;
}

/** Min uncertainty before reading the thread's CPU clock, which costs a system call. */
const MIN_UNCERTAINTY_MS = 0.5;

/**
 * Limits the CPU time of a kind of work. The budget refills continuously, not per tick, so that a flood of
 * work causes many short stops instead of a long one. Unused time is saved up, so that rare work is never
 * refused because its code is cold.
 *
 * Work is measured on the monotonic clock, which is cheap but also runs while other processes have the CPU.
 * The time spent is corrected to at most the thread's CPU time.
 */
export class TapBudget {
  readonly #budgetMs: number;
  readonly #maxLeftMs: number;
  readonly #clock: BudgetClock;
  /** Below 0 after an overdraft, which is paid back first. */
  #leftMs: number;
  #filledAt: number;
  #begunAt = 0;
  /** Time spent since `#cpuBefore`, on the monotonic clock. */
  #uncertainMs = 0;
  /** CPU time of the thread when `#uncertainMs` was 0. */
  #cpuBefore: number;

  /**
   * @param budgetMs milliseconds per {@link TICK_MS}
   * @param ticks max budgets saved up; work may use them all at once
   */
  constructor(budgetMs: number, ticks: number, clock: BudgetClock) {
    this.#budgetMs = budgetMs;
    this.#maxLeftMs = this.#leftMs = budgetMs * ticks;
    this.#clock = clock;
    this.#filledAt = clock.now();
    this.#cpuBefore = clock.cpu.now();
  }

  /**
   * Starts a piece of work. Returns false if the budget is exhausted: the work must not run.
   *
   * @param overdraftMs time that the work may use beyond the budget, paid back later
   */
  begin(overdraftMs = 0): boolean {
    const now = this.#clock.now();
    this.#begunAt = now;
    this.#fill(now);
    return !this.#hasSpent(overdraftMs);
  }

  /**
   * Whether the current piece of work has exhausted the budget. It counts as ended and restarted.
   *
   * @param overdraftMs see {@link begin}
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

  /**
   * Compares the time spent with the thread's CPU time. Must be called in each tick: later it proves less.
   */
  measure(): void {
    const { now, maxErrorMs } = this.#clock.cpu;
    const cpu = now();
    this.#leftMs += Math.max(0, this.#uncertainMs - (cpu - this.#cpuBefore) - maxErrorMs);
    this.#uncertainMs = 0;
    this.#cpuBefore = cpu;
  }

  #fill(now: number): void {
    const filled = this.#leftMs + ((now - this.#filledAt) * this.#budgetMs) / TICK_MS;
    this.#leftMs = Math.min(this.#maxLeftMs, filled);
    this.#filledAt = now;
  }

  #spend(ms: number): void {
    this.#leftMs -= ms;
    this.#uncertainMs += ms;
  }

  #hasSpent(overdraftMs: number): boolean {
    if (this.#leftMs > -overdraftMs) return false;
    if (this.#uncertainMs < MIN_UNCERTAINTY_MS) return true;
    this.measure();
    return this.#leftMs <= -overdraftMs;
  }
}
