import type { ConnectFailure } from '../../upstream/endpoint.ts';
import { connectFailureOf } from '../../upstream/dialling/dial.ts';
import { BodyReader, type BodySink } from '../../wire/http/body-reader.ts';
import { ResponseHeadReader, type ResponseHead } from '../../wire/http/response-head.ts';
import type { UpstreamOwner, UpstreamSocket } from './upstream-socket.ts';

/** Who is told what an endpoint answers. */
export interface ExchangeOwner extends BodySink {
  exchangeConnected(): void;
  /** What was to be waited for has been sent. */
  exchangeDrained(): void;
  /** The head that counts; the body follows, some of it in the same call of the socket. */
  responseHead(head: ResponseHead, body: BodyReader): void;
  /** One read of the socket has been handed over. */
  readDone(): void;
  /** All of the response has come. Nothing follows. */
  responseEnd(): void;
  /** The connection has failed, or what came is no response. Nothing follows, and the socket is destroyed. */
  exchangeFailed(reason: ConnectFailure, detail: string): void;
}

/** One request on one connection: reads its response. */
export class UpstreamExchange implements UpstreamOwner {
  readonly socket: UpstreamSocket;
  /** Whether anything of the response has come. */
  answered = false;
  readonly #owner: ExchangeOwner;
  readonly #toHead: boolean;
  readonly #head = new ResponseHeadReader();
  #body: BodyReader | null = null;
  #reusable = false;
  #over = false;

  /** @param toHead whether the request is a HEAD */
  constructor(socket: UpstreamSocket, owner: ExchangeOwner, toHead: boolean) {
    this.socket = socket;
    this.#owner = owner;
    this.#toHead = toHead;
    socket.owner = this;
  }

  /** Whether the connection may carry another request, once the response has ended. */
  get reusable(): boolean {
    return this.#reusable && !this.socket.destroyed;
  }

  /** Gives the connection up; nothing is said any more. */
  destroy(): void {
    this.#over = true;
    this.socket.owner = null;
    this.socket.destroy();
  }

  upstreamConnected(): void {
    this.#owner.exchangeConnected();
  }

  upstreamDrained(): void {
    if (!this.#over) this.#owner.exchangeDrained();
  }

  upstreamData(input: Buffer, start: number, end: number): void {
    this.answered = true;
    const bytes = input.subarray(start, end);
    if (this.#body === null) this.#readHead(bytes);
    else this.#readBody(this.#body, bytes);
    if (!this.#over) this.#owner.readDone();
  }

  upstreamEnded(): void {
    if (this.#over) return;
    this.#body?.end();
    if (this.#body?.complete) this.#end();
    else this.#fail('reset', 'the endpoint closed before its response was complete');
  }

  upstreamClosed(error: Error | null): void {
    if (error === null) this.upstreamEnded();
    else this.#fail(connectFailureOf(error), error.message);
  }

  #readHead(bytes: Buffer): void {
    // Interim responses end here: uWS has no way to pass them on.
    const head = this.#head.push(bytes);
    if (head === 'incomplete') return;
    if (typeof head === 'string') this.#fail('handshake', head);
    // Nobody asked for another protocol.
    else if (head.status === 101) this.#fail('handshake', 'the endpoint switches protocols unasked');
    else this.#begin(head, this.#head.rest);
  }

  #begin(head: ResponseHead, rest: Buffer): void {
    const body = new BodyReader(head, this.#toHead);
    if (body.malformed) {
      this.#fail('handshake', 'the framing of the response is malformed');
      return;
    }
    this.#body = body;
    this.#reusable = !body.untilClose && keepsAlive(head);
    this.#owner.responseHead(head, body);
    if (!this.#over) this.#readBody(body, rest);
  }

  #readBody(body: BodyReader, bytes: Buffer): void {
    const used = body.push(bytes, this);
    if (this.#over) return;
    if (body.malformed) this.#fail('handshake', 'the body of the response is malformed');
    else if (body.complete) {
      // Bytes that nobody asked for: what they are the answer to is not to be found out.
      if (used < bytes.length) this.#reusable = false;
      this.#end();
    }
  }

  bodyData(bytes: Buffer): void {
    if (!this.#over) this.#owner.bodyData(bytes);
  }

  #end(): void {
    this.#over = true;
    this.socket.owner = null;
    this.#owner.responseEnd();
  }

  #fail(reason: ConnectFailure, detail: string): void {
    if (this.#over) return;
    this.destroy();
    this.#owner.exchangeFailed(reason, detail);
  }
}

/** Whether the connection stays open behind a response. */
export function keepsAlive(head: ResponseHead): boolean {
  if (head.isOld === true) return false;
  for (let index = 0; index < head.headers.length; index += 2) {
    if (head.headers[index] === 'connection' && /\bclose\b/i.test(head.headers[index + 1]!)) return false;
  }
  return true;
}
