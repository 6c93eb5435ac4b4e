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
import type { Histogram, StatsPage } from '../../telemetry/stats-page.ts';
import type { ResponseCut } from './http-reply.ts';

export type HandshakeFailure = (typeof HANDSHAKE_FAILURES)[number];
export type UnusedReason = (typeof UNUSED_REASONS)[number];
export type RequestRefusal = (typeof REQUEST_REFUSALS)[number];

/** The counters of one layer 7 listener in one worker, without those of its routes. */
export class ListenerStats {
  readonly connections: ConnectionStats;
  readonly #values: Float64Array;
  readonly #failures: ReadonlyMap<HandshakeFailure, number>;
  readonly #refusals: ReadonlyMap<RequestRefusal, number>;
  readonly #unused: ReadonlyMap<UnusedReason, number>;
  readonly #accessRefusals: ReadonlyMap<AccessRefusalReason, number>;

  /** @param all the values of all workers' pages */
  constructor(page: StatsPage, all: readonly Float64Array[], listener: string) {
    this.connections = new ConnectionStats(page, all, listener);
    this.#values = page.values;
    this.#failures = new Map(
      HANDSHAKE_FAILURES.map((reason) => [
        reason,
        page.slot(pageMetrics.handshakeFailures, { listener, reason }),
      ]),
    );
    this.#refusals = new Map(
      REQUEST_REFUSALS.map((reason) => [reason, page.slot(pageMetrics.httpRefusals, { listener, reason })]),
    );
    this.#accessRefusals = new Map(
      ACCESS_REFUSALS.map((reason) => [reason, page.slot(pageMetrics.accessRefusals, { listener, reason })]),
    );
    this.#unused = new Map(
      UNUSED_REASONS.map((reason) => [
        reason,
        page.slot(pageMetrics.connectionsUnused, { listener, reason }),
      ]),
    );
  }

  connectionUnused(reason: UnusedReason): void {
    this.#values[this.#unused.get(reason)!]! += 1;
  }

  requestRefused(reason: RequestRefusal): void {
    this.#values[this.#refusals.get(reason)!]! += 1;
  }

  /** Counts a client that may not come in. */
  accessRefused(reason: AccessRefusalReason): void {
    this.#values[this.#accessRefusals.get(reason)!]! += 1;
  }

  handshakeFailed(reason: HandshakeFailure): void {
    this.#values[this.#failures.get(reason)!]! += 1;
  }
}

/** The counters of the plain HTTP requests of one route. */
export class RequestStats {
  readonly #values: Float64Array;
  readonly #classes: readonly number[];
  readonly #cuts: readonly number[];
  readonly #duration: Histogram;
  readonly #active: number;

  constructor(page: StatsPage, listener: string, route: string) {
    this.#values = page.values;
    this.#classes = STATUS_CLASSES.map((code) =>
      page.slot(pageMetrics.httpRequests, { listener, route, code }),
    );
    this.#cuts = RESPONSE_CUTS.map((reason) => page.slot(pageMetrics.httpCuts, { listener, reason }));
    this.#duration = page.histogram(pageMetrics.httpDuration, { listener, route });
    this.#active = page.slot(pageMetrics.httpRequestsActive, { listener, route });
  }

  /** Counts a request as in flight. */
  begun(): void {
    this.#values[this.#active]! += 1;
  }

  /** Counts a request as in flight no more, however it ended. */
  over(): void {
    this.#values[this.#active]! -= 1;
  }

  /** Counts a response that was cut. */
  cut(reason: ResponseCut): void {
    this.#values[this.#cuts[RESPONSE_CUTS.indexOf(reason)]!]! += 1;
  }

  /** Counts an answered request. @param seconds from the request to the end of the response */
  answered(status: number, seconds: number): void {
    const index = Math.min(Math.floor(status / 100), STATUS_CLASSES.length) - 1;
    this.#values[this.#classes[index]!]! += 1;
    this.#duration.observe(seconds);
  }
}
