import type { OutlierFailure } from '../../config/types/cluster.ts';
import { BurstLimit } from '../../core/timing/burst-limit.ts';
import { networkOf } from '../../wire/ip-address.ts';
import type { Endpoint } from '../endpoint.ts';

/** Limits the reports of one kind about one endpoint, apart for clients that have just been reported and for others. */
const REPORTS = { burst: 20, everyMs: 100 };
/** How long a client counts as just reported; half of the shortest window of the outlier detection. */
const REPORTED_MS = 500;

/**
 * Limits how often one worker reports an endpoint's failures to the primary. The next report counts the failures that
 * were held back.
 *
 * Clients that have just been reported have a limit of their own: the primary counts clients, and those that fail first in
 * each burst would otherwise use up the reports of all others.
 */
export class FailureReports {
  readonly #clock: () => number;
  readonly #limits = new WeakMap<Endpoint, Map<OutlierFailure, KindReports>>();

  /** @param clock milliseconds, monotonic */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /**
   * Counts a failure that a client has met; returns how many to report now, 0 for none.
   *
   * @param client an IP address, or an empty string
   */
  take(endpoint: Endpoint, kind: OutlierFailure, client: string): number {
    let kinds = this.#limits.get(endpoint);
    if (kinds === undefined) this.#limits.set(endpoint, (kinds = new Map<OutlierFailure, KindReports>()));
    let reports = kinds.get(kind);
    if (reports === undefined) kinds.set(kind, (reports = new KindReports(this.#clock)));
    return reports.take(networkOf(client));
  }
}

class KindReports {
  readonly #clock: () => number;
  readonly #others: BurstLimit;
  readonly #again: BurstLimit;
  /** Networks reported since {@link #since}; the limit of reports bounds them. */
  readonly #reported = new Set<string>();
  #since: number;

  constructor(clock: () => number) {
    this.#clock = clock;
    this.#others = new BurstLimit(clock, REPORTS);
    this.#again = new BurstLimit(clock, REPORTS);
    this.#since = clock();
  }

  take(network: string): number {
    const now = this.#clock();
    if (now - this.#since >= REPORTED_MS) {
      this.#since = now;
      this.#reported.clear();
    }
    if (this.#reported.has(network)) return this.#again.take();
    const count = this.#others.take();
    if (count > 0) this.#reported.add(network);
    return count;
  }
}
