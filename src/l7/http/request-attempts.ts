import type { ConnectFailure } from '../../upstream/endpoint.ts';
import { EndpointAttempts } from '../attempts/endpoint-attempts.ts';
import {
  REQUEST_FAILURES,
  type AttemptStep,
  type FailureRule,
  type OverdueRule,
} from '../attempts/failure-rules.ts';
import type { UpstreamSocket } from '../contract/upstream-socket.ts';
import { UpstreamRequest, type UpstreamRequestOwner } from '../upstream/upstream-request.ts';
import type { ProxyContext, ProxyOrder } from './proxy-order.ts';

/** Methods that may be repeated (RFC 9110 section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

/**
 * Tries endpoints for one plain request, one after another, and holds the request on the current connection.
 */
export class RequestAttempts extends EndpointAttempts {
  /** The request on the current connection, or null between attempts. */
  request: UpstreamRequest | null = null;
  readonly #context: ProxyContext;
  readonly #method: string;
  readonly #owner: UpstreamRequestOwner;
  /** Time of the request's admission. Null if it has waited for its body since then. */
  readonly #admittedAt: number | null;
  #isDialling = false;

  /** @param owner receives the events of each request */
  constructor(context: ProxyContext, order: ProxyOrder, owner: UpstreamRequestOwner) {
    super(context, order, context.settings.keepAliveMs);
    this.#context = context;
    this.#method = order.head.method;
    this.#owner = owner;
    this.#admittedAt = order.body === null ? order.admittedAt : null;
  }

  /**
   * Starts the next attempt. Returns whether the connection is already established, or null if no endpoint is
   * left.
   */
  next(): 'connected' | 'dialling' | null {
    this.#isDialling = false;
    const bound = this.takeBound();
    if (bound !== null) {
      this.#begin(bound);
      return 'connected';
    }
    const { pool } = this.#context;
    const isFirst = this.lastEndpoint === null;
    const isFresh = this.bound.needsOwnConnection;
    const endpoint = isFresh ? this.choose() : this.choose(pool.has);
    if (endpoint === null) return null;
    const socket = isFresh ? null : pool.take(endpoint);
    if (socket === null) {
      this.redial();
      return 'dialling';
    }
    this.reused = true;
    // The admission time saves a read of the clock.
    this.waitFrom(isFirst && this.#admittedAt !== null ? this.#admittedAt : performance.now());
    this.#begin(socket);
    return 'connected';
  }

  /** Called when the endpoint got the whole body: its time to answer starts. */
  bodySent(): void {
    this.waitFrom(performance.now());
  }

  protected override redial(): void {
    this.#isDialling = true;
    // The request replaces this owner.
    this.#begin(this.dial(NO_OWNER));
  }

  #begin(socket: UpstreamSocket): void {
    this.request = new UpstreamRequest(socket, this.#owner, this.#method === 'HEAD');
  }

  override connected(): void {
    this.#isDialling = false;
    super.connected();
  }

  /**
   * Counts the failure of the request, whose connection is closed. Returns the next step.
   *
   * @param begun whether the client has received a part of the response
   * @param hasBody whether the sent part of the body is still buffered
   */
  failed(reason: ConnectFailure, detail: string, begun: boolean, hasBody: boolean): AttemptStep {
    const { answered } = this.request!;
    this.request = null;
    if (begun) return this.#follow(REQUEST_FAILURES.begun, reason, detail, false);
    if (answered) this.reused = false;
    const mayRepeat = !answered && (this.#isDialling || (hasBody && IDEMPOTENT.has(this.#method)));
    return this.#follow(this.#ruleOf(reason), reason, detail, mayRepeat);
  }

  /** Counts an endpoint's timeout, and closes its connection. Returns the next step. */
  overdue(rule: OverdueRule): AttemptStep {
    return this.#follow(rule, 'timeout', rule.detail, true);
  }

  #ruleOf(reason: ConnectFailure): FailureRule {
    if (this.#isDialling) return REQUEST_FAILURES.dialling;
    if (this.isStale(reason)) return REQUEST_FAILURES.stale;
    return reason === 'handshake' ? REQUEST_FAILURES.wrongAnswer : REQUEST_FAILURES.sent;
  }

  #follow(rule: FailureRule, reason: ConnectFailure, detail: string | null, mayRepeat: boolean): AttemptStep {
    this.#close();
    return this.fail(rule, reason, detail, mayRepeat);
  }

  /** Ends the request, whose response is complete, and keeps its connection for another one if possible. */
  finish(reusable: boolean, keepAliveMs: number): void {
    const request = this.request!;
    this.request = null;
    const isReusable = reusable && request.reusable;
    if (!isReusable) {
      request.destroy();
    } else if (!this.keepBound(request.socket)) {
      if (this.bound.isBound || keepAliveMs === 0 || !this.isTrusted) request.destroy();
      else this.#context.pool.keep(this.endpoint!, request.socket, keepAliveMs);
    }
    // A client that is slow to take the end holds no connection of the endpoint.
    this.release();
  }

  /** Closes the connection to the current endpoint, which has not failed. */
  drop(): void {
    this.#close();
    this.release();
  }

  #close(): void {
    this.bound.cancel();
    this.request?.destroy();
    this.request = null;
  }
}

const NO_OWNER = {
  upstreamConnected: () => undefined,
  channelData: () => undefined,
  channelEnded: () => undefined,
  channelClosed: () => undefined,
};
