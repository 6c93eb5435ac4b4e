import { TICK_MS } from '../../core/timing/timer-wheel.ts';
import { connectFailureOf } from '../../upstream/dialling/dial.ts';
import type { ConnectFailure, Endpoint } from '../../upstream/endpoint.ts';
import { encodeUpgradeRequest } from '../../wire/http/request-encoding.ts';
import {
  ResponseHeadReader,
  SWITCHING_PROTOCOLS,
  type InterimSink,
  type ResponseHead,
} from '../../wire/http/response-head.ts';
import { acceptKey } from '../../wire/upgrade/accept-key.ts';
import { checkUpgradeResponse, type UpgradeResponse } from '../../wire/upgrade/upgrade-response.ts';
import { EndpointAttempts } from '../attempts/endpoint-attempts.ts';
import { OVERDUE_UPGRADES, UPGRADE_FAILURES, type AttemptStep } from '../attempts/failure-rules.ts';
import type { UpstreamOwner, UpstreamSocket } from '../contract/upstream-socket.ts';
import type { UpgradeContext, UpgradeOrder } from './upgrade-order.ts';

/** What follows a failed attempt: no client has got a part of a response. */
export type UpgradeStep = Exclude<AttemptStep, 'cut'>;

/** Hears how the attempts of an upgrade go. */
export interface UpgradeAttemptsOwner {
  /** The connection is established, and the upgrade may be sent. */
  attemptConnected(): void;
  /** The endpoint has sent an interim response. The upgrade may be over when this returns. */
  attemptInformed(head: ResponseHead): void;
  /** The endpoint has answered with a right 101. @param rest bytes behind it, valid during the call only */
  attemptSwitched(response: UpgradeResponse, rest: Buffer): void;
  /**
   * The endpoint has answered with another status.
   *
   * @param rest bytes behind the head, valid during the call only
   */
  attemptRefused(head: ResponseHead, rest: Buffer): void;
  /** The endpoint has failed, and its connection is closed. */
  attemptFailed(step: UpgradeStep): void;
}

/** The endpoints that one upgrade is sent to, one after the other, and the handshake with the current one. */
export class UpgradeAttempts extends EndpointAttempts implements UpstreamOwner, InterimSink {
  readonly #context: UpgradeContext;
  readonly #order: UpgradeOrder;
  readonly #owner: UpgradeAttemptsOwner;
  #socket: UpstreamSocket | null = null;
  #phase: 'dialling' | 'sending' | 'sent' = 'dialling';
  #key = '';
  #head = new ResponseHeadReader(true, this);

  constructor(context: UpgradeContext, order: UpgradeOrder, owner: UpgradeAttemptsOwner) {
    super(context, order, context.keepAliveMs);
    this.#context = context;
    this.#order = order;
    this.#owner = owner;
  }

  /**
   * Goes to the next endpoint. Returns whether the connection is established; null if there is no other
   * endpoint.
   */
  next(): 'connected' | 'dialling' | null {
    const bound = this.takeBound();
    if (bound !== null) {
      this.#socket = bound;
      bound.owner = this;
      return 'connected';
    }
    if (this.choose() === null) return null;
    this.redial();
    return 'dialling';
  }

  protected override redial(): void {
    this.#head = new ResponseHeadReader(true, this);
    this.#phase = 'dialling';
    this.#socket = this.dial(this);
  }

  /** Sends the upgrade on the established connection, with a key of the proxy's own. */
  send(): void {
    this.wasSent = true;
    this.#key = this.#context.random.take(16).toString('base64');
    const { head, to, extensions } = this.#order;
    const upgrade = encodeUpgradeRequest(head, to, this.#key, extensions);
    this.#phase = this.#socket?.write(upgrade) === false ? 'sending' : 'sent';
  }

  upstreamConnected(): void {
    this.connected();
    this.#owner.attemptConnected();
  }

  channelDrained(): void {
    this.#phase = 'sent';
  }

  channelData(input: Buffer, start: number, end: number): void {
    // Bytes have come: a kept connection was open.
    this.reused = false;
    const head = this.#head.push(input, start, end);
    if (head === 'incomplete' || this.#socket === null) return;
    if (typeof head === 'string') this.#failed('handshake', head);
    else if (head.status === SWITCHING_PROTOCOLS)
      this.#switched(head, input.subarray(this.#head.behind, end));
    else this.#owner.attemptRefused(head, input.subarray(this.#head.behind, end));
  }

  interimResponse(head: ResponseHead): void {
    if (this.#socket !== null) this.#owner.attemptInformed(head);
  }

  channelEnded(): void {
    this.#failed('reset', 'the endpoint closed during the handshake');
  }

  channelClosed(error: Error | null): void {
    if (error === null) this.channelEnded();
    else this.#failed(connectFailureOf(error), error.message);
  }

  #switched(head: ResponseHead, rest: Buffer): void {
    const { subprotocols, extensions } = this.#order;
    const response = checkUpgradeResponse(head, acceptKey(this.#key), subprotocols, extensions);
    if (typeof response === 'string') this.#failed('handshake', response);
    else this.#owner.attemptSwitched(response, rest);
  }

  /** Gives the current connection away. {@link endpoint} still counts it. */
  takeSocket(): UpstreamSocket {
    const socket = this.#socket!;
    this.#socket = null;
    return socket;
  }

  /** Gives the current endpoint away, and with it the count of its connection. */
  takeEndpoint(): Endpoint {
    const endpoint = this.endpoint!;
    this.bound.endUse();
    this.endpoint = null;
    return endpoint;
  }

  #failed(reason: ConnectFailure, detail: string): void {
    this.#close();
    this.#owner.attemptFailed(this.fail(this.#ruleOf(reason), reason, detail, true));
  }

  #ruleOf(reason: ConnectFailure): (typeof UPGRADE_FAILURES)[keyof typeof UPGRADE_FAILURES] {
    if (this.#phase === 'dialling') return UPGRADE_FAILURES.dialling;
    return reason === 'handshake' ? UPGRADE_FAILURES.wrongAnswer : UPGRADE_FAILURES[this.#phase];
  }

  /** The time for the current endpoint is over: closes its connection. Returns what follows. */
  overdue(): UpgradeStep {
    return this.#timeOut(OVERDUE_UPGRADES.connect);
  }

  /**
   * The time for the handshake is over: closes the connection to the current endpoint. Returns what follows.
   */
  late(): UpgradeStep {
    const { lateConnect, lateAnswer, notItsFault } = OVERDUE_UPGRADES;
    if (!this.#hadItsTime) return this.#timeOut(notItsFault);
    return this.#timeOut(this.#phase === 'dialling' ? lateConnect : lateAnswer);
  }

  #timeOut(rule: (typeof OVERDUE_UPGRADES)[keyof typeof OVERDUE_UPGRADES]): UpgradeStep {
    this.#close();
    return this.fail(rule, 'timeout', rule.detail, true);
  }

  /** Whether the endpoint had all of its time: the queue or earlier attempts may have used it up. */
  get #hadItsTime(): boolean {
    const { cluster, settings } = this.#context;
    const time = Math.min(cluster.config.connectTimeoutMs, settings.handshakeTimeoutMs);
    return this.waitedMs >= time - TICK_MS;
  }

  /** Closes the connection to the current endpoint, which has not failed. */
  drop(): void {
    this.#close();
    this.release();
  }

  #close(): void {
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.owner = null;
    socket.destroy();
  }
}
