import type { Admission } from '../../access/contract/admission.ts';
import { Timed } from '../../core/timing/timer-wheel.ts';
import { ACCESS, EVENT } from '../../telemetry/journal/journal.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import type { ResponseHead } from '../../wire/http/response-head.ts';
import { networkOf } from '../../wire/ip-address.ts';
import type { UpgradeResponse } from '../../wire/upgrade/upgrade-response.ts';
import { CLIENT_GONE, type Header } from '../contract/http-reply.ts';
import type { HandshakeFailure } from '../contract/listener-stats.ts';
import { sendRefusal } from '../contract/own-refusal.ts';
import type { SessionLog } from '../contract/relay.ts';
import type { UpgradeReply } from '../contract/upgrade-reply.ts';
import type { UpstreamSocket } from '../contract/upstream-socket.ts';
import { addProxyHeaders, answerHeaders, forwardInterim } from '../upstream/answer-headers.ts';
import { EndpointRefusal, type EndpointRefusalOwner } from './handshakes/endpoint-refusal.ts';
import type { ClusterGate, Entrant } from './handshakes/handshake-gate.ts';
import { SessionEntry } from './session-entry.ts';
import { SessionFailure } from './session-failure.ts';
import { tapOf } from './session-tap.ts';
import { UpgradeAttempts, type UpgradeAttemptsOwner, type UpgradeStep } from './upgrade-attempts.ts';
import type { UpgradeContext, UpgradeOrder } from './upgrade-order.ts';

/**
 * One client's handshake, from the gate to its answer. The client gets 101 only after an endpoint's 101. If
 * an endpoint fails before that, others are tried while retries and time last.
 */
export class Upgrade extends Timed implements Entrant, UpgradeAttemptsOwner, EndpointRefusalOwner {
  liveIndex = -1;
  place: Entrant['place'] = 'outside';
  readonly #context: UpgradeContext;
  readonly #order: UpgradeOrder;
  readonly #reply: UpgradeReply;
  readonly #gate: ClusterGate;
  readonly #attempts: UpgradeAttempts;
  /** Deadline of the client's answer, by the wheel's clock. */
  readonly #deadline: number;
  /** The endpoint's answer if it is not 101, null until then. */
  #endpointRefusal: EndpointRefusal | null = null;

  constructor(context: UpgradeContext, order: UpgradeOrder, reply: UpgradeReply, gate: ClusterGate) {
    super();
    this.#gate = gate;
    this.#context = context;
    this.#order = order;
    this.#reply = reply;
    this.#attempts = new UpgradeAttempts(context, order, this);
    this.#deadline = context.wheel.now + context.settings.handshakeTimeoutMs;
  }

