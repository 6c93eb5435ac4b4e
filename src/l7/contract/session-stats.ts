import { CLOSE_CODES, CLOSE_SIDES, type DIRECTIONS } from '../../telemetry/metrics/label-values.ts';
import { pageMetrics } from '../../telemetry/metrics/page-metrics.ts';
import type { Histogram, StatsPage } from '../../telemetry/stats-page.ts';
import { closeCodeLabel } from '../../wire/frames/close-codes.ts';

export type CloseSide = (typeof CLOSE_SIDES)[number];
type Direction = (typeof DIRECTIONS)[number];

/** The counters of the sessions of one route in one worker. The relay adds to some slots itself: `values[slot] += n`. */
export class SessionStats {
  readonly values: Float64Array;
  readonly messagesDownstream: number;
  readonly messagesUpstream: number;
  readonly bytesDownstream: number;
  readonly bytesUpstream: number;
  readonly handshakeDuration: Histogram;
  readonly #sessionDuration: Histogram;
  readonly #active: number;
  readonly #total: number;
  readonly #pausedDownstream: number;
  readonly #overflows: Readonly<Record<Direction, number>>;
  readonly #closes: ReadonlyMap<string, number>;

  constructor(page: StatsPage, listener: string, route: string, cluster: string) {
    this.values = page.values;
    const slot = (metric: (typeof pageMetrics)['messages'], direction: string): number =>
      page.slot(metric, { cluster, direction });
    this.messagesDownstream = slot(pageMetrics.messages, 'downstream');
    this.messagesUpstream = slot(pageMetrics.messages, 'upstream');
    this.bytesDownstream = slot(pageMetrics.bytes, 'downstream');
    this.bytesUpstream = slot(pageMetrics.bytes, 'upstream');
    this.handshakeDuration = page.histogram(pageMetrics.handshakeDuration, { listener, cluster });
    this.#sessionDuration = page.histogram(pageMetrics.sessionDuration, { listener, cluster });
    this.#active = page.slot(pageMetrics.sessionsActive, { listener, route, cluster });
    this.#total = page.slot(pageMetrics.sessions, { listener, route, cluster });
    this.#pausedDownstream = page.slot(pageMetrics.paused, { direction: 'downstream' });
    this.#overflows = {
      downstream: page.slot(pageMetrics.bufferOverflows, { direction: 'downstream' }),
      upstream: page.slot(pageMetrics.bufferOverflows, { direction: 'upstream' }),
    };
    this.#closes = new Map(
      CLOSE_SIDES.flatMap((side) =>
        CLOSE_CODES.map(
          (code) => [side + code, page.slot(pageMetrics.closes, { cluster, side, code })] as const,
        ),
      ),
    );
  }

  /** Counts a new session. */
  opened(): void {
    this.values[this.#active]! += 1;
    this.values[this.#total]! += 1;
  }

  /** Counts the end of a session. @param seconds that it lasted */
  ended(side: CloseSide, code: number, seconds: number): void {
    this.values[this.#active]! -= 1;
    this.values[this.#closes.get(side + closeCodeLabel(code))!]! += 1;
    this.#sessionDuration.observe(seconds);
  }

  /** Counts an endpoint that is paused, because its client is slow. */
  paused(): void {
    this.values[this.#pausedDownstream]! += 1;
  }

  /** Counts a session that ends because the buffer towards one of its sides is full. */
  overflowed(direction: Direction): void {
    this.values[this.#overflows[direction]]! += 1;
  }
}
