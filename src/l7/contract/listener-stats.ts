import type { AccessRefusalReason } from '../../access/contract/credential-method.ts';
import { ConnectionStats } from '../../telemetry/connection-stats.ts';
import {
  ACCESS_REFUSALS,
  HANDSHAKE_FAILURES,
  REQUEST_REFUSALS,
  RESPONSE_CUTS,
  STATUS_CLASSES,
  UNUSED_REASONS,
} from '../../telemetry/metrics/label-values.ts';
import { pageMetrics } from '../../telemetry/metrics/page-metrics.ts';
import { pageShapes } from '../../telemetry/metrics/page-shapes.ts';
import { Histogram, type StatsPage } from '../../telemetry/stats-page.ts';
import type { ResponseCut } from './http-reply.ts';

export type HandshakeFailure = (typeof HANDSHAKE_FAILURES)[number];
export type UnusedReason = (typeof UNUSED_REASONS)[number];
export type RequestRefusal = (typeof REQUEST_REFUSALS)[number];

/** Offsets of the counters in a listener's block. */
const FAILURES = pageShapes.l7Listener.offsetsBy(pageMetrics.handshakeFailures, 'reason', HANDSHAKE_FAILURES);
const REFUSALS = pageShapes.l7Listener.offsetsBy(pageMetrics.httpRefusals, 'reason', REQUEST_REFUSALS);
const ACCESS = pageShapes.l7Listener.offsetsBy(pageMetrics.accessRefusals, 'reason', ACCESS_REFUSALS);
const UNUSED = pageShapes.l7Listener.offsetsBy(pageMetrics.connectionsUnused, 'reason', UNUSED_REASONS);
const CUTS = pageShapes.l7Listener.offsetsBy(pageMetrics.httpCuts, 'reason', RESPONSE_CUTS);
/** Offsets of the counters in a route's block. The gauge of requests in flight is the first. */
const CLASSES = Object.values(pageShapes.route.offsetsBy(pageMetrics.httpRequests, 'code', STATUS_CLASSES));
const DURATION = pageShapes.route.offsetOf(pageMetrics.httpDuration)!;

/** Counters of one layer 7 listener in one worker, without those of its routes. */
export class ListenerStats {
  readonly connections: ConnectionStats;
  readonly #values: Float64Array;
  /** The first slot of the listener's block. */
  readonly #slot: number;

  /** @param all the values of every worker's page */
  constructor(page: StatsPage, all: readonly Float64Array[], listener: string) {
    this.connections = new ConnectionStats(page, all, listener);
    this.#values = page.values;
    this.#slot = blockOf(page, listener);
  }

  connectionUnused(reason: UnusedReason): void {
    this.#values[this.#slot + UNUSED[reason]]! += 1;
  }

  requestRefused(reason: RequestRefusal): void {
    this.#values[this.#slot + REFUSALS[reason]]! += 1;
  }

  /** Counts a client that access control refused. */
  accessRefused(reason: AccessRefusalReason): void {
    this.#values[this.#slot + ACCESS[reason]]! += 1;
  }

  handshakeFailed(reason: HandshakeFailure): void {
    this.#values[this.#slot + FAILURES[reason]]! += 1;
  }
}

/** Counters of one route's plain HTTP requests. */
export class RequestStats {
  readonly #values: Float64Array;
  /** The first slot of the listener's block. */
  readonly #listener: number;
  /** The first slot of the route's block: the requests in flight. */
  readonly #route: number;
  readonly #duration: Histogram;

  constructor(page: StatsPage, listener: string, route: string) {
    this.#values = page.values;
    this.#listener = blockOf(page, listener);
    this.#route = page.slot(pageMetrics.httpRequestsActive, { listener, route });
    const { buckets = [] } = pageMetrics.httpDuration;
    this.#duration = new Histogram(page.values, this.#route + DURATION, buckets);
  }

  /** Counts a request in flight. */
  begun(): void {
    this.#values[this.#route]! += 1;
  }

  /** Stops counting a request in flight, however it ended. */
  over(): void {
    this.#values[this.#route]! -= 1;
  }

  /** Counts a response that was cut. */
  cut(reason: ResponseCut): void {
    this.#values[this.#listener + CUTS[reason]]! += 1;
  }

  /** Counts an answered request. @param seconds from the request to the end of the response */
  answered(status: number, seconds: number): void {
    const index = Math.min(Math.floor(status / 100), STATUS_CLASSES.length) - 1;
    this.#values[this.#route + CLASSES[index]!]! += 1;
    this.#duration.observe(seconds);
  }
}

/** Returns the first slot of a listener's block. */
function blockOf(page: StatsPage, listener: string): number {
  const [reason] = UNUSED_REASONS;
  return page.slot(pageMetrics.connectionsUnused, { listener, reason }) - UNUSED[reason];
}
