/** Max endpoints of a cluster whose changes are published in the same turn. */
const MAX_ENDPOINTS_AT_ONCE = 256;
/** Time that a larger cluster gathers changes, for each endpoint: 0.4 s for 4,096. */
const GATHER_MS_PER_ENDPOINT = 0.1;

/** Timers of the event loop; a test brings its own. */
interface Timers {
  readonly setImmediate: (run: () => void) => unknown;
  readonly setTimeout: (run: () => void, ms: number) => unknown;
}

const TIMERS: Timers = {
  setImmediate: (run) => setImmediate(run),
  setTimeout: (run, ms) => setTimeout(run, ms).unref(),
};

/**
 * Publishes all changes of a turn at once. Each publication clones the cluster's state for every worker, so a large
 * cluster gathers changes for longer.
 */
export class Publication {
  readonly #publish: () => void;
  readonly #timers: Timers;
  #isScheduled = false;
  #isStopped = false;

  constructor(publish: () => void, timers: Timers = TIMERS) {
    this.#publish = publish;
    this.#timers = timers;
  }

  /**
   * Has a change published, always later than this call.
   *
   * @param endpoints the size of the cluster
   */
  schedule(endpoints: number): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const run = (): void => {
      this.#isScheduled = false;
      if (!this.#isStopped) this.#publish();
    };
    if (endpoints <= MAX_ENDPOINTS_AT_ONCE) this.#timers.setImmediate(run);
    else this.#timers.setTimeout(run, endpoints * GATHER_MS_PER_ENDPOINT);
  }

  stop(): void {
    this.#isStopped = true;
  }
}
