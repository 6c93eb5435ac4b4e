import type { Logger } from '../../telemetry/logger.ts';
import type { Histogram } from '../../telemetry/stats-page.ts';
import type { OutlierFailure } from '../../config/types/cluster.ts';
import type { WebSocketSettings } from '../../config/types/listener.ts';
import type { Route } from '../../config/types/route.ts';
import type { LiveSet } from '../../core/collections/live-set.ts';
import type { RandomPool } from '../../core/random-pool.ts';
import { TICK_MS, Timed, type TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { Attempts } from '../../upstream/attempts/attempts.ts';
import type { Cluster } from '../../upstream/cluster.ts';
import { connectFailureOf } from '../../upstream/dialling/dial.ts';
import type { ConnectFailure, Endpoint } from '../../upstream/endpoint.ts';
import type { PickContext } from '../../upstream/balancers/balancer.ts';
import { acceptKey } from '../../wire/upgrade/accept-key.ts';
import type { ConnectionLogin } from '../../wire/http/connection-auth.ts';
import type { ClientIdentity } from '../../wire/forwarding/client-identity.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';
import { networkOf } from '../../wire/ip-address.ts';
import { ResponseHeadReader, SWITCHING_PROTOCOLS, type ResponseHead } from '../../wire/http/response-head.ts';
import { encodeUpgradeRequest, type UpstreamTarget } from '../../wire/http/request-encoding.ts';
import { checkUpgradeResponse, endToEndHeaders } from '../../wire/upgrade/upgrade-response.ts';
import { viaElement } from '../../wire/forwarding/forwarded-headers.ts';
import type { RefusedHandshakes } from '../access-log/refused-handshakes.ts';
import { SessionLines } from './session-lines.ts';
import { BoundRequest } from '../bound/bound-request.ts';
import type { BoundConnections } from '../bound/bound-connections.ts';
import type { Asker } from '../contract/client-connections.ts';
import type { ClusterGate, Entrant } from './handshakes/handshake-gate.ts';
import { Refusal } from './handshakes/refusal.ts';
import { CLIENT_GONE, type Header, type ResponseCut } from '../contract/http-reply.ts';
import type { HandshakeFailure } from '../contract/listener-stats.ts';
import { sendRefusal } from '../contract/own-refusal.ts';
import type { Relay, SessionLog } from '../contract/relay.ts';
import type { UpgradeReply } from '../contract/upgrade-reply.ts';
import type { UpstreamDialler, UpstreamOwner, UpstreamSocket } from '../contract/upstream-socket.ts';
import { failureAnswer } from '../upstream/failure-answers.ts';

/** What the upgrades of one route in one worker share. */
export interface UpgradeContext {
  readonly cluster: Cluster;
  /** The listener's name. */
  readonly listener: string;
  readonly route: Route;
  readonly settings: WebSocketSettings;
  /** Whether frames to the endpoint carry random masks, and not zeros. */
  readonly randomMasks: boolean;
  readonly wheel: TimerWheel;
  readonly dialler: UpstreamDialler;
  readonly random: RandomPool;
  /** Makes the sessions, which live on after their upgrade. */
  readonly relay: Relay;
  readonly handshakeDuration: Histogram;
  readonly log: Logger;
  /** Writes the access lines of sessions; null without an access log. */
  readonly access: Logger | null;
  /** The upgrades that are under way, for draining. */
  readonly pending: LiveSet<Upgrade>;
  /** After how many milliseconds without a byte the long body of a refusal is cut; 0 is never. */
  readonly bodyIdleTimeoutMs: number;
  readonly bound: BoundConnections;
  /** How long a bound connection is kept, in milliseconds. */
  readonly keepAliveMs: number;
  readonly refusals: RefusedHandshakes;
  /** Counts a refusal that was cut in the middle of its body. */
  countCut(reason: ResponseCut): void;
}

/** A client's handshake that is in order, on its way upstream. */
export interface UpgradeOrder {
  readonly head: RequestHead;
  readonly to: UpstreamTarget;
  readonly login: ConnectionLogin;
  readonly subprotocols: readonly string[];
  /** What an endpoint is chosen by. */
  readonly pick: PickContext;
  /** Whether the client uses TLS, towards us or towards a trusted proxy in front. */
  readonly secure: boolean;
  /** Whether a Via header is added to the response. */
  readonly via: boolean;
  readonly client: ClientIdentity;
  readonly asker: Asker;
  /** When the request came, by `performance.now()`. */
  readonly startedAt: number;
}

/**
 * One client's handshake: dials an endpoint, does the handshake with it, and only after its 101 answers the
 * client 101. Endpoints that fail before that are replaced by others while retries and time last.
 */
export class Upgrade extends Timed implements UpstreamOwner, Entrant {
  liveIndex = -1;
  place: Entrant['place'] = 'outside';
  readonly #context: UpgradeContext;
  readonly #order: UpgradeOrder;
  readonly #reply: UpgradeReply;
  readonly #gate: ClusterGate;
  readonly #attempts: Attempts;
  /** When the client must have its answer, by the wheel's clock. */
  readonly #deadline: number;
  #endpoint: Endpoint | null = null;
  /** The endpoint that was asked last, for the access line. */
  #asked: Endpoint | null = null;
  #upstream: UpstreamSocket | null = null;
  readonly #bound: BoundRequest;
  /** Whether the connection has carried requests before, and brought nothing since. */
  #mayBeStale = false;
  #dialledAt = 0;
  /** How far the attempt is: the endpoint is dialled, is being sent the upgrade, or has got all of it. */
  #phase: 'dialling' | 'sending' | 'sent' = 'dialling';
  #key = '';
  #head = new ResponseHeadReader(true);
  /** The endpoint's answer if it is not a 101. */
  #refusal: Refusal | null = null;

  constructor(context: UpgradeContext, order: UpgradeOrder, reply: UpgradeReply, gate: ClusterGate) {
    super();
    this.#gate = gate;
    this.#context = context;
    this.#order = order;
    this.#reply = reply;
    this.#attempts = context.cluster.attempts(order.pick);
    this.#bound = new BoundRequest(context, order.asker, order.login);
    this.#deadline = context.wheel.now + context.settings.handshakeTimeoutMs;
  }

  /** Begins. The client may be answered before this returns. */
  start(): void {
    const { pending, wheel } = this.#context;
    this.#bound.recognise();
    if (!this.#gate.enter(this)) {
      this.#refuse('overload', 503, 'too many handshakes are waiting');
      return;
    }
    pending.add(this);
    if (this.place === 'queued') wheel.arm(this, this.#deadline - wheel.now);
    else this.#tryNext();
  }

  get source(): string {
    return networkOf(this.#order.client.address);
  }

  displaced(): void {
    this.#refuse('overload', 503, 'too many handshakes of this address are waiting');
  }

  admitted(): void {
    this.#tryNext();
    this.#context.dialler.downstreamTouched();
  }

  /** The client has gone: nothing is owed to it any more. */
  clientGone(): void {
    const isAnswered = !this.#context.pending.has(this);
    this.#refusal?.drop();
    this.#dropUpstream();
    // The client has got a part of a refusal: it counts as refused.
    if (isAnswered) return;
    this.#finish('client_gone', CLIENT_GONE);
    this.#gate.leave(this);
  }

  /** Gives up because the worker is draining. */
  cancel(): void {
    this.#refusal?.drop();
    this.#dropUpstream();
    this.#refuse('draining', 503, 'the proxy is shutting down');
  }

  upstreamConnected(): void {
    this.#context.cluster.connectDuration.observe((performance.now() - this.#dialledAt) / 1000);
    this.#endpoint?.countDial();
    this.#send();
  }

  #send(): void {
    const { wheel, random } = this.#context;
    wheel.arm(this, this.#deadline - wheel.now);
    this.#key = random.take(16).toString('base64');
    const upgrade = encodeUpgradeRequest(this.#order.head, this.#order.to, this.#key);
    this.#phase = this.#upstream?.write(upgrade) === false ? 'sending' : 'sent';
  }

  upstreamDrained(): void {
    this.#phase = 'sent';
  }

  upstreamData(input: Buffer, start: number, end: number): void {
    this.#mayBeStale = false;
    const head = this.#head.push(input.subarray(start, end));
    if (head === 'incomplete') return;
    if (typeof head === 'string') this.#failAttempt('handshake', head);
    else if (head.status === SWITCHING_PROTOCOLS) this.#switch(head, this.#head.rest);
    else this.#passOn(head, this.#head.rest);
  }

  upstreamEnded(): void {
    this.#failAttempt('reset', 'the endpoint closed during the handshake');
  }

  upstreamClosed(error: Error | null): void {
    if (error === null) {
      this.upstreamEnded();
      return;
    }
    this.#failAttempt(connectFailureOf(error), error.message);
  }

  override expire(): void {
    if (this.place === 'queued') {
      this.#gate.countTimeout();
      this.#refuse('overload', 503, 'the handshake has waited too long for others');
      return;
    }
    const late = this.#context.wheel.now >= this.#deadline;
    if (late) {
      const kind = this.#phase === 'dialling' ? 'connect' : 'handshake';
      this.#dropUpstream('timeout', this.#hadItsTime ? kind : null);
      this.#refuse('timeout', 504, 'the endpoint did not answer in time');
    } else {
      this.#failAttempt('timeout', 'the endpoint did not accept in time');
    }
  }

  #tryNext(): void {
    const { wheel } = this.#context;
    if (this.#bound.mustIdentify) {
      wheel.arm(this, this.#deadline - wheel.now);
      this.#bound.identify(() => this.#tryNext());
      return;
    }
    // A connection that is bound to the client's is the first choice.
    const bound = this.#asked === null ? this.#bound.take() : null;
    if (bound !== null) {
      this.#use(bound.endpoint);
      this.#upstream = bound.socket;
      this.#mayBeStale = true;
      bound.socket.owner = this;
      this.#send();
      return;
    }
    const endpoint = this.#attempts.next();
    if (endpoint === null) {
      this.#giveUp();
      return;
    }
    this.#use(endpoint);
    this.#dial(endpoint);
  }

  #use(endpoint: Endpoint): void {
    this.#endpoint = this.#asked = endpoint;
    this.#bound.beginUse(endpoint);
  }

  #dial(endpoint: Endpoint): void {
    const { cluster, wheel, dialler } = this.#context;
    this.#head = new ResponseHeadReader(true);
    this.#phase = 'dialling';
    this.#dialledAt = performance.now();
    const left = this.#deadline - wheel.now;
    wheel.arm(this, Math.min(cluster.config.connectTimeoutMs, left));
    this.#upstream = dialler.open(cluster, endpoint, this);
  }

  /** The endpoint said 101: exactly then, and only if all of it is right, the two sides are joined. */
  #switch(head: ResponseHead, rest: Buffer): void {
    const answer = checkUpgradeResponse(head, acceptKey(this.#key), this.#order.subprotocols);
    if (typeof answer === 'string') {
      this.#failAttempt('handshake', answer);
      return;
    }
    const context = this.#context;
    const upstream = this.#upstream!;
    const endpoint = this.#endpoint!;
    this.#upstream = null;
    this.#bound.endUse();
    context.wheel.disarm(this);
    context.pending.delete(this);
    const log = this.#logFor(endpoint, answer.subprotocol);
    const session = context.relay.createSession(upstream, endpoint, log);
    this.#attempts.succeed(endpoint);
    const cookie = this.#attempts.cookieFor(endpoint, this.#order.secure);
    const headers: Header[] = [...answer.headers];
    if (this.#order.via) headers.push(['Via', viaElement()]);
    if (cookie !== null) headers.push(['Set-Cookie', cookie, true]);
    if (!this.#reply.accept(session, answer.subprotocol, headers)) {
      session.discard();
      this.#refused('client_gone', CLIENT_GONE);
      this.#gate.leave(this);
      return;
    }
    context.dialler.downstreamTouched();
    context.handshakeDuration.observe((performance.now() - this.#order.startedAt) / 1000);
    if (rest.length > 0) session.upstreamData(rest, 0, rest.length);
    this.#gate.leave(this);
  }

  /**
   * Passes on anything else: it is the application's answer as soon as its head is there. What becomes of the body says
   * nothing about the endpoint, and no other one is asked.
   */
  #passOn(head: ResponseHead, rest: Buffer): void {
    const { wheel, log, bodyIdleTimeoutMs: idleTimeoutMs } = this.#context;
    const endpoint = this.#endpoint!;
    this.#attempts.answered(endpoint, head.status);
    this.#bound.answered(head);
    wheel.disarm(this);
    const collectMs = Math.max(0, this.#deadline - wheel.now);
    const terms = {
      reply: this.#reply.http,
      wheel,
      collectMs,
      idleTimeoutMs,
      log,
      requestId: this.#order.client.requestId,
    };
    const upstream = this.#upstream!;
    this.#upstream = null;
    const headers = endToEndHeaders(head);
    if (this.#order.via) headers.push(['Via', viaElement(head.isOld)]);
    this.#refusal = new Refusal(upstream, head, headers, terms, this);
    this.#refusal.start(rest);
  }

  refusalKeeps(upstream: UpstreamSocket): boolean {
    // A slow client may have paused it: paused, it would never bring the next response.
    upstream.resume();
    const isKept = this.#bound.keep(this.#endpoint!, upstream);
    // The connection stays counted.
    if (isKept) this.#endpoint = null;
    return isKept;
  }

  refusalEnded(): void {
    this.#dropUpstream();
  }

  refusalAnswered(): void {
    this.#context.pending.delete(this);
    this.#gate.leave(this);
  }

  refusalOver(status: number): void {
    const { cutBy } = this.#reply.http;
    if (cutBy !== null) this.#context.countCut(cutBy);
    this.#finish('refused', status);
  }

  downstreamTouched(): void {
    this.#context.dialler.downstreamTouched();
  }

  #failAttempt(reason: ConnectFailure, detail: string): void {
    const { cluster, log } = this.#context;
    if (this.#mayBeStale && reason === 'reset') {
      // The endpoint has closed a connection that it had kept open until now: no failure, and no retry.
      this.#mayBeStale = false;
      this.#closeUpstream();
      this.#dial(this.#endpoint!);
      return;
    }
    const { requestId } = this.#order.client;
    const endpoint = this.#endpoint!.label;
    cluster.failureLog.write(log, { cluster: cluster.name, endpoint, requestId, reason, detail });
    const answer = reason === 'handshake';
    const kind = this.#phase === 'dialling' ? 'connect' : answer ? 'handshake' : 'reset';
    this.#dropUpstream(reason, kind);
    // The endpoint may have acted on the upgrade, or may refuse it by a reset: no other endpoint gets it.
    if (this.#phase === 'sent' && !answer) {
      this.#refuse('reset', 502, 'the endpoint closed the connection without an answer');
    } else if (this.#phase !== 'dialling' && this.#bound.authorizes) {
      // Nor does any other get credentials that the first may have got.
      this.#giveUp();
    } else {
      this.#tryNext();
    }
  }

  /** Whether the endpoint had all of its time: the queue or earlier attempts may have used it up. */
  get #hadItsTime(): boolean {
    const { cluster, settings } = this.#context;
    const time = Math.min(cluster.config.connectTimeoutMs, settings.handshakeTimeoutMs);
    return performance.now() - this.#dialledAt >= time - TICK_MS;
  }

  /**
   * Cuts the connection to the endpoint, if there is one, and counts the failure, if it is one.
   *
   * @param kind as for {@link Attempts.fail}
   */
  #dropUpstream(failure: ConnectFailure | null = null, kind: OutlierFailure | null = null): void {
    const endpoint = this.#endpoint;
    this.#endpoint = null;
    this.#bound.endUse();
    this.#closeUpstream();
    if (endpoint === null) return;
    if (failure === null) endpoint.release();
    else this.#attempts.fail(endpoint, failure, kind);
  }

  #closeUpstream(): void {
    const upstream = this.#upstream;
    this.#upstream = null;
    if (upstream === null) return;
    upstream.owner = null;
    upstream.destroy();
  }

  #giveUp(): void {
    const { failure, status, message } = failureAnswer(this.#attempts);
    this.#refuse(failure, status, message);
  }

  #refuse(failure: HandshakeFailure, status: 502 | 503 | 504, message: string): void {
    this.#finish(failure, status, message);
    sendRefusal(this.#reply.http, status, message);
    this.#context.dialler.downstreamTouched();
    this.#gate.leave(this);
  }

  #finish(failure: HandshakeFailure, status: number, detail?: string): void {
    this.#bound.cancel();
    this.#context.wheel.disarm(this);
    this.#context.pending.delete(this);
    this.#refused(failure, status, detail);
  }

  /** Counts and logs a handshake that does not become a session. */
  #refused(reason: HandshakeFailure, status: number, detail?: string): void {
    const { refusals, route, cluster } = this.#context;
    const { head, client, startedAt } = this.#order;
    const endpoint = this.#asked?.label;
    const place = { route: route.name, cluster: cluster.name, endpoint };
    const { cutBy: cut } = this.#reply.http;
    refusals.refused({ head, client, ...place, status, reason, detail, cut, startedAt });
  }

  /** Returns what writes the access lines of a session; null without an access log. */
  #logFor(endpoint: Endpoint, subprotocol: string): SessionLog | null {
    const { access, listener, route, cluster } = this.#context;
    const { head, client } = this.#order;
    if (access === null) return null;
    const place = { listener, route: route.name, cluster: cluster.name, endpoint: endpoint.label };
    return new SessionLines(access, place, head, client, subprotocol);
  }
}
