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
import type { Requester } from '../contract/client-connections.ts';
import type { UpstreamDialler, UpstreamOwner, UpstreamSocket } from '../contract/upstream-socket.ts';
import { failureAnswer, type FailureAnswer, type FailureRule } from './failure-rules.ts';

/** State that the attempts of one route share. */
interface AttemptContext {
  readonly cluster: Cluster;
  readonly dialler: UpstreamDialler;
  readonly bound: BoundConnections;
  readonly log: Logger;
}

/** The request of the attempts. */
interface AttemptOrder {
  readonly pick: PickContext;
  readonly login: ConnectionLogin;
  readonly requester: Requester;
  /** Whether the client uses TLS, to sluice or to a trusted proxy in front of it. */
  readonly secure: boolean;
  readonly requestId: string;
}

/** Tries endpoints for one request or upgrade, one after another, and counts the current one. */
export abstract class EndpointAttempts {
  /** The current endpoint, which counts a connection. Null between attempts. */
  endpoint: Endpoint | null = null;
  /** The last endpoint tried, for the access line. Null before the first attempt. */
  lastEndpoint: Endpoint | null = null;
  /** Number of attempts. */
  count = 0;
  /** Whether the current connection was reused and has not received a byte since. */
  protected reused = false;
  /** Whether an endpoint may have received a part of the request. */
  wasSent = false;
  readonly bound: BoundRequest;
  readonly #context: AttemptContext;
  readonly #order: AttemptOrder;
  readonly #attempts: Attempts;
  /**
   * Fixed when the request arrives: a connection with a PROXY header must never be shared, whatever a reload
   * changes.
   */
  readonly #proxyProtocol: ClusterConfig['proxyProtocol'];
  /** Start of the wait for the current endpoint, by `performance.now()`. */
  #waitStart = 0;
  /** TLS generation of the current connection: see `Endpoint.tlsGeneration`. */
  #tlsGeneration = 0;

  /** @param keepAliveMs max idle time of a bound connection */
  constructor(context: AttemptContext, order: AttemptOrder, keepAliveMs: number) {
    const { bound, cluster } = context;
    const { proxyProtocol } = cluster.config;
    this.#context = context;
    this.#order = order;
    this.#proxyProtocol = proxyProtocol;
    this.#attempts = cluster.attempts(order.pick);
    this.bound = new BoundRequest(
      { bound, cluster, keepAliveMs, proxyProtocol },
      order.requester,
      order.login,
    );
  }

  /**
   * Takes the connection that is bound to the client's, for the first attempt only. Returns null if there is
   * none.
   */
  takeBound(): UpstreamSocket | null {
    const bound = this.lastEndpoint === null ? this.bound.take() : null;
    if (bound === null) return null;
    this.#use(bound.endpoint);
    this.reused = true;
    this.waitFrom(performance.now());
    return bound.socket;
  }

  /**
   * Sets the start of the wait for the current endpoint's answer: a kept connection was taken, or the whole
   * body was sent. A dial also sets it.
   *
   * @param now by `performance.now()`
   */
  protected waitFrom(now: number): void {
    this.#waitStart = now;
  }

  /** Picks the next endpoint, null if none is left. @param hasConnection as for {@link Attempts.next} */
  choose(hasConnection?: (endpoint: Endpoint) => boolean): Endpoint | null {
    const endpoint = this.#attempts.next(hasConnection);
    if (endpoint !== null) this.#use(endpoint);
    return endpoint;
  }

  #use(endpoint: Endpoint): void {
    this.endpoint = this.lastEndpoint = endpoint;
    this.count++;
    this.#tlsGeneration = endpoint.tlsGeneration;
    this.bound.beginUse(endpoint);
  }

  /** Dials the current endpoint. @param owner not called before this returns */
  dial(owner: UpstreamOwner): UpstreamSocket {
    const { cluster, dialler } = this.#context;
    this.reused = false;
    this.#tlsGeneration = this.endpoint!.tlsGeneration;
    this.#waitStart = performance.now();
    const version = this.#proxyProtocol;
    const preface = version === 'off' ? null : writeProxyHeader(version, this.#order.requester.ends());
    return dialler.open(cluster, this.endpoint!, owner, preface);
  }

  /** Dials the current endpoint, for the first time or again. */
  protected abstract redial(): void;

  /**
   * Milliseconds since the current connection was dialled or taken, or since the whole body was sent on it.
   */
  get waitedMs(): number {
    return performance.now() - this.#waitStart;
  }

  /** Counts a successful dial. */
  connected(): void {
    this.#context.cluster.connectDuration.observe(this.waitedMs / 1000);
    this.endpoint?.countDial();
  }

  /** Counts a 101 of the current endpoint. */
  succeed(): void {
    this.#attempts.succeed(this.endpoint!, this.waitedMs / 1000);
  }

  /** Counts any other answer of the current endpoint. Must be called before the client gets a part of it. */
  answered(head: ResponseHead): void {
    this.#attempts.answered(this.endpoint!, head.status, this.waitedMs / 1000);
    this.bound.answered(head);
  }

  /** Returns the sticky Set-Cookie header for the current endpoint, or null. */
  cookie(): string | null {
    return this.#attempts.cookieFor(this.endpoint!, this.#order.secure);
  }

  /** Whether a reused connection closed without a byte of an answer. */
  protected isStale(reason: ConnectFailure): boolean {
    return this.reused && reason === 'reset';
  }

  /**
   * Counts and logs the failure of the current endpoint, if there is one, and returns the next step.
   *
   * The credentials of a connection go to one endpoint only. If the request may be repeated, a stale
   * connection does not count as a failure, and its redial does not count as a retry.
   *
   * @param detail for the log line, null for no line
   * @param mayRepeat whether the request may be repeated
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

  /** Whether the configuration still allows another request on the current connection. */
  protected get isTrusted(): boolean {
    return this.#tlsGeneration === this.endpoint!.tlsGeneration;
  }

  /**
   * Resumes a connection whose response is complete, and keeps it for the client's next request if it is
   * bound to the client. The endpoint continues to count a kept connection.
   *
   * @returns false if the connection is not kept
   */
  keepBound(socket: UpstreamSocket): boolean {
    // A slow client may have paused the connection, which would then never deliver the next response.
    socket.resume();
    if (!this.isTrusted || !this.bound.keep(this.endpoint!, socket)) return false;
    this.endpoint = null;
    return true;
  }

  /** Stops counting a connection of the current endpoint. */
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
