import { connectFailureOf } from '../../upstream/dialling/dial.ts';
import type { ConnectFailure } from '../../upstream/endpoint.ts';
import { BodyReader, type BodySink } from '../../wire/http/body-reader.ts';
import { allowedTrailers, type Trailers } from '../../wire/http/chunked-body/trailers.ts';
import { ResponseHeadReader, type InterimSink, type ResponseHead } from '../../wire/http/response-head.ts';
import type { UpstreamOwner, UpstreamSocket } from '../contract/upstream-socket.ts';

/** Receives the events of a request to one endpoint. */
export interface UpstreamRequestOwner extends BodySink {
  /** Called when the connection is established. */
  requestConnected(): void;
  /** Called when the socket can take more, after a write that returned false. */
  requestDrained(): void;
  /**
   * Called for each interim response (1xx except 100 and 101). The request may be destroyed when this
   * returns.
   */
  responseInterim(head: ResponseHead): void;
  /** Called with the final response's head. A part of the body may follow in the same call of the socket. */
  responseHead(head: ResponseHead, body: BodyReader): void;
  /** Called after all bytes of one read. */
  readDone(): void;
  /** Called when the response is complete. No call follows. @param trailers fields that may be forwarded */
  responseEnd(trailers: Trailers): void;
  /**
   * Called when the connection failed or the response is invalid. No call follows, and the socket is
   * destroyed.
   */
  requestFailed(reason: ConnectFailure, detail: string): void;
}

/** One request on one connection to an endpoint. Reads the response. */
export class UpstreamRequest implements UpstreamOwner, InterimSink {
  readonly socket: UpstreamSocket;
  /** Whether the endpoint has sent any bytes. */
  answered = false;
  readonly #owner: UpstreamRequestOwner;
  readonly #toHead: boolean;
  readonly #head = new ResponseHeadReader(false, this);
  #body: BodyReader | null = null;
  #reusable = false;
  #over = false;

  /** @param toHead whether the method is HEAD */
  constructor(socket: UpstreamSocket, owner: UpstreamRequestOwner, toHead: boolean) {
    this.socket = socket;
    this.#owner = owner;
    this.#toHead = toHead;
    socket.owner = this;
  }

  /** Whether the connection can carry another request after a complete response. */
  get reusable(): boolean {
    return this.#reusable && !this.socket.destroyed;
  }

  /** Closes the connection, without callbacks to the owner. */
  destroy(): void {
    this.#over = true;
    this.socket.owner = null;
    this.socket.destroy();
  }

  upstreamConnected(): void {
    this.#owner.requestConnected();
  }

  channelDrained(): void {
    if (!this.#over) this.#owner.requestDrained();
  }

  channelData(input: Buffer, start: number, end: number): void {
    this.answered = true;
    if (this.#body === null) this.#readHead(input, start, end);
    else this.#readBody(this.#body, input, start, end);
    if (!this.#over) this.#owner.readDone();
  }

  channelEnded(): void {
    if (this.#over) return;
    this.#body?.end();
    if (this.#body?.complete) this.#end();
    else this.#fail('reset', 'the endpoint closed before its response was complete');
  }

  channelClosed(error: Error | null): void {
    if (error === null) this.channelEnded();
    else this.#fail(connectFailureOf(error), error.message);
  }

  #readHead(input: Buffer, start: number, end: number): void {
    const head = this.#head.push(input, start, end);
    if (head === 'incomplete' || this.#over) return;
    if (typeof head === 'string') this.#fail('handshake', head);
    else if (this.#begin(head)) this.#readBody(this.#body!, input, this.#head.headEnd, end);
  }

  interimResponse(head: ResponseHead): void {
    if (!this.#over) this.#owner.responseInterim(head);
  }

  /** Passes the head to the owner. Returns whether to read the body. */
  #begin(head: ResponseHead): boolean {
    const body = new BodyReader(head, this.#toHead);
    if (body.malformed) {
      this.#fail('handshake', 'the framing of the response is malformed');
      return false;
    }
    this.#body = body;
    this.#reusable = !body.untilClose && keepsAlive(head);
    this.#owner.responseHead(head, body);
    return !this.#over;
  }

  #readBody(body: BodyReader, input: Buffer, start: number, end: number): void {
    const used = body.push(input, start, end, this);
    if (this.#over) return;
    if (body.malformed) this.#fail('handshake', 'the body of the response is malformed');
    else if (body.complete) {
      // Bytes after the response mean that the connection is out of sync.
      if (used < end - start) this.#reusable = false;
      this.#end();
    }
  }

  bodyData(bytes: Buffer): void {
    if (!this.#over) this.#owner.bodyData(bytes);
  }

  #end(): void {
    this.#over = true;
    this.socket.owner = null;
    this.#owner.responseEnd(allowedTrailers(this.#body!.trailers));
  }

  #fail(reason: ConnectFailure, detail: string): void {
    if (this.#over) return;
    this.destroy();
    this.#owner.requestFailed(reason, detail);
  }
}

/** Whether the connection stays open after a response. */
export function keepsAlive(head: ResponseHead): boolean {
  if (head.isHttp10 === true) return false;
  for (let index = 0; index < head.headers.length; index += 2) {
    if (head.headers[index] === 'connection' && /\bclose\b/i.test(head.headers[index + 1]!)) return false;
  }
  return true;
}
