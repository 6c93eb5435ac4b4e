import { CLOSE_CODES, CLOSE_SIDES, DIRECTIONS } from '../../telemetry/metrics/label-values.ts';
import { pageMetrics } from '../../telemetry/metrics/page-metrics.ts';
import { pageShapes } from '../../telemetry/metrics/page-shapes.ts';
import { Histogram, type StatsPage } from '../../telemetry/stats-page.ts';
import { closeCodeLabel } from '../../wire/frames/close-codes.ts';

export type CloseSide = (typeof CLOSE_SIDES)[number];
type Direction = (typeof DIRECTIONS)[number];
type Codes = Readonly<Record<string, number>>;

/** Offsets of the counters in a cluster's block. The gauge of open connections is the first. */
const MESSAGES = pageShapes.cluster.offsetsBy(pageMetrics.messages, 'direction', DIRECTIONS);
const BYTES = pageShapes.cluster.offsetsBy(pageMetrics.bytes, 'direction', DIRECTIONS);
const CLOSES = Object.fromEntries(
  CLOSE_SIDES.map((side) => [
    side,
    pageShapes.cluster.offsetsBy<string>(pageMetrics.closes, 'code', CLOSE_CODES, { side }),
  ]),
) as Readonly<Record<CloseSide, Codes>>;
/** Offsets in the block of a listener and cluster. The gauge of pending handshakes is the first. */
const HANDSHAKE_DURATION = pageShapes.handshakes.offsetOf(pageMetrics.handshakeDuration)!;
const SESSION_DURATION = pageShapes.handshakes.offsetOf(pageMetrics.sessionDuration)!;
/** Offset in the block of a listener, route and cluster. The gauge of open sessions is the first. */
const TOTAL = pageShapes.sessions.offsetOf(pageMetrics.sessions)!;
/** Offsets in the block of the process. */
const PAUSED = pageShapes.process.offsetsBy(pageMetrics.paused, 'direction', DIRECTIONS);
const OVERFLOWS = pageShapes.process.offsetsBy(pageMetrics.bufferOverflows, 'direction', DIRECTIONS);

/**
 * Counters of one route's sessions in one worker. The relay increments some slots itself: `values[slot] +=
 * n`.
 */
export class SessionStats {
  readonly values: Float64Array;
  readonly messagesDownstream: number;
  readonly messagesUpstream: number;
  readonly bytesDownstream: number;
  readonly bytesUpstream: number;
  readonly handshakeDuration: Histogram;
  readonly #sessionDuration: Histogram;
  /** The first slots of the blocks. */
  readonly #sessions: number;
  readonly #cluster: number;
  readonly #process: number;

  constructor(page: StatsPage, listener: string, route: string, cluster: string) {
    const { values } = page;
    this.values = values;
    this.#cluster = page.slot(pageMetrics.clusterConnectionsActive, { cluster });
    this.#sessions = page.slot(pageMetrics.sessionsActive, { listener, route, cluster });
    this.#process = page.slot(pageMetrics.paused, { direction: 'downstream' }) - PAUSED.downstream;
    this.messagesDownstream = this.#cluster + MESSAGES.downstream;
    this.messagesUpstream = this.#cluster + MESSAGES.upstream;
    this.bytesDownstream = this.#cluster + BYTES.downstream;
    this.bytesUpstream = this.#cluster + BYTES.upstream;
    const handshakes = page.slot(pageMetrics.handshakesPending, { listener, cluster });
    const { handshakeDuration, sessionDuration } = pageMetrics;
    const first = handshakes + HANDSHAKE_DURATION;
    this.handshakeDuration = new Histogram(values, first, handshakeDuration.buckets ?? []);
    const second = handshakes + SESSION_DURATION;
    this.#sessionDuration = new Histogram(values, second, sessionDuration.buckets ?? []);
  }

  /** Counts a new session. */
  opened(): void {
    this.values[this.#sessions]! += 1;
    this.values[this.#sessions + TOTAL]! += 1;
  }

  /** Counts the end of a session. @param seconds duration of the session */
  ended(side: CloseSide, code: number, seconds: number): void {
    this.values[this.#sessions]! -= 1;
    this.values[this.#cluster + CLOSES[side][closeCodeLabel(code)]!]! += 1;
    this.#sessionDuration.observe(seconds);
  }

  /** Counts an endpoint that was paused because its client is slow. */
  paused(): void {
    this.values[this.#process + PAUSED.downstream]! += 1;
  }

  /** Counts a session that ended because the buffer towards one side was full. */
  overflowed(direction: Direction): void {
    this.values[this.#process + OVERFLOWS[direction]]! += 1;
  }
}
