import type { Logger } from './logger.ts';
import { ACCEPT_FAILURES, REJECT_REASONS } from './metrics/label-values.ts';
import { pageMetrics } from './metrics/page-metrics.ts';
import type { StatsPage } from './stats-page.ts';

type AcceptFailure = (typeof ACCEPT_FAILURES)[number];
type RejectReason = (typeof REJECT_REASONS)[number];

/** Counts the downstream connections of one listener in one worker. */
export class ConnectionStats {
  readonly #values: Float64Array;
  readonly #all: readonly Float64Array[];
  readonly #listener: string;
  readonly #active: number;
  readonly #total: number;
  readonly #rejectedSlots: ReadonlyMap<RejectReason, number>;
  readonly #acceptFailures: ReadonlyMap<AcceptFailure, number>;

  /** @param all values of every worker's page, including this one: limits apply to all workers together */
  constructor(page: StatsPage, all: readonly Float64Array[], listener: string) {
    this.#values = page.values;
    this.#all = all;
    this.#listener = listener;
    this.#active = page.slot(pageMetrics.connectionsActive, { listener });
    this.#total = page.slot(pageMetrics.connections, { listener });
    this.#rejectedSlots = new Map(
      REJECT_REASONS.map((reason) => [
        reason,
        page.slot(pageMetrics.connectionsRejected, { listener, reason }),
      ]),
    );
    this.#acceptFailures = new Map(
      ACCEPT_FAILURES.map((reason) => [reason, page.slot(pageMetrics.acceptFailures, { listener, reason })]),
    );
  }

  /** Number of open connections in all workers. */
  get active(): number {
    let sum = 0;
    for (const values of this.#all) sum += values[this.#active]!;
    return sum;
  }

  /** Counts an accepted connection, open until {@link closed}. */
  opened(): void {
    this.#values[this.#active]! += 1;
    this.#values[this.#total]! += 1;
  }

  /** Counts the end of an accepted connection. */
  closed(): void {
    this.#values[this.#active]! -= 1;
  }

  /** Counts a connection closed before it is served. */
  rejected(reason: RejectReason): void {
    this.#values[this.#rejectedSlots.get(reason)!]! += 1;
  }

  /**
   * Counts a failed accept, and logs the first in a row. See `AcceptorOwner.acceptFailed`
   * (`transport/acceptor.ts`) for parameters and result.
   */
  acceptFailed(log: Logger, code: string, isFirst: boolean): boolean {
    const reason = acceptFailureOf(code);
    this.#values[this.#acceptFailures.get(reason)!]! += 1;
    if (reason === 'aborted') return true;
    if (isFirst) log.error({ listener: this.#listener, code, reason }, 'accept failed');
    return false;
  }
}

function acceptFailureOf(code: string): AcceptFailure {
  switch (code) {
    case 'EMFILE':
      return 'process_limit';
    case 'ENFILE':
      return 'system_limit';
    case 'ENOMEM':
    case 'ENOBUFS':
      return 'memory';
    // Errors of a connection before it was accepted (accept(2), Linux).
    case 'ECONNABORTED':
    case 'ENETDOWN':
    case 'EPROTO':
    case 'ENOPROTOOPT':
    case 'EHOSTDOWN':
    case 'ENONET':
    case 'EHOSTUNREACH':
    case 'EOPNOTSUPP':
    case 'ENETUNREACH':
    case 'EPERM':
      return 'aborted';
    default:
      return 'other';
  }
}
