import type { Family } from '../../telemetry/exposition/family.ts';
import { ADMIN_CLOSES, ADMIN_REFUSALS } from '../../telemetry/metrics/label-values.ts';
import { primaryMetrics } from '../../telemetry/metrics/primary-metrics.ts';

export type AdminRefusal = (typeof ADMIN_REFUSALS)[number];
type AdminClose = (typeof ADMIN_CLOSES)[number];

/** Counts what the admin server refuses and closes. */
export class AdminStats {
  readonly families: readonly Family[];
  /** Connections open now. */
  connections = 0;
  readonly #refused = new Map<AdminRefusal, number>(ADMIN_REFUSALS.map((reason) => [reason, 0]));
  readonly #closed = new Map<AdminClose, number>(ADMIN_CLOSES.map((reason) => [reason, 0]));

  constructor() {
    this.families = [
      {
        metric: primaryMetrics.adminConnections,
        read: () => [{ labels: {}, value: this.connections }],
      },
      { metric: primaryMetrics.adminCloses, read: () => samples(this.#closed) },
      { metric: primaryMetrics.adminRefusals, read: () => samples(this.#refused) },
    ];
  }

  countRefused(reason: AdminRefusal): void {
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
  }

  countClosed(reason: AdminClose): void {
    this.#closed.set(reason, (this.#closed.get(reason) ?? 0) + 1);
  }
}

function samples(counts: ReadonlyMap<string, number>): ReturnType<Family['read']> {
  return Array.from(counts, ([reason, value]) => ({ labels: { reason }, value }));
}
