import type { Cluster as ClusterConfig } from '../../config/types/cluster.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Attempts } from '../../upstream/attempts/attempts.ts';
import { failAttempt } from '../../upstream/attempts/failed-attempt.ts';
import type { PickContext } from '../../upstream/balancers/balancer.ts';
import type { Cluster } from '../../upstream/cluster.ts';
import type { ConnectFailure, Endpoint } from '../../upstream/endpoint.ts';
import type { ConnectionLogin } from '../../wire/http/connection-auth.ts';
import type { ResponseHead } from '../../wire/http/response-head.ts';
import { writeProxyHeader } from '../../wire/proxy-protocol/proxy-header-writer.ts';
import type { BoundConnections } from '../bound/bound-connections.ts';
import { BoundRequest } from '../bound/bound-request.ts';
import type { Asker } from '../contract/client-connections.ts';
import type { UpstreamDialler, UpstreamOwner, UpstreamSocket } from '../contract/upstream-socket.ts';
import { failureAnswer, type FailureAnswer, type FailureRule } from './failure-rules.ts';

/** What the attempts of one route share. */
interface AttemptContext {
  readonly cluster: Cluster;
  readonly dialler: UpstreamDialler;
  readonly bound: BoundConnections;
  readonly log: Logger;
}

/** The request that the attempts are for. */
interface AttemptOrder {
  readonly pick: PickContext;
  readonly login: ConnectionLogin;
  readonly asker: Asker;
  /** Whether the client uses TLS, to the proxy or to a trusted proxy in front. */
  readonly secure: boolean;
  readonly requestId: string;
}

/** The endpoints that one request or upgrade is sent to, one after the other, and the counts of the current one. */
export abstract class EndpointAttempts {
  /** The current endpoint, which counts a connection; null if there is none. */
  endpoint: Endpoint | null = null;
  /** The endpoint that was asked last, for the access line; null before the first. */
  asked: Endpoint | null = null;
  /** Endpoints that were asked. */
  used = 0;
  /** Whether the current connection has carried requests before, and has brought no byte since. */
  protected reused = false;
  /** Whether an endpoint may have got a part of the request. */
  wasSent = false;
  readonly bound: BoundRequest;
  readonly #context: AttemptContext;
  readonly #order: AttemptOrder;
  readonly #attempts: Attempts;
  /** As it was when the request came: a connection with a header must never be shared, whatever a reload changes. */
  readonly #proxyProtocol: ClusterConfig['proxyProtocol'];
  /** When the wait for the current endpoint began, by `performance.now()`. */
  #askedAt = 0;
  /** How the current connection proves the endpoint, see `Endpoint.trust`. */
  #trust = 0;

  /** @param keepAliveMs max time for which an idle bound connection is kept */
  constructor(context: AttemptContext, order: AttemptOrder, keepAliveMs: number) {
    const { bound, cluster } = context;
    const { proxyProtocol } = cluster.config;
    this.#context = context;
    this.#order = order;
    this.#proxyProtocol = proxyProtocol;
    this.#attempts = cluster.attempts(order.pick);
    this.bound = new BoundRequest({ bound, cluster, keepAliveMs, proxyProtocol }, order.asker, order.login);
  }

  /** Takes the connection that is bound to the client's, for the first attempt only; null if there is none. */
  takeBound(): UpstreamSocket | null {
    const bound = this.asked === null ? this.bound.take() : null;
    if (bound === null) return null;
    this.#use(bound.endpoint);
    this.reused = true;
    this.waitFrom(performance.now());
    return bound.socket;
  }

  /**
   * Sets when the wait for the current endpoint's answer began: a kept connection was taken, or all of a body was sent. A dial
   * sets it, too.
   *
   * @param now by `performance.now()`
   */
  protected waitFrom(now: number): void {
    this.#askedAt = now;
  }

  /** Chooses the next endpoint; returns null if there is none. @param hasConnection as for {@link Attempts.next} */
  choose(hasConnection?: (endpoint: Endpoint) => boolean): Endpoint | null {
    const endpoint = this.#attempts.next(hasConnection);
    if (endpoint !== null) this.#use(endpoint);
    return endpoint;
  }

