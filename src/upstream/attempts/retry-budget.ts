/** Seconds of traffic that count. */
const WINDOW_S = 10;

interface RetryBudgetOptions {
  /** Retries allowed for each hundred connections. */
  readonly percent: number;
  /** Retries allowed in each second, however little traffic there is. */
  readonly minPerSecond: number;
}

/**
 * Bounds retries by the traffic of the last ten seconds, so that a failing endpoint cannot multiply the load of the others
 * (Finagle's retry budget). Each worker has its own, and so the bound holds for all together.
 */
export class RetryBudget {
  readonly #options: RetryBudgetOptions;
  readonly #clock: () => number;
  readonly #connections = new Float64Array(WINDOW_S);
  readonly #retries = new Float64Array(WINDOW_S);
  #sums = { connections: 0, retries: 0 };
  #second: number;

  /** @param clock milliseconds, monotonic */
  constructor(options: RetryBudgetOptions, clock: () => number) {
    this.#options = options;
    this.#clock = clock;
    this.#second = Math.floor(clock() / 1000);
  }

  /** Counts a new connection. */
  deposit(): void {
    this.#turn();
    this.#connections[this.#second % WINDOW_S]! += 1;
    this.#sums.connections++;
  }

  /** Takes one retry; returns false if none is left. */
  withdraw(): boolean {
    this.#turn();
    const { percent, minPerSecond } = this.#options;
    const allowed = minPerSecond * WINDOW_S + (this.#sums.connections * percent) / 100;
    if (this.#sums.retries + 1 > allowed) return false;
    this.#retries[this.#second % WINDOW_S]! += 1;
    this.#sums.retries++;
    return true;
  }

  /** Subtracts the seconds that have left the window. */
  #turn(): void {
    const now = Math.floor(this.#clock() / 1000);
    if (now === this.#second) return;
    for (let turns = Math.min(WINDOW_S, now - this.#second); turns > 0; turns--) {
      const index = (now - turns + 1) % WINDOW_S;
      this.#sums.connections -= this.#connections[index]!;
      this.#sums.retries -= this.#retries[index]!;
      this.#connections[index] = this.#retries[index] = 0;
    }
    this.#second = now;
  }
}