  /** Starts the handshake. The client may be answered before this returns. */
  start(): void {
    this.#attempts.bound.recognise();
    if (this.#order.place !== null) this.#gate.transfer(this.#order.place, this);
    else if (!this.#gate.enter(this)) {
      this.#sendOwnRefusal('overload', 503, 'too many handshakes are waiting');
      return;
    }
    this.#context.pending.add(this);
    if (this.place === 'queued') this.#armDeadline();
    else this.#tryNext();
  }

  get source(): string {
    return networkOf(this.#order.client.address);
  }

  displaced(): void {
    this.#sendOwnRefusal('overload', 503, 'too many handshakes from this address are waiting');
  }

  admitted(): void {
    this.#tryNext();
    this.clientsTouched();
  }

  /** Cancels the upgrade because the client has disconnected. */
  clientGone(): void {
    const isAnswered = !this.#context.pending.has(this);
    this.#order.admission.release();
    this.#endpointRefusal?.drop();
    this.#attempts.drop();
    // The client has received a part of a refusal, which already counts as refused.
    if (isAnswered) return;
    this.#finish('client_gone', CLIENT_GONE);
    this.#gate.leave(this);
  }

  get admission(): Admission {
    return this.#order.admission;
  }

  /**
   * Refuses the client with 503.
   *
   * @param detail why the client lost its admission, missing if the worker drains
   */
  cancel(detail?: string): void {
    this.#endpointRefusal?.drop();
    this.#attempts.drop();
    if (detail === undefined) this.#sendOwnRefusal('draining', 503, 'the proxy is draining');
    else this.#sendOwnRefusal('access', 503, detail);
  }

  override expire(): void {
    if (this.place === 'queued') {
      this.#gate.countTimeout();
      this.#sendOwnRefusal('overload', 503, 'the handshake waited too long in the queue');
      return;
    }
    const isLate = this.#context.wheel.now >= this.#deadline;
    this.attemptFailed(isLate ? this.#attempts.late() : this.#attempts.overdue());
  }

  attemptConnected(): void {
    this.#armDeadline();
    this.#attempts.send();
  }

  attemptFailed(step: UpgradeStep): void {
    if (step === 'redialled') this.#armDial();
    else if (step === 'retry') this.#tryNext();
    else this.#sendOwnRefusal(step.failure, step.status, step.message);
  }

  #tryNext(): void {
    if (this.#attempts.bound.mustIdentify) {
      this.#armDeadline();
      this.#attempts.bound.identify(() => this.#tryNext());
      return;
    }
    switch (this.#attempts.next()) {
      case 'connected':
        this.attemptConnected();
        return;
      case 'dialling':
        this.#armDial();
        return;
      case null:
        this.attemptFailed(this.#attempts.answer);
    }
  }

  #armDeadline(): void {
    const { wheel } = this.#context;
    wheel.arm(this, this.#deadline - wheel.now);
  }

  #armDial(): void {
    const { cluster, wheel } = this.#context;
    wheel.arm(this, Math.min(cluster.config.connectTimeoutMs, this.#deadline - wheel.now));
  }

  /** Answers 101 and joins the client's WebSocket to the endpoint's. */
  attemptSwitched({ subprotocol, extensions, headers }: UpgradeResponse, rest: Buffer): void {
    const { wheel, pending, relays, handshakeDuration } = this.#context;
    wheel.disarm(this);
    pending.delete(this);
    this.#attempts.succeed();
    const answered: Header[] = [...headers];
    if (extensions !== '') answered.push(['Sec-WebSocket-Extensions', extensions, true]);
    addProxyHeaders(answered, { via: this.#order.via, cookie: this.#attempts.cookie() });
    const endpoint = this.#attempts.takeEndpoint();
    const chosen = subprotocol === '' ? (this.#order.ownSubprotocol ?? '') : subprotocol;
    const log = this.#logFor(endpoint, chosen);
    const relay = relays.of(this.#order.engine);
    const session = relay.createSession(
      this.#attempts.takeSocket(),
      endpoint,
      extensions,
      log,
      this.#order.admission,
    );
    // Set before the answer, which may bring the first frames at once.
    if (this.#context.taps.isOn) session.tap = tapOf(this.#context, session, this.#order, chosen);
    if (!this.#reply.accept(session, chosen, answered)) {
      session.discard();
      this.#reportRefused('client_gone', CLIENT_GONE);
      this.#gate.leave(this);
      return;
    }
    this.clientsTouched();
    handshakeDuration.observe((performance.now() - this.#order.startedAt) / 1000);
    if (rest.length > 0) session.endpointBegan(rest);
    this.#gate.leave(this);
  }

  attemptInterim(head: ResponseHead): void {
    forwardInterim(head, this.#reply.http);
    this.clientsTouched();
  }

  /**
   * Forwards any other status. The head is already the application's answer, so no other endpoint is tried.
   * The rest of the body does not count for or against the endpoint.
   */
  attemptRefused(head: ResponseHead, rest: Buffer): void {
    const { wheel, log, bodyIdleTimeoutMs: idleTimeoutMs } = this.#context;
    this.#attempts.answered(head);
    wheel.disarm(this);
    const terms = {
      reply: this.#reply.http,
      wheel,
      collectMs: Math.max(0, this.#deadline - wheel.now),
      idleTimeoutMs,
      log,
      requestId: this.#order.requestId,
    };
    const headers = answerHeaders(head, { via: this.#order.via, cookie: null });
    this.#endpointRefusal = new EndpointRefusal(this.#attempts.takeSocket(), head, headers, terms, this);
    this.#endpointRefusal.start(rest);
  }

  refusalKeeps(upstream: UpstreamSocket): boolean {
    return this.#attempts.keepBound(upstream);
  }

  refusalEnded(): void {
    this.#attempts.drop();
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

  clientsTouched(): void {
    this.#order.engine.clientsTouched();
  }

  #sendOwnRefusal(failure: HandshakeFailure, status: 502 | 503 | 504, message: string): void {
    this.#finish(failure, status, message);
    sendRefusal(this.#reply.http, status, message);
    this.clientsTouched();
    this.#gate.leave(this);
  }

  #finish(failure: HandshakeFailure, status: number, detail?: string): void {
    this.#attempts.bound.cancel();
    this.#order.admission.release();
    this.#context.wheel.disarm(this);
    this.#context.pending.delete(this);
    this.#reportRefused(failure, status, detail);
  }

  /** Counts and logs a handshake that does not become a session. */
  #reportRefused(reason: HandshakeFailure, status: number, detail?: string): void {
    const { refusals, route, cluster } = this.#context;
    const { head, client, startedAt } = this.#order;
    const endpoint = this.#attempts.lastEndpoint?.label;
    const place = { route: route.name, cluster: cluster.name, endpoint };
    const { cutBy: cut } = this.#reply.http;
    const { count: attempts } = this.#attempts;
    refusals.refused({ head, client, ...place, attempts, status, reason, detail, cut, startedAt });
  }

  /** Returns the log of a session, or null if nothing needs it. */
  #logFor(endpoint: Endpoint, subprotocol: string): SessionLog | null {
    const { journal, listener, route, cluster } = this.#context;
    const { head, client, startedAt } = this.#order;
    if (!journal.isOn(ACCESS) && client.trace === null) {
      const admission = this.#order.admission;
      return journal.isOn(EVENT) ? new SessionFailure(this.#context, endpoint.label, admission) : null;
    }
    const place = { listener, route: route.name, cluster: cluster.name, endpoint: endpoint.label };
    const seconds = (performance.now() - startedAt) / 1000;
    const { count } = this.#attempts;
    return new SessionEntry(journal, place, head, client, subprotocol, count, seconds);
  }
}
