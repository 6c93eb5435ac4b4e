import { TapBudget, type BudgetClock } from './tap-budget.ts';

/** CPU time of a worker for walks, in milliseconds per tick of 100 ms. It is not saved up. */
const WALKS_BUDGET_MS = 2;

/**
 * A walk over open sessions and tunnels, in steps of some ten microseconds. After a step it may continue
 * (`more`), or has to wait for the next tick (`full`).
 */
export type Walk = Generator<'more' | 'full', void, undefined>;

/** Runs walks within a budget of CPU time. */
export class PacedWalks {
  readonly #budget: TapBudget;
  readonly #now: () => number;
  readonly #onFault: (error: unknown) => void;
  /** Walks that may continue. They alternate. */
  readonly #ready: Walk[] = [];
  /** Walks that wait for the next tick. */
  readonly #full: Walk[] = [];

  /** @param onFault called with the exception of a walk, which then ends */
  constructor(clock: BudgetClock, onFault: (error: unknown) => void) {
    this.#budget = new TapBudget(WALKS_BUDGET_MS, 1, clock);
    this.#now = clock.now;
    this.#onFault = onFault;
  }

  get isEmpty(): boolean {
    return this.#ready.length + this.#full.length === 0;
  }

  add(walk: Walk): void {
    this.#ready.push(walk);
  }

  /** Starts a tick: all walks may continue. */
  renew(): void {
    this.#budget.measure();
    this.#ready.push(...this.#full.splice(0));
  }

  /**
   * Continues the walks until a time, as far as the budget allows.
   *
   * @param time on the thread's monotonic clock
   * @returns false if they may continue in this tick
   */
  continueUntil(time: number): boolean {
    while (this.#ready.length > 0 && this.#budget.begin()) {
      const walk = this.#ready.shift()!;
      const step = this.#stepOf(walk);
      this.#budget.end();
      if (step === 'full') this.#full.push(walk);
      else if (step === 'more') this.#ready.push(walk);
      if (this.#now() >= time) return false;
    }
    return true;
  }

  /** Runs one step. Returns null at the end of the walk. */
  #stepOf(walk: Walk): 'more' | 'full' | null {
    try {
      const { value, done } = walk.next();
      return done === true ? null : value;
    } catch (error) {
      this.#onFault(error);
      return null;
    }
  }
}
