import type { OutlierFailure } from '../config/types.ts';
import type { Endpoint } from './endpoint.ts';

/** Reports of one kind about one endpoint that go out at once, and the time until another may. */
const BURST = 20;
const EVERY_MS = 100;

interface Allowance {
  reports: number;
  at: number;
  /** Failures that have not been reported. */
  held: number;
}

/**
 * Bounds how often one worker reports an endpoint's failures to the primary, whatever clients do. What is held back is
 * counted in the next report.
 */
export class FailureReports {
  readonly #clock: () => number;
  readonly #allowances = new WeakMap<Endpoint, Map<OutlierFailure, Allowance>>();

  /** @param clock milliseconds, monotonic */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Counts a failure; returns how many to report now, 0 for none. */
  take(endpoint: Endpoint, kind: OutlierFailure): number {
    const now = this.#clock();
    const allowance = this.#of(endpoint, kind, now);
    allowance.reports = Math.min(BURST, allowance.reports + (now - allowance.at) / EVERY_MS);
    allowance.at = now;
    allowance.held++;
    if (allowance.reports < 1) return 0;
    allowance.reports--;
    const count = allowance.held;
    allowance.held = 0;
    return count;
  }

  #of(endpoint: Endpoint, kind: OutlierFailure, now: number): Allowance {
    let kinds = this.#allowances.get(endpoint);
    if (kinds === undefined) this.#allowances.set(endpoint, (kinds = new Map<OutlierFailure, Allowance>()));
    let allowance = kinds.get(kind);
    if (allowance === undefined) kinds.set(kind, (allowance = { reports: BURST, at: now, held: 0 }));
    return allowance;
  }
}
