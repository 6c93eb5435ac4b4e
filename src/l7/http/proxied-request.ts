import { Timed } from '../../core/timing/timer-wheel.ts';
import type { ConnectFailure } from '../../upstream/endpoint.ts';
import type { BodyReader } from '../../wire/http/body-reader.ts';
import type { Trailers } from '../../wire/http/chunked-body/trailers.ts';
import { encodeRequest, framingOf, type RequestFraming } from '../../wire/http/request-encoding.ts';
import type { ResponseHead } from '../../wire/http/response-head.ts';
import { OVERDUE_REQUESTS, type AttemptStep, type OverdueRule } from '../attempts/failure-rules.ts';
import type { Buffering } from '../buffers/buffer-budget.ts';
import { CLIENT_GONE, type ResponseCut } from '../contract/http-reply.ts';
import type { RequestRefusal } from '../contract/listener-stats.ts';
import { sendRefusal, type OwnAnswer } from '../contract/own-refusal.ts';
import type { RequestBody } from '../contract/request-body.ts';
import { closesUnread } from '../contract/unread-body.ts';
import { answerHeaders, forwardInterim } from '../upstream/answer-headers.ts';
import { keepAliveHint } from '../upstream/keep-alive-hint.ts';
import { ResponseRelay } from '../upstream/response-relay.ts';
import type { UpstreamRequestOwner } from '../upstream/upstream-request.ts';
import type { ProxyContext, ProxyOrder } from './proxy-order.ts';
import { RequestAttempts } from './request-attempts.ts';
import { RequestUpload } from './request-upload.ts';
import { LATE_BODIES, TransferDeadlines } from './transfer-deadlines.ts';

/** Body bytes to collect before a connection to an endpoint is taken. A shorter body is collected whole. */
const GATHERED_BYTES = 16 * 1024;
/** Max time that a response's head waits for its body. A response that breaks before that becomes a 502. */
const HEAD_DELAY_MS = 1000;

