import type { OutlierFailure } from '../../config/types/cluster.ts';
import type { Attempts } from '../../upstream/attempts/attempts.ts';
import type { ConnectFailure, Endpoint } from '../../upstream/endpoint.ts';
import type { ResponseHead } from '../../wire/http/response-head.ts';
import { BoundRequest } from '../bound/bound-request.ts';
import { failureAnswer } from '../upstream/failure-answers.ts';
import type { UpstreamSocket } from '../contract/upstream-socket.ts';
import type { ProxyContext, ProxyOrder } from './proxy-order.ts';
import { UpstreamRequest, type UpstreamRequestOwner } from '../upstream/upstream-request.ts';

/** The endpoints that one request is sent to, one after the other, and the connection to the current one. */
export class RequestAttempts {
  /** The request on the current connection; null before the first and after each has ended. */
  request: UpstreamRequest | null = null;
  /** The current endpoint, on which a connection is counted. */
  endpoint: Endpoint | null = null;
  /** The last endpoint that was asked: for the access line. */
  asked: Endpoint | null = null;
  /** Whether the current connection has carried requests before. */
  reused = false;
  readonly #context: ProxyContext;
  readonly #order: ProxyOrder;
  readonly #owner: UpstreamRequestOwner;
  readonly #attempts: Attempts;
  readonly bound: BoundRequest;
  #dialledAt = 0;

  /** @param owner of the exchanges */
  constructor(context: ProxyContext, order: ProxyOrder, owner: UpstreamRequestOwner) {
    this.#context = context;
    this.#order = order;
    this.#owner = owner;
    this.#attempts = context.cluster.attempts(order.pick);
    const { bound, cluster, settings } = context;
    this.bound = new BoundRequest(
      { bound, cluster, keepAliveMs: settings.keepAliveMs },
      order.asker,
      order.login,
    );
  }

  /** Goes to the next endpoint. Returns whether it is connected already; null if there is no other endpoint. */
  next(): 'connected' | 'dialling' | null {
    // At the first attempt only.
    const bound = this.asked === null ? this.bound.take() : null;
    if (bound !== null) {
      this.#reuse(bound.endpoint, bound.socket);
      return 'connected';
    }
    const { pool } = this.#context;
    // A connection that is about to be authenticated is a fresh one.
    const endpoint = this.bound.authorizes ? this.#attempts.next() : this.#attempts.next(pool.has);
    if (endpoint === null) return null;
    const socket = this.bound.authorizes ? null : pool.take(endpoint);
    if (socket === null) {
      this.#use(endpoint);
      this.dial(endpoint);
      return 'dialling';
    }
    this.#reuse(endpoint, socket);
    return 'connected';
  }

  #reuse(endpoint: Endpoint, socket: UpstreamSocket): void {
    this.#use(endpoint);
    this.reused = true;
    this.request = new UpstreamRequest(socket, this.#owner, this.#toHead);
  }

  #use(endpoint: Endpoint): void {
    this.endpoint = this.asked = endpoint;
    this.bound.beginUse(endpoint);
  }

  /** Dials the current endpoint. */
  dial(endpoint: Endpoint): void {
    const { cluster, dialler } = this.#context;
    this.reused = false;
    this.#dialledAt = performance.now();
    // The socket gets its owner when the request is made.
    const socket = dialler.open(cluster, endpoint, NOBODY);
    this.request = new UpstreamRequest(socket, this.#owner, this.#toHead);
  }

  /** Counts the dial that has succeeded. */
  connected(): void {
    this.#context.cluster.connectDuration.observe((performance.now() - this.#dialledAt) / 1000);
    this.endpoint?.countDial();
  }

  /** Counts the endpoint's answer. To be called before the client gets any of it. */
  answered(head: ResponseHead): void {
    this.#attempts.answered(this.endpoint!, head.status);
    this.bound.answered(head);
  }

  /** Returns the Set-Cookie header that brings the client back to the endpoint; null for none. */
  cookie(): string | null {
    return this.#attempts.cookieFor(this.endpoint!, this.#order.secure);
  }

  /** Ends the request, whose response is complete, and keeps its connection for other requests if it can. */
  finish(reusable: boolean, keepAliveMs: number): void {
    const request = this.request!;
    this.request = null;
    // A slow client may have paused it: paused, it would never bring the next response.
    request.socket.resume();
    const isReusable = reusable && request.reusable;
    if (isReusable && this.bound.keep(this.endpoint!, request.socket)) {
      // The connection stays counted.
      this.endpoint = null;
    } else if (!isReusable || this.bound.isBound || keepAliveMs === 0) {
      request.destroy();
    } else {
      this.#context.pool.keep(this.endpoint!, request.socket, keepAliveMs);
    }
    // The client may be slow to take the end, which is not the endpoint's matter.
    this.release();
  }

  /**
   * Cuts the connection to the endpoint, if there is one, and counts the failure, if it is one.
   *
   * @param kind as for {@link Attempts.fail}
   */
  drop(failure: ConnectFailure | null, kind: OutlierFailure | null = null): void {
    this.bound.cancel();
    this.bound.endUse();
    this.request?.destroy();
    this.request = null;
    if (failure === null) this.release();
    else if (this.endpoint !== null) this.#attempts.fail(this.endpoint, failure, kind);
    this.endpoint = null;
  }

  /** Counts the connection to the current endpoint no more. */
  release(): void {
    this.bound.endUse();
    this.endpoint?.release();
    this.endpoint = null;
  }

  /** Writes a log line about a failure of the current endpoint. */
  warn(reason: ConnectFailure, detail: string): void {
    const { cluster, log } = this.#context;
    const { requestId } = this.#order;
    const endpoint = this.endpoint!.label;
    cluster.failureLog.write(log, { cluster: cluster.name, endpoint, requestId, reason, detail });
  }

  /** How to answer the client if no endpoint is left. */
  refusal(): ReturnType<typeof failureAnswer> {
    return failureAnswer(this.#attempts);
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
