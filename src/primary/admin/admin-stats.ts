import type { Family } from '../../telemetry/exposition/family.ts';
import { ADMIN_CLOSES, ADMIN_REFUSALS } from '../../telemetry/metrics/label-values.ts';
import { primaryMetrics } from '../../telemetry/metrics/primary-metrics.ts';
import type { LiveFrame } from '../../protocol/admin/live.ts';
import type { LiveFeed } from './live/live-feed.ts';

export type AdminRefusal = (typeof ADMIN_REFUSALS)[number];
type AdminClose = (typeof ADMIN_CLOSES)[number];

/** Counts the connections, refusals and closes of the admin server. */
export class AdminStats {
  readonly families: readonly Family[];
  /** Number of open connections. */
  connections = 0;
  /** Readers of `/live`. The admin server sets this field. */
  live: Pick<LiveFeed, 'readers' | 'skipped'> = { readers: 0, skipped: 0 };
  readonly #refused = new Map<AdminRefusal, number>(ADMIN_REFUSALS.map((reason) => [reason, 0]));
  readonly #closed = new Map<AdminClose, number>(ADMIN_CLOSES.map((reason) => [reason, 0]));

  constructor() {
    this.families = [
      {
        metric: primaryMetrics.adminConnections,
        read: () => [{ labels: {}, value: this.connections }],
      },
      {
        metric: primaryMetrics.adminLiveReaders,
        read: () => [{ labels: {}, value: this.live.readers }],
      },
      {
        metric: primaryMetrics.adminLiveSkipped,
        read: () => [{ labels: {}, value: this.live.skipped }],
      },
      { metric: primaryMetrics.adminCloses, read: () => samples(this.#closed) },
      { metric: primaryMetrics.adminRefusals, read: () => samples(this.#refused) },
    ];
  }

  /** Refused requests by reason, for a live frame. */
  get refusals(): LiveFrame['errors'] {
    return Array.from(this.#refused, ([reason, count]) => ({ kind: 'admin', reason, count }));
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
