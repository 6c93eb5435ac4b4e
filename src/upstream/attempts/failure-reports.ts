import type { OutlierFailure } from '../../config/types/cluster.ts';
import { BurstLimit } from '../../core/timing/burst-limit.ts';
import { networkOf } from '../../wire/ip-address.ts';
import type { Endpoint } from '../endpoint.ts';

/**
 * Rate limit of reports of one kind about one endpoint. Clients reported recently and other clients each have
 * their own.
 */
const REPORT_LIMIT = { burst: 20, everyMs: 100 };
/** Time that a client counts as recently reported: half of the shortest window of outlier detection. */
const RECENTLY_REPORTED_MS = 500;

/**
 * Limits the rate at which one worker reports an endpoint's failures to the primary. The next report includes
 * the failures held back.
 *
 * Clients reported recently have a separate limit, because the primary counts distinct clients. Otherwise the
 * first clients of each burst would use up the reports of all others.
 */
export class FailureReports {
  readonly #clock: () => number;
  readonly #limits = new WeakMap<Endpoint, Map<OutlierFailure, KindReports>>();

  /** @param clock milliseconds on the monotonic clock */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /**
   * Counts a client's failure. Returns how many failures to report now, 0 for none.
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
  /** Networks reported since {@link #since}. The rate limit bounds their number. */
  readonly #reported = new Set<string>();
  #since: number;

  constructor(clock: () => number) {
    this.#clock = clock;
    this.#others = new BurstLimit(clock, REPORT_LIMIT);
    this.#again = new BurstLimit(clock, REPORT_LIMIT);
    this.#since = clock();
  }

  take(network: string): number {
    const now = this.#clock();
    if (now - this.#since >= RECENTLY_REPORTED_MS) {
      this.#since = now;
      this.#reported.clear();
    }
    if (this.#reported.has(network)) return this.#again.take();
    const count = this.#others.take();
    if (count > 0) this.#reported.add(network);
    return count;
  }
}