  #use(endpoint: Endpoint): void {
    this.endpoint = this.asked = endpoint;
    this.used++;
    this.#trust = endpoint.trust;
    this.bound.beginUse(endpoint);
  }

  /** Dials the current endpoint. @param owner is told nothing before this returns */
  dial(owner: UpstreamOwner): UpstreamSocket {
    const { cluster, dialler } = this.#context;
    this.reused = false;
    this.#trust = this.endpoint!.trust;
    this.#askedAt = performance.now();
    const version = this.#proxyProtocol;
    const preface = version === 'off' ? null : writeProxyHeader(version, this.#order.asker.ends());
    return dialler.open(cluster, this.endpoint!, owner, preface);
  }

  /** Dials the current endpoint, for the first time or again. */
  protected abstract redial(): void;

  /** Milliseconds since the current connection was dialled or taken, or all of a body was sent on it. */
  get waitedMs(): number {
    return performance.now() - this.#askedAt;
  }

  /** Counts the dial that has succeeded. */
  connected(): void {
    this.#context.cluster.connectDuration.observe(this.waitedMs / 1000);
    this.endpoint?.countDial();
  }

  /** Counts a 101 of the current endpoint. */
  succeed(): void {
    this.#attempts.succeed(this.endpoint!, this.waitedMs / 1000);
  }

  /** Counts another answer of the current endpoint. To be called before the client gets any of it. */
  answered(head: ResponseHead): void {
    this.#attempts.answered(this.endpoint!, head.status, this.waitedMs / 1000);
    this.bound.answered(head);
  }

  /** Returns the Set-Cookie header that brings the client back to the current endpoint; null for none. */
  cookie(): string | null {
    return this.#attempts.cookieFor(this.endpoint!, this.#order.secure);
  }

  /** Whether the endpoint has closed a connection that it had kept open until now, without a byte of an answer. */
  protected isStale(reason: ConnectFailure): boolean {
    return this.reused && reason === 'reset';
  }

  /**
   * Counts the failure of the current endpoint, if there is one, and logs it. Returns what follows. The credentials of a
   * connection go to one endpoint only. A stale connection is no failure, and a redial no retry, if the request may be sent
   * again.
   *
   * @param detail for the log line; null for no line
   * @param mayRepeat whether the request may be sent again
   */
  fail<Rule extends FailureRule>(
    rule: Rule,
    reason: ConnectFailure,
    detail: string | null,
    mayRepeat: boolean,
  ): Rule['then'] | FailureAnswer | 'redialled' {
    if (mayRepeat && this.isStale(reason)) {
      this.redial();
      return 'redialled';
    }
    this.bound.endUse();
    const { endpoint } = this;
    this.endpoint = null;
    if (endpoint !== null) {
      const { cluster, log } = this.#context;
      const { outlier } = rule;
      const { requestId } = this.#order;
      failAttempt(this.#attempts, cluster, log, { endpoint, reason, detail, outlier, requestId });
    }
    if (rule.then !== 'retry') return rule.then;
    return mayRepeat && !(this.wasSent && this.bound.authorizes) ? rule.then : this.answer;
  }

  /** Whether the current connection may carry another request, as far as the configuration goes. */
  protected get isTrusted(): boolean {
    return this.#trust === this.endpoint!.trust;
  }

  /**
   * Reads the connection again, whose response is complete, and keeps it for the client's next request if it is bound to the
   * client. Its endpoint goes on counting it.
   *
   * @returns false if it is not kept
   */
  keepBound(socket: UpstreamSocket): boolean {
    // A slow client may have paused it: paused, it would never bring the next response.
    socket.resume();
    if (!this.isTrusted || !this.bound.keep(this.endpoint!, socket)) return false;
    this.endpoint = null;
    return true;
  }

  /** Stops counting a connection on the current endpoint. */
  release(): void {
    this.bound.endUse();
    this.endpoint?.release();
    this.endpoint = null;
  }

  /** The answer to the client if no endpoint is left. */
  get answer(): FailureAnswer {
    return failureAnswer(this.#attempts, this.wasSent);
  }
}
