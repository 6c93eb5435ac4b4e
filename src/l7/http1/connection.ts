import type { TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { ChannelOwner } from '../../transport/channel.ts';
import type { ClientChannel, ClientFacts } from '../../transport/client-transport.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';
import type { RequestHeadReader } from '../../wire/http/request-reader.ts';
import type { ChannelWriter } from '../buffers/channel-writer.ts';
import type { EngineRefusal } from '../contract/engine.ts';
import type { ExchangeEngine } from '../contract/exchange.ts';
import type { UnusedReason } from '../contract/listener-stats.ts';
import type { StreamSession } from '../contract/stream-session.ts';
import { MAX_DROPPED_BYTES } from '../contract/unread-body.ts';
import { ClientLink } from './client-link.ts';
import type { ConnectionTerms } from './connection-terms.ts';
import { Http1Exchange, type ExchangeConnection } from './http1-exchange.ts';
import { LingeringClose } from './lingering-close.ts';
import type { PipelinedConnection } from './pipelines.ts';
import { CUT_HEAD, LATE_HEAD, UNKNOWN_EXPECTATION, sendBadRequest } from './refusals.ts';
import { Http1Reply, type ReplyConnection } from './reply/http1-reply.ts';
import { createBodyFraming } from './request/body-framing.ts';
import { Http1RequestBody, type BodyConnection } from './request/http1-request-body.ts';
import { traitsOf } from './request/request-traits.ts';

/** Max requests of one connection per turn of the loop, so that other connections get their turn. */
const MAX_HEADS_PER_TURN = 8;
/** Max bytes of one read of a body. */
const MAX_BODY_READ_BYTES = 64 * 1024;
/** Max time to receive the unwanted rest of a body. */
const MAX_DROP_MS = 30_000;
const NOTHING = Buffer.alloc(0);
/** The event that the connection's deadline waits for. */
type Awaited = 'nothing' | 'first head' | 'next request' | 'head' | 'rest of a body';

/** A client's HTTP/1.x connection. Answers each request before it reads the next. No buffers while idle. */
export class Http1Connection
  extends ClientLink
  implements ChannelOwner, ExchangeConnection, ReplyConnection, BodyConnection, PipelinedConnection
{
  readonly #terms: ConnectionTerms;
  /** Set while a head, or empty lines before it, are being read. */
  #reader: RequestHeadReader | null = null;
  /** The request that is being answered, or null. */
  #exchange: Http1Exchange | null = null;
  /** The incomplete body of the current or the previous request, or null. */
  #body: Http1RequestBody | null = null;
  #requests = 0;
  #awaited: Awaited = 'nothing';
  /** Milliseconds on the wheel's clock, truncated to 32 bits so that V8 stores them in the object. */
  readonly #openedAt: number;
  /** Whether the connection stays open for another request. */
  #keepsAlive = true;
  /** Whether the client waits for 100 (Continue). */
  #expectsContinue = false;
  /** Whether FIN has arrived. */
  #ended = false;
  /** Whether {@link #read} is running. */
  #reading = false;
  /** Whether input is ignored because the end of the current request is unknown. */
  #ignoresInput = false;

  constructor(channel: ClientChannel, facts: ClientFacts, terms: ConnectionTerms) {
    super(channel, facts, terms.port);
    this.#terms = terms;
    this.#openedAt = terms.wheel.now | 0;
  }

  /** Starts reading. */
  start(): void {
    this.channel.owner = this;
    this.#await('first head', this.#terms.http.headerTimeoutMs);
    this.channel.resume();
  }

  get engine(): ExchangeEngine {
    return this.#terms.engine;
  }

  get wheel(): TimerWheel {
    return this.#terms.wheel;
  }

  get writer(): ChannelWriter {
    return this.#terms.writer;
  }

  maxReadBytes(): number {
    return this.#body === null ? this.room : MAX_BODY_READ_BYTES;
  }

  channelData(input: Buffer, start: number, end: number): void {
    if (this.#ignoresInput) return;
    const at = this.rest === null ? this.#read(input, start, end) : start;
    if (at < end) this.keep(input.subarray(at, end));
  }

  channelDrained(): void {
    this.#exchange?.reply.drained();
  }

  channelEnded(): void {
    this.#ended = true;
    const exchange = this.#exchange;
    if (this.#body !== null) this.#breakOff('the request ended in the middle of its body');
    else if (exchange === null && this.rest === null) this.#endInput();
    // A client cancels a handshake by FIN. Others may be waiting for its place.
    else if (exchange?.isUpgrade === true) this.#breakOff('the client closed during the handshake');
    else exchange?.reply.clientEnded();
  }

  channelClosed(): void {
    this.#await('nothing');
    if (this.#requests === 0) this.#reportUnused('ended');
    this.#release();
    this.#exchange?.reply.abort();
  }

  override expire(): void {
    const awaited = this.#awaited;
    this.#awaited = 'nothing';
    switch (awaited) {
      case 'first head':
      case 'head':
        if (this.#reader?.begun === true) this.#refuse(LATE_HEAD, this.#reader.partialHead());
        else this.#close();
        return;
      case 'next request':
        this.#close();
        return;
      case 'rest of a body':
        this.#linger();
        return;
      case 'nothing':
    }
  }

  staysOpen(): boolean {
    const { http, isLeaving } = this.#terms;
    const { maxRequestsPerConnection: max, clientKeepAliveMs } = http;
    if (!this.#keepsAlive || isLeaving || clientKeepAliveMs === 0) return false;
    if (max > 0 && this.#requests >= max) return false;
    if (this.#body === null) return true;
    // A client without its 100 may omit the body, so the start of the next request would be unknown.
    return !this.#expectsContinue && (this.#body.left === Infinity || this.#body.left <= MAX_DROPPED_BYTES);
  }

  replyOver(): void {
    const exchange = this.#exchange!;
    const { reply } = exchange;
    this.#exchange = null;
    this.#expectsContinue = false;
    exchange.over();
    this.#body?.drop();
    if (reply.aborted || reply.isSwitched) return;
    if (reply.closes || this.#ignoresInput) this.#linger();
    else if (this.#body !== null)
      this.#await('rest of a body', Math.min(MAX_DROP_MS, this.#terms.http.bodyTimeoutMs || MAX_DROP_MS));
    else if (!this.#reading) this.#next();
  }

  bodyWanted(): void {
    if (!this.#expectsContinue) return;
    this.#expectsContinue = false;
    if (this.#body?.received === 0) this.#exchange?.reply.proceed();
  }

  continueReading(): void {
    const rest = this.rest;
    if (rest === null || this.#exchange !== null || this.channel.owner !== this) return;
    this.rest = null;
    const at = this.#read(rest, 0, rest.length);
    if (at < rest.length) this.rest = rest.subarray(at);
    else if (this.channel.owner === this && this.#body?.isFull !== true) this.resume();
  }

  fault(error: unknown): void {
    this.#terms.owner.acceptFault(error);
    this.channel.destroy();
  }

  handOver(session: StreamSession): void {
    const rest = this.rest ?? NOTHING;
    this.rest = null;
    session.clientOpened(this.channel, rest);
    if (this.#ended) this.channel.owner?.channelEnded();
  }

  /**
   * Reads requests and bodies until the input ends or a request must be answered first.
   *
   * @returns the offset of the first byte to buffer
   */
  #read(input: Buffer, start: number, end: number): number {
    this.#reading = true;
    let at = start;
    let heads = 0;
    while (at < end && this.channel.owner === this && !this.#ignoresInput) {
      if (this.#body !== null) at += this.#readBody(this.#body, input, at, end);
      else if (this.#exchange === null && heads++ < MAX_HEADS_PER_TURN) at += this.#readHead(input, at, end);
      else break;
    }
    this.#reading = false;
    const { owner } = this.channel;
    if (owner !== this) {
      // The owner is a session, or the connection has ended.
      if (at < end) owner?.channelData(input, at, end);
      return end;
    }
    if (this.#ignoresInput) return end;
    if (this.#exchange === null && this.#body === null) {
      if (at < end) this.#terms.pipelines.addForNextTurn(this);
      else this.#next();
    }
    return at;
  }

  #readHead(input: Buffer, start: number, end: number): number {
    const reader = (this.#reader ??= this.#terms.takeReader());
    const result = reader.push(input, start, end);
    if (result === null) return end - start;
    const { used } = reader;
    this.#reader = null;
    this.#terms.giveReader(reader);
    if ('status' in result) this.#refuse(result, reader.partialHead());
    else this.#serve(result);
    return used;
  }

  #readBody(body: Http1RequestBody, input: Buffer, start: number, end: number): number {
    const used = body.push(input, start, end);
    if (body.problem !== null) this.#breakOff(body.problem);
    else if (body.ended) this.#body = null;
    else if (this.#exchange === null && body.received > MAX_DROPPED_BYTES) this.#linger();
    return used;
  }

  #serve(head: RequestHead): void {
    this.#await('nothing');
    this.#requests++;
    const { keepsAlive, body, expectsContinue, expectsMore } = traitsOf(head);
    this.#keepsAlive = keepsAlive;
    this.#expectsContinue = expectsContinue;
    if (body !== 0) this.#body = new Http1RequestBody(this, createBodyFraming(body));
    if (expectsMore) this.#keepsAlive = false;
    this.#begin(head, expectsMore ? UNKNOWN_EXPECTATION : null);
  }

  /** Refuses a request with an incomplete head, and ends the connection: its next request cannot be found. */
  #refuse(refusal: EngineRefusal, head: RequestHead): void {
    this.#await('nothing');
    if (this.#requests === 0) this.#reportUnused(refusal.status === 408 ? 'timeout' : 'malformed');
    this.#requests++;
    this.#keepsAlive = false;
    this.#ignoresInput = true;
    this.#begin(head, refusal);
  }

  /** Passes a request to the dispatcher. @param refusal null to serve the request */
  #begin(head: RequestHead, refusal: EngineRefusal | null): void {
    const { dispatcher } = this.#terms.owner;
    const client = dispatcher.identify(head, this);
    const reply = new Http1Reply(this, client.requestId, head);
    const exchange = new Http1Exchange(this, { head, body: this.#body, client }, reply, dispatcher);
    this.#exchange = exchange;
    if (refusal === null) dispatcher.dispatch(exchange);
    else dispatcher.refuse(exchange, refusal);
  }

  /** Reads the buffered bytes, or waits for the next request. */
  #next(): void {
    if (this.rest !== null) {
      this.#terms.pipelines.add(this);
      return;
    }
    if (this.#ended) {
      this.#endInput();
      return;
    }
    const { headerTimeoutMs, clientKeepAliveMs } = this.#terms.http;
    if (this.#requests > 0) {
      if (this.#reader?.begun !== true) this.#await('next request', clientKeepAliveMs);
      else if (this.#awaited !== 'head') this.#await('head', headerTimeoutMs);
    }
    this.resume();
  }

  /** Handles FIN while no request is being answered. */
  #endInput(): void {
    if (this.#reader?.begun === true) {
      this.#refuse(CUT_HEAD, this.#reader.partialHead());
      return;
    }
    if (this.#requests === 0) this.#reportUnused('ended');
    this.#linger();
  }

  /**
   * Stops reading a request whose end is unknown. A started response continues, otherwise the client gets
   * 400.
   */
  #breakOff(detail: string): void {
    const exchange = this.#exchange;
    this.#ignoresInput = true;
    this.#body?.drop();
    this.#body = null;
    if (exchange?.reply.begun === true) return;
    if (exchange !== null) {
      exchange.reply.refuse();
      sendBadRequest(this.writer, this.channel, exchange.client.requestId, detail);
    }
    this.#linger();
  }

  /** Ends the connection after its last answer. */
  #linger(): void {
    this.#await('nothing');
    this.#release();
    new LingeringClose(this.channel, this.wheel).start();
  }

  /** Closes an idle connection. */
  #close(): void {
    this.#await('nothing');
    if (this.#requests === 0) this.#reportUnused('silent');
    this.#release();
    this.channel.owner = null;
    // A TLS client that waits for close_notify treats a bare FIN as an error (RFC 8446 section 6.1).
    this.channel.end();
    this.channel.destroy();
  }

  #release(): void {
    this.#reader = null;
    this.rest = null;
    this.#body?.drop();
    this.#body = null;
  }

  #reportUnused(reason: UnusedReason): void {
    const { owner, wheel } = this.#terms;
    const seconds = ((wheel.now - this.#openedAt) | 0) / 1000;
    owner.connectionUnused(reason, owner.logsUnused ? this.peer : null, seconds);
  }

  /** @param ms until {@link expire} */
  #await(awaited: Awaited, ms = 0): void {
    this.#awaited = awaited;
    if (awaited === 'nothing') this.wheel.disarm(this);
    else this.wheel.arm(this, ms);
  }
}
