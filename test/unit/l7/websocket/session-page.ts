/** A stats page with the counters of the sessions of one route. */
import {
  CLOSE_CODES,
  CLOSE_SIDES,
  DIRECTIONS,
  SHED_REASONS,
} from '../../../../src/telemetry/metrics/label-values.ts';
import { pageMetrics } from '../../../../src/telemetry/metrics/page-metrics.ts';
import { PageLayout } from '../../../../src/telemetry/page-layout.ts';
import { StatsPage, allocatePage } from '../../../../src/telemetry/stats-page.ts';

export const NAMES = { listener: 'web', route: 'all', cluster: 'app' };

export class SessionPage {
  readonly page: StatsPage;

  constructor() {
    const layout = new PageLayout();
    const { listener, route, cluster } = NAMES;
    for (const direction of DIRECTIONS) {
      for (const metric of [pageMetrics.bufferedBytes, pageMetrics.paused, pageMetrics.bufferOverflows]) {
        layout.add(metric, { direction });
      }
      for (const metric of [pageMetrics.messages, pageMetrics.bytes])
        layout.add(metric, { cluster, direction });
    }
    for (const side of CLOSE_SIDES) {
      for (const code of CLOSE_CODES) layout.add(pageMetrics.closes, { cluster, side, code });
    }
    layout.add(pageMetrics.unfinishedBytes, {});
    for (const reason of SHED_REASONS) layout.add(pageMetrics.sessionsShed, { reason });
    layout.add(pageMetrics.handshakeDuration, { listener, cluster });
    layout.add(pageMetrics.sessionDuration, { listener, cluster });
    layout.add(pageMetrics.sessionsActive, { listener, route, cluster });
    layout.add(pageMetrics.sessions, { listener, route, cluster });
    this.page = new StatsPage(allocatePage(layout), layout);
  }

  closes(code: string, side = 'proxy'): number {
    return this.#value(pageMetrics.closes, { cluster: NAMES.cluster, side, code });
  }

  /** Sessions that are counted as open. */
  get active(): number {
    return this.#value(pageMetrics.sessionsActive, NAMES);
  }

  overflows(direction: string): number {
    return this.#value(pageMetrics.bufferOverflows, { direction });
  }

  buffered(direction: string): number {
    return this.#value(pageMetrics.bufferedBytes, { direction });
  }

  messages(direction: string): number {
    return this.#value(pageMetrics.messages, { cluster: NAMES.cluster, direction });
  }

  bytes(direction: string): number {
    return this.#value(pageMetrics.bytes, { cluster: NAMES.cluster, direction });
  }

  #value(metric: (typeof pageMetrics)[keyof typeof pageMetrics], labels: Record<string, string>): number {
    return this.page.values[this.page.slot(metric, labels)]!;
  }
}
