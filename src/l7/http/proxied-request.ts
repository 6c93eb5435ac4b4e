import type { OutlierFailure } from '../../config/types/cluster.ts';
import { Timed } from '../../core/timing/timer-wheel.ts';
import type { ConnectFailure } from '../../upstream/endpoint.ts';
import type { BodyReader } from '../../wire/http/body-reader.ts';
import type { ResponseHead } from '../../wire/http/response-head.ts';
import { endToEndHeaders } from '../../wire/upgrade/upgrade-response.ts';
import { encodeRequest, framingOf, type RequestFraming } from '../../wire/http/request-encoding.ts';
import { viaElement } from '../../wire/forwarding/forwarded-headers.ts';
import { CLIENT_GONE, type Header, type ResponseCut } from '../contract/http-reply.ts';
import { sendRefusal } from '../contract/own-refusal.ts';
import { closesUnread } from '../contract/unread-body.ts';
import type { Buffering } from '../buffers/buffer-budget.ts';
import type { RequestRefusal } from '../contract/listener-stats.ts';
import type { RequestBody } from '../contract/request-body.ts';
import { BodyPace } from './body-pace.ts';
import { keepAliveHint } from '../upstream/keep-alive-hint.ts';
import type { ProxyContext, ProxyOrder } from './proxy-order.ts';
import { RequestAttempts } from './request-attempts.ts';
import { RequestUpload } from './request-upload.ts';
import { ResponseRelay } from '../upstream/response-relay.ts';
import type { UpstreamRequestOwner, UpstreamRequest } from '../upstream/upstream-request.ts';

/** Methods that may be sent twice (RFC 9110 section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);
/** Bytes of a body, or all of a shorter one, that must come before a connection to an endpoint is taken. */
const GATHERED_BYTES = 16 * 1024;

/**
 * One client's request. Its body is gathered up to {@link GATHERED_BYTES} first: a client that sends little holds no
 * connection of its cluster. The request then goes to an endpoint, on a kept connection if one is free, and the client
 * gets the endpoint's response. An endpoint that fails before it answers is replaced by another if nothing has been sent
 * yet, or if the method may be repeated and the body is still at hand.
 */
export class ProxiedRequest extends Timed implements UpstreamRequestOwner, Buffering {
  liveIndex = -1;
  bufferedDownstream = 0;
  bufferedUpstream = 0;
  bufferedUnfinished = 0;
  readonly #context: ProxyContext;
  readonly #order: ProxyOrder;
  readonly #attempts: RequestAttempts;
  readonly #framing: RequestFraming;
  readonly #upload: RequestUpload | null;
  readonly #pace: BodyPace;
  readonly #relay: ResponseRelay;
  #state: 'gathering' | 'identifying' | 'connecting' | 'sending' | 'waiting' | 'answering' | 'over' =
    'gathering';
  /** Whether an endpoint may have got some of the request. */
  #wasSent = false;
  #status = 0;
  /** Why the request is refused, if it is at fault itself. */
  #refusal: RequestRefusal | null = null;
  /** When something has moved last, by the wheel's clock. */
  #movedAt = 0;
  #keepAliveMs: number;

