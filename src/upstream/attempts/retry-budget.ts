/** Length of the traffic window in seconds. */
const WINDOW_SECONDS = 10;

interface RetryBudgetOptions {
  /** Retries allowed per hundred connections. */
  readonly percent: number;
  /** Retries allowed per second, however little traffic there is. */
  readonly minPerSecond: number;
}

/**
 * Limits retries to a share of the last ten seconds' connections (Finagle's retry budget). A failing endpoint
 * then cannot multiply the load of the others. Each worker has its own budget, so the limit holds for all
 * workers together.
 */
export class RetryBudget {
  readonly #options: RetryBudgetOptions;
  readonly #clock: () => number;
  readonly #connections = new Float64Array(WINDOW_SECONDS);
  readonly #retries = new Float64Array(WINDOW_SECONDS);
  #sums = { connections: 0, retries: 0 };
  #second: number;

  /** @param clock milliseconds on the monotonic clock */
  constructor(options: RetryBudgetOptions, clock: () => number) {
    this.#options = options;
    this.#clock = clock;
    this.#second = Math.floor(clock() / 1000);
  }

  /** Counts a new connection. */
  deposit(): void {
    this.#advance();
    this.#connections[this.#second % WINDOW_SECONDS]! += 1;
    this.#sums.connections++;
  }

  /** Takes one retry. Returns false if none is left. */
  withdraw(): boolean {
    this.#advance();
    const { percent, minPerSecond } = this.#options;
    const allowed = minPerSecond * WINDOW_SECONDS + (this.#sums.connections * percent) / 100;
    if (this.#sums.retries + 1 > allowed) return false;
    this.#retries[this.#second % WINDOW_SECONDS]! += 1;
    this.#sums.retries++;
    return true;
  }

  /** Subtracts the seconds that have left the window. */
  #advance(): void {
    const now = Math.floor(this.#clock() / 1000);
    if (now === this.#second) return;
    for (let turns = Math.min(WINDOW_SECONDS, now - this.#second); turns > 0; turns--) {
      const index = (now - turns + 1) % WINDOW_SECONDS;
      this.#sums.connections -= this.#connections[index]!;
      this.#sums.retries -= this.#retries[index]!;
      this.#connections[index] = this.#retries[index] = 0;
    }
    this.#second = now;
  }
}
