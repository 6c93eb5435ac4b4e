import type { OutlierFailure } from '../config/types.ts';
import { BurstLimit } from '../core/burst-limit.ts';
import type { Endpoint } from './endpoint.ts';

/** Reports of one kind about one endpoint. */
const REPORTS = { burst: 20, everyMs: 100 };

/**
 * Limits how often one worker reports an endpoint's failures to the primary. The next report counts the failures that
 * were held back.
 */
export class FailureReports {
  readonly #clock: () => number;
  readonly #limits = new WeakMap<Endpoint, Map<OutlierFailure, BurstLimit>>();

  /** @param clock milliseconds, monotonic */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Counts a failure; returns how many to report now, 0 for none. */
  take(endpoint: Endpoint, kind: OutlierFailure): number {
    let kinds = this.#limits.get(endpoint);
    if (kinds === undefined) this.#limits.set(endpoint, (kinds = new Map<OutlierFailure, BurstLimit>()));
    let limit = kinds.get(kind);
    if (limit === undefined) kinds.set(kind, (limit = new BurstLimit(this.#clock, REPORTS)));
    return limit.take();
  }
}