/**
 * One client's request. Up to {@link GATHERED_BYTES} of its body are collected first, so that a slow client
 * holds no connection of its cluster. The request then goes to an endpoint, if possible on a kept connection.
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
  readonly #deadlines: TransferDeadlines;
  readonly #relay: ResponseRelay;
  #state: 'gathering' | 'identifying' | 'connecting' | 'sending' | 'waiting' | 'answering' | 'over' =
    'gathering';
  #status = 0;
  /** The reason label if the body or full buffers caused a refusal, or null. */
  #refusal: RequestRefusal | null = null;
  #own: OwnAnswer | null = null;
  #keepAliveMs: number;

  constructor(context: ProxyContext, order: ProxyOrder) {
    super();
    const { settings, writer, reserved } = context;
    this.#context = context;
    this.#order = order;
    this.#attempts = new RequestAttempts(context, order, this);
    this.#framing = framingOf(order.head);
    this.#keepAliveMs = settings.keepAliveMs;
    const dropped = [order.to.edits.dropped, reserved];
    this.#upload =
      order.body && new RequestUpload(order.body, this.#framing === 'chunked', dropped, writer, this);
    this.#deadlines = new TransferDeadlines(settings, context.wheel.now);
    this.#relay = new ResponseRelay(order.reply, this);
  }

  /** Starts the request. The client may be answered before this returns. */
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
    // Bytes that arrived during the check of credentials have not triggered a callback.
    if (body.received > 0 || body.ended) this.#bodyWaits(body);
  }

  /** Cancels the request because its worker ends. */
  cancel(): void {
    this.#end('shutdown', 503, { reason: 'draining', detail: 'the proxy is draining' });
  }

  override expire(): void {
    if (this.#state === 'gathering' || this.#state === 'sending') this.#checkUpload(this.#order.body!);
    else if (this.#state === 'connecting') this.#overdue(OVERDUE_REQUESTS.connect);
    else if (this.#state === 'waiting') this.#overdue(OVERDUE_REQUESTS.response);
    else if (this.#state === 'answering') this.#checkResponse();
  }

  requestConnected(): void {
    this.#attempts.connected();
    this.#send();
  }

  requestDrained(): void {
    this.#upload?.drained();
    this.#order.requester.engine.clientsTouched();
  }

  /** Called when bytes have moved in either direction. */
  moved(): void {
    this.#deadlines.movedAt = this.#context.wheel.now;
  }

  measureBuffers(): void {
    if (this.#state === 'over') return;
    const waiting = (this.#order.body?.waiting ?? 0) + (this.#upload?.kept ?? 0);
    this.#context.budget.setUpstream(this, waiting + (this.#attempts.request?.socket.writableLength ?? 0));
  }

  shed(): void {
    this.#endFor('buffer_budget', 503, 'the proxy buffers are full');
  }

  uploadHeld(isHeld: boolean): void {
    const { now } = this.#context.wheel;
    if (isHeld) this.#deadlines.hold(now);
    else this.#deadlines.run(now);
    if (this.#state === 'sending') this.#armUpload(this.#order.body!);
  }

  /** Called when the whole request was sent: the endpoint's time to answer starts. */
  uploaded(): void {
    if (this.#state !== 'sending') return;
    this.#state = 'waiting';
    if (this.#upload !== null) this.#attempts.bodySent();
    this.#arm(this.#context.settings.requestTimeoutMs);
  }

  /** Called when the body exceeds {@link maxBodySize}. */
  uploadTooLarge(): void {
    this.#endFor('body_too_large', 413, 'the request body is too large');
  }

  get maxBodySize(): number {
    return this.#context.settings.maxBodySize;
  }

  responseInterim(head: ResponseHead): void {
    forwardInterim(head, this.#order.reply);
    this.#order.requester.engine.clientsTouched();
  }

  responseHead(head: ResponseHead, body: BodyReader): void {
    this.#state = 'answering';
    this.#status = head.status;
    this.moved();
    this.#arm(Math.min(HEAD_DELAY_MS, this.#deadlines.idleLeft(this.#context.wheel.now)));
    this.#keepAliveMs = Math.min(this.#keepAliveMs, keepAliveHint(head));
    this.#attempts.answered(head);
    const headers = answerHeaders(head, { via: this.#order.via, cookie: this.#attempts.cookie() });
    this.#relay.head(head, headers, body, this.#order.head.method === 'HEAD');
  }

  bodyData(bytes: Buffer): void {
    this.moved();
    this.#relay.data(bytes);
  }

  readDone(): void {
    this.#relay.readDone();
    this.#order.requester.engine.clientsTouched();
  }

  responseEnd(trailers: Trailers): void {
    const uploaded = this.#upload === null || this.#upload.sent;
    this.#attempts.finish(uploaded, this.#keepAliveMs);
    this.#upload?.stop();
    // The kernel takes one small write at once, so the connection needs no processing.
    if (this.#upload !== null || !this.#relay.fitsOneWrite) this.#order.requester.engine.clientsTouched();
    this.#relay.end(trailers);
  }

  requestFailed(reason: ConnectFailure, detail: string): void {
    this.#order.requester.engine.clientsTouched();
    this.#upload?.detach();
    const hasBody = this.#upload?.isRepeatable ?? true;
    this.#follow(this.#attempts.failed(reason, detail, this.#order.reply.begun, hasBody));
  }

  /** Pauses reading from the endpoint until {@link resumeResponse}, because the client is slow. */
  pauseResponse(): void {
    this.#attempts.request?.socket.pause();
  }

  resumeResponse(): void {
    this.moved();
    this.#attempts.request?.socket.resume();
  }

  /** Called when the client's connection has taken the whole response. */
  relayed(): void {
    this.#finish(this.#status);
  }

  /** Called when a part of the body is buffered. */
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
      this.#deadlines.hold(this.#context.wheel.now);
      this.#arm(Infinity);
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
        this.#follow(this.#attempts.answer);
    }
  }

  #dialling(): void {
    this.#state = 'connecting';
    this.#deadlines.hold(this.#context.wheel.now);
    this.#arm(this.#context.cluster.config.connectTimeoutMs);
  }

  #send(): void {
    const { writer, settings } = this.#context;
    const { head, to, reply } = this.#order;
    const { socket } = this.#attempts.request!;
    const terms = { close: settings.keepAliveMs === 0, takesTrailers: reply.sendsTrailers };
    writer.head(socket, encodeRequest(head, to, this.#framing, terms));
    this.#state = 'sending';
    this.#attempts.wasSent = true;
    if (this.#upload === null) {
      this.uploaded();
      return;
    }
    this.moved();
    // Also arms the deadlines of the upload.
    this.#upload.start(socket);
  }

  #armUpload(body: RequestBody): void {
    this.#arm(this.#deadlines.uploadLeft(this.#context.wheel.now, body));
  }

  /** @param ms Infinity for no deadline */
  #arm(ms: number): void {
    if (ms === Infinity) this.#context.wheel.disarm(this);
    else this.#context.wheel.arm(this, ms);
  }

  #checkUpload(body: RequestBody): void {
    const overdue = this.#deadlines.overdue(this.#context.wheel.now, body);
    if (overdue === null) this.#armUpload(body);
    // The endpoint is to blame for the silence if it does not read the available bytes.
    else if (overdue === 'body_idle' && this.#upload!.isBlocked) this.#overdue(OVERDUE_REQUESTS.upload);
    else this.#refuseUpload(overdue, LATE_BODIES[overdue]);
  }

  #checkResponse(): void {
    const left = this.#deadlines.idleLeft(this.#context.wheel.now);
    if (left > 0) {
      this.#relay.flushHead();
      this.#arm(left);
    } else if (this.#order.reply.begun) this.#cut('idle_timeout');
    else this.#overdue(OVERDUE_REQUESTS.body);
  }

  #overdue(rule: OverdueRule): void {
    this.#upload?.detach();
    this.#follow(this.#attempts.overdue(rule));
  }

  #follow(step: AttemptStep): void {
    if (step === 'redialled') this.#dialling();
    else if (step === 'retry') this.#tryNext();
    else if (step === 'cut') this.#cut('endpoint');
    else this.#refuse(step.status, { reason: step.failure, detail: step.message });
  }

  /** Stops sending to the endpoint, which has not failed, and closes its connection. */
  #drop(): void {
    this.#upload?.detach();
    this.#attempts.drop();
  }

  #refuseUpload(refusal: RequestRefusal, message: string): void {
    this.#refusal = refusal;
    this.#drop();
    this.#refuse(408, { reason: refusal, detail: message });
  }

  /** Ends the request, and counts the reason of the refusal. */
  #endFor(reason: ResponseCut & RequestRefusal, status: 413 | 503, message: string): void {
    this.#refusal = reason;
    this.#end(reason, status, { reason, detail: message });
  }

  /** Answers with the status, or cuts the response if it has begun. */
  #end(reason: ResponseCut, status: 413 | 503, own: OwnAnswer): void {
    this.#drop();
    if (this.#order.reply.begun) this.#cut(reason);
    else this.#refuse(status, own);
  }

  #refuse(status: 408 | 413 | 502 | 503 | 504, own: OwnAnswer): void {
    const { head, body, reply } = this.#order;
    this.#own = own;
    sendRefusal(reply, status, own.detail, closesUnread(status, head, body));
    this.#finish(status);
  }

  #cut(reason: ResponseCut): void {
    this.#drop();
    this.#order.reply.cut(reason);
    this.#finish(this.#status);
  }

  #clientGone(): void {
    if (this.#state === 'over') return;
    this.#drop();
    const { begun, refusedAs } = this.#order.reply;
    if (refusedAs === 400) this.#refusal = 'bad_framing';
    this.#finish(begun ? this.#status : (refusedAs ?? CLIENT_GONE));
  }

  #finish(status: number): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#context.requests.delete(this);
    this.#context.wheel.disarm(this);
    this.#upload?.stop();
    if (this.#upload !== null) this.#context.budget.forget(this);
    this.#attempts.release();
    this.#order.done(status, this.#attempts.lastEndpoint, this.#refusal, this.#attempts.count, this.#own);
  }
}