  constructor(context: ProxyContext, order: ProxyOrder) {
    super();
    this.#context = context;
    this.#order = order;
    this.#attempts = new RequestAttempts(context, order, this);
    this.#framing = framingOf(order.head);
    this.#keepAliveMs = context.settings.keepAliveMs;
    this.#upload =
      order.body === null
        ? null
        : new RequestUpload(order.body, this.#framing === 'chunked', context.writer, this);
    this.#pace = new BodyPace(context.settings.minBodyRate, context.wheel.now);
    this.#relay = new ResponseRelay(order.reply, this);
  }

  /** Begins. The client may be answered before this returns. */
  start(): void {
    const { body, reply } = this.#order;
    this.#context.requests.add(this);
    this.#attempts.bound.recognise();
    reply.onAborted(() => this.#clientGone());
    if (body !== null) body.onWaiting(() => this.#bodyWaits(body));
    if (body === null || this.#context.settings.minBodyRate === 0) {
      this.#tryNext();
      return;
    }
    this.moved();
    this.#armUpload(body);
  }

  /** Ends the request because its worker ends. */
  cancel(): void {
    this.#drop(null);
    this.#end('shutdown', 503, 'the proxy is shutting down');
  }

  override expire(): void {
    const { wheel, settings } = this.#context;
    switch (this.#state) {
      case 'gathering':
      case 'sending':
        this.#checkUpload(this.#order.body!);
        return;
      case 'connecting':
        this.#failAttempt('timeout', 'the endpoint did not accept in time', 'connect');
        return;
      case 'waiting':
        this.#attempts.warn('timeout', 'the endpoint did not answer in time');
        this.#drop('timeout', null);
        this.#refuse(504, 'the endpoint did not answer in time');
        return;
      case 'answering': {
        const left = this.#movedAt + settings.idleTimeoutMs - wheel.now;
        if (left > 0) wheel.arm(this, left);
        else this.#endIdle();
        return;
      }
      case 'identifying':
      case 'over':
    }
  }

  requestConnected(): void {
    this.#attempts.connected();
    this.#send();
  }

  requestDrained(): void {
    this.#upload?.drained();
    this.#context.dialler.downstreamTouched();
  }

  /** Something has gone up or come down. */
  moved(): void {
    this.#movedAt = this.#context.wheel.now;
  }

  measureBuffers(): void {
    if (this.#state === 'over') return;
    const { body } = this.#order;
    const waiting = (body?.waiting ?? 0) + (this.#upload?.kept ?? 0);
    this.#context.budget.setUpstream(this, waiting + (this.#attempts.request?.socket.writableLength ?? 0));
  }

  shed(): void {
    this.#refusal = 'buffer_budget';
    this.#drop(null);
    this.#end('buffer_budget', 503, 'the buffers of the proxy are full');
  }

  uploadHeld(isHeld: boolean): void {
    const { wheel } = this.#context;
    if (isHeld) this.#pace.hold(wheel.now);
    else this.#pace.run(wheel.now);
    if (this.#state === 'sending') this.#armUpload(this.#order.body!);
  }

  /** All of the request has been sent: from now on the endpoint has its time to answer. */
  uploaded(): void {
    if (this.#state !== 'sending') return;
    this.#state = 'waiting';
    this.#context.wheel.arm(this, this.#context.settings.requestTimeoutMs);
  }

  /** The client sends more than it may. */
  uploadTooLarge(): void {
    this.#refusal = 'body_too_large';
    this.#drop(null);
    this.#end('body_too_large', 413, 'the body of the request is larger than allowed');
  }

  get maxBodySize(): number {
    return this.#context.settings.maxBodySize;
  }

  responseHead(head: ResponseHead, body: BodyReader): void {
    const { wheel, settings } = this.#context;
    this.#state = 'answering';
    this.#status = head.status;
    this.moved();
    if (settings.idleTimeoutMs > 0) wheel.arm(this, settings.idleTimeoutMs);
    else wheel.disarm(this);
    this.#keepAliveMs = Math.min(this.#keepAliveMs, keepAliveHint(head));
    const headers: Header[] = endToEndHeaders(head);
    if (this.#order.via) headers.push(['Via', viaElement(head.isOld)]);
    this.#attempts.answered(head);
    const cookie = this.#attempts.cookie();
    if (cookie !== null) headers.push(['Set-Cookie', cookie, true]);
    this.#relay.head(head, headers, body, this.#order.head.method === 'HEAD');
  }

  bodyData(bytes: Buffer): void {
    this.moved();
    this.#relay.data(bytes);
  }

  readDone(): void {
    this.#relay.readDone();
    this.#context.dialler.downstreamTouched();
  }

  responseEnd(): void {
    const uploaded = this.#upload === null || this.#upload.sent;
    this.#attempts.finish(uploaded, this.#keepAliveMs);
    this.#upload?.stop();
    // What goes in one small write the kernel takes, and nothing has to be watched.
    if (this.#upload !== null || !this.#relay.fitsOneWrite) this.#context.dialler.downstreamTouched();
    this.#relay.end();
  }

  requestFailed(reason: ConnectFailure, detail: string): void {
    this.#context.dialler.downstreamTouched();
    const request = this.#attempts.request!;
    this.#attempts.request = null;
    if (this.#order.reply.begun) {
      this.#attempts.warn(reason, detail);
      this.#drop(reason, null);
      this.#cut('endpoint');
      return;
    }
    const stale = this.#attempts.reused && !request.answered && reason === 'reset';
    if (stale && this.#isRepeatable()) {
      // The endpoint has closed a connection that it had kept open until now: no failure, and no retry.
      this.#upload?.detach();
      this.#attempts.dial(this.#attempts.endpoint!);
      this.#dialling();
      return;
    }
    const broken: OutlierFailure | null = stale || reason === 'handshake' ? null : 'reset';
    this.#failAttempt(reason, detail, this.#state === 'connecting' ? 'connect' : broken, request);
  }

  /** The relay wants nothing more for now, because the client is slow, or wants more again. */
  pauseResponse(): void {
    this.#attempts.request?.socket.pause();
  }

  resumeResponse(): void {
    this.moved();
    this.#attempts.request?.socket.resume();
  }

  /** All of the response has been handed to the client. */
  relayed(): void {
    this.#finish(this.#status);
  }

  /** A part of the body has come, and waits to be read. */
  #bodyWaits(body: RequestBody): void {
    this.moved();
    this.measureBuffers();
    if (this.#state !== 'gathering') return;
    if (this.maxBodySize > 0 && body.received > this.maxBodySize) this.uploadTooLarge();
    else if (body.ended || body.received >= GATHERED_BYTES) this.#tryNext();
  }

  #tryNext(): void {
    if (this.#attempts.bound.mustIdentify) {
      this.#state = 'identifying';
      this.#pace.hold(this.#context.wheel.now);
      this.#context.wheel.disarm(this);
      this.#attempts.bound.identify(() => this.#tryNext());
      return;
    }
    switch (this.#attempts.next()) {
      case 'connected':
        this.#send();
        return;
      case 'dialling':
        this.#dialling();
        return;
      case null:
        this.#giveUp();
    }
  }

  #dialling(): void {
    const { cluster, wheel } = this.#context;
    this.#state = 'connecting';
    this.#pace.hold(wheel.now);
    wheel.arm(this, cluster.config.connectTimeoutMs);
  }

  #send(): void {
    const { writer, settings } = this.#context;
    const { head, to } = this.#order;
    const { socket } = this.#attempts.request!;
    writer.head(socket, encodeRequest(head, to, this.#framing, settings.keepAliveMs === 0));
    this.#state = 'sending';
    this.#wasSent = true;
    if (this.#upload === null) {
      this.uploaded();
      return;
    }
    this.moved();
    // Arms the deadlines of the upload.
    this.#upload.start(socket);
  }

  /** Arms the nearest deadline of a body that has not come whole. */
  #armUpload(body: RequestBody): void {
    const { wheel, settings } = this.#context;
    const idleMs = settings.idleTimeoutMs > 0 ? this.#movedAt + settings.idleTimeoutMs - wheel.now : Infinity;
    const left = Math.min(idleMs, this.#paceLeft(body));
    if (left === Infinity) wheel.disarm(this);
    else wheel.arm(this, Math.max(0, left));
  }

  #checkUpload(body: RequestBody): void {
    const { wheel, settings } = this.#context;
    const { idleTimeoutMs } = settings;
    if (this.#paceLeft(body) === 0) this.#refuseSlow();
    else if (idleTimeoutMs > 0 && this.#movedAt + idleTimeoutMs <= wheel.now) this.#refuseIdle();
    else this.#armUpload(body);
  }

  /** Milliseconds until the client's rate is too low. */
  #paceLeft(body: RequestBody): number {
    return body.ended ? Infinity : this.#pace.timeLeft(this.#context.wheel.now, body.received);
  }

  #refuseSlow(): void {
    this.#refusal = 'body_too_slow';
    this.#drop(null);
    this.#refuse(408, 'the body of the request comes too slowly');
  }

  #isRepeatable(): boolean {
    const unsent = this.#state === 'connecting';
    if (unsent) return true;
    return IDEMPOTENT.has(this.#order.head.method) && (this.#upload === null || this.#upload.isRepeatable);
  }

  #failAttempt(
    reason: ConnectFailure,
    detail: string,
    kind: OutlierFailure | null,
    request: UpstreamRequest | null = this.#attempts.request,
  ): void {
    this.#attempts.warn(reason, detail);
    // Nobody may repeat what the endpoint has begun to answer, either.
    // An endpoint that may have got the credentials of a connection is the only one that gets them.
    const again =
      this.#isRepeatable() &&
      request?.answered !== true &&
      !(this.#wasSent && this.#attempts.bound.authorizes);
    this.#drop(reason, kind);
    if (again) this.#tryNext();
    else this.#giveUp();
  }

  /**
   * Stops sending to the endpoint, and drops its connection.
   *
   * @param kind as for {@link RequestAttempts.drop}
   */
  #drop(failure: ConnectFailure | null, kind: OutlierFailure | null = null): void {
    this.#upload?.detach();
    this.#attempts.drop(failure, kind);
  }

  #giveUp(): void {
    const { status, message } = this.#attempts.refusal();
    this.#refuse(status, message);
  }

  /** Nothing has gone up for too long: that is the endpoint's fault only where it does not take what is there. */
  #refuseIdle(): void {
    const blocked = this.#upload!.isBlocked;
    this.#drop(blocked ? 'timeout' : null);
    if (blocked) {
      this.#refuse(504, 'the endpoint does not take the request');
    } else {
      this.#refusal = 'body_idle';
      this.#refuse(408, 'the request did not come in time');
    }
  }

  #refuse(status: 408 | 413 | 502 | 503 | 504, message: string): void {
    const { head, body, reply } = this.#order;
    sendRefusal(reply, status, message, closesUnread(status, head, body));
    this.#finish(status);
  }

  /** Nothing has moved for too long since the response's head came. */
  #endIdle(): void {
    const { reply } = this.#order;
    if (reply.begun) {
      this.#cut('idle_timeout');
      return;
    }
    this.#attempts.warn('timeout', 'the endpoint sent a head and no body in time');
    this.#drop('timeout');
    this.#refuse(504, 'the endpoint did not answer in time');
  }

  /** Answers with the status, or cuts the response if it has begun. */
  #end(reason: ResponseCut, status: 413 | 503, message: string): void {
    if (this.#order.reply.begun) this.#cut(reason);
    else this.#refuse(status, message);
  }

  #cut(reason: ResponseCut): void {
    this.#drop(null);
    this.#order.reply.cut(reason);
    this.#finish(this.#status);
  }

  #clientGone(): void {
    if (this.#state === 'over') return;
    this.#drop(null);
    this.#finish(this.#order.reply.begun ? this.#status : CLIENT_GONE);
  }

  #finish(status: number): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#context.requests.delete(this);
    this.#context.wheel.disarm(this);
    this.#upload?.stop();
    if (this.#upload !== null) this.#context.budget.forget(this);
    this.#attempts.release();
    this.#order.done(status, this.#attempts.asked, this.#refusal);
  }
}
