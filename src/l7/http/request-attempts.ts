import type { OutlierFailure } from '../../config/types.ts';
import type { Attempts } from '../../upstream/attempts.ts';
import type { ConnectFailure, Endpoint } from '../../upstream/endpoint.ts';
import { endpointRefusal } from '../upstream/endpoint-refusal.ts';
import type { ProxyContext, ProxyOrder } from './proxy-order.ts';
import { UpstreamExchange, type ExchangeOwner } from './upstream-exchange.ts';

/** The endpoints that one request is sent to, one after the other, and the connection to the current one. */
export class RequestAttempts {
  /** The request on the current connection; null before the first and after each has ended. */
  exchange: UpstreamExchange | null = null;
  /** The current endpoint, on which a connection is counted. */
  endpoint: Endpoint | null = null;
  /** The last endpoint that was asked: for the access line. */
  asked: Endpoint | null = null;
  /** Whether the current connection has carried requests before. */
  reused = false;
  readonly #context: ProxyContext;
  readonly #order: ProxyOrder;
  readonly #owner: ExchangeOwner;
  readonly #attempts: Attempts;
  #dialledAt = 0;

  /** @param owner of the exchanges */
  constructor(context: ProxyContext, order: ProxyOrder, owner: ExchangeOwner) {
    this.#context = context;
    this.#order = order;
    this.#owner = owner;
    this.#attempts = context.cluster.attempts(order.pick);
  }

  /** Goes to the next endpoint. Returns whether it is connected already; null if there is no other endpoint. */
  next(): 'connected' | 'dialling' | null {
    const { pool } = this.#context;
    const endpoint = this.#attempts.next(pool.has);
    if (endpoint === null) return null;
    this.endpoint = this.asked = endpoint;
    const socket = pool.take(endpoint);
    if (socket === null) {
      this.dial(endpoint);
      return 'dialling';
    }
    this.reused = true;
    this.exchange = new UpstreamExchange(socket, this.#owner, this.#toHead);
    return 'connected';
  }

  /** Dials the current endpoint. */
  dial(endpoint: Endpoint): void {
    const { cluster, dialler } = this.#context;
    this.reused = false;
    this.#dialledAt = performance.now();
    // The socket gets its owner when the exchange is made.
    const socket = dialler.open(cluster, endpoint, NOBODY);
    this.exchange = new UpstreamExchange(socket, this.#owner, this.#toHead);
  }

  /** Counts the dial that has succeeded. */
  connected(): void {
    this.#context.cluster.connectDuration.observe((performance.now() - this.#dialledAt) / 1000);
    this.endpoint?.countDial();
  }

  /** Counts the endpoint's answer. */
  answered(status: number): void {
    this.#attempts.answered(this.endpoint!, status);
  }

  /** Returns the Set-Cookie header that brings the client back to the endpoint; null for none. */
  cookie(): string | null {
    return this.#attempts.cookieFor(this.endpoint!, this.#order.secure);
  }

  /** Ends the exchange, whose response is complete, and keeps its connection for other requests if it can. */
  finish(reusable: boolean, keepAliveMs: number): void {
    const exchange = this.exchange!;
    this.exchange = null;
    if (reusable && exchange.reusable && keepAliveMs > 0) {
      this.#context.pool.keep(this.endpoint!, exchange.socket, keepAliveMs);
    } else {
      exchange.destroy();
    }
  }

  /**
   * Cuts the connection to the endpoint, if there is one, and counts the failure, if it is one.
   *
   * @param kind as for {@link Attempts.fail}
   */
  drop(failure: ConnectFailure | null, kind: OutlierFailure | null = null): void {
    this.exchange?.destroy();
    this.exchange = null;
    if (failure === null) this.release();
    else if (this.endpoint !== null) this.#attempts.fail(this.endpoint, failure, kind);
    this.endpoint = null;
  }

  /** Counts the connection to the current endpoint no more. */
  release(): void {
    this.endpoint?.release();
    this.endpoint = null;
  }

  /** Writes a log line about a failure of the current endpoint. */
  warn(reason: ConnectFailure, detail: string): void {
    const { cluster, log } = this.#context;
    const { requestId } = this.#order;
    const endpoint = this.endpoint?.label;
    cluster.failureLog.write(log, { cluster: cluster.name, endpoint, requestId, reason, detail });
  }

  /** How to answer the client if no endpoint is left. */
  refusal(): ReturnType<typeof endpointRefusal> {
    return endpointRefusal(this.#attempts);
  }

  get #toHead(): boolean {
    return this.#order.head.method === 'HEAD';
  }
}

const NOBODY = {
  upstreamConnected: () => undefined,
  upstreamData: () => undefined,
  upstreamEnded: () => undefined,
  upstreamClosed: () => undefined,
};
