/** Max endpoints of a cluster whose changes are published right after the turn. */
const MAX_ENDPOINTS_AT_ONCE = 256;
/** Time to collect changes in a larger cluster, per endpoint: 0.4 s for 4,096 endpoints. */
const GATHER_MS_PER_ENDPOINT = 0.1;

/** Timers of the event loop. Tests inject fakes. */
interface Timers {
  readonly setImmediate: (run: () => void) => unknown;
  readonly setTimeout: (run: () => void, ms: number) => unknown;
}

const TIMERS: Timers = {
  setImmediate: (run) => setImmediate(run),
  setTimeout: (run, ms) => setTimeout(run, ms).unref(),
};

/**
 * Publishes all changes of a turn together. Each publication clones the cluster's state for every worker, so
 * large clusters collect changes for longer.
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
   * Schedules a publication, which never happens during this call.
   *
   * @param endpoints number of the cluster's endpoints
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
