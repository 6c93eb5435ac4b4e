import type { BodyReader } from '../../wire/http/body-reader.ts';
import { NO_TRAILERS, type Trailers } from '../../wire/http/chunked-body/trailers.ts';
import { headerOf, joinedHeaderOf } from '../../wire/http/request-head.ts';
import type { ResponseHead } from '../../wire/http/response-head.ts';
import type { HeaderList, HttpReply } from '../contract/http-reply.ts';

/** Holds the connection to the endpoint. */
interface RelayOwner {
  pauseResponse(): void;
  resumeResponse(): void;
  /** Called when the client's connection has taken the whole response. */
  relayed(): void;
}

/** Max bytes that the kernel's buffer of an idle connection always takes. */
const MAX_SMALL_BYTES = 4 * 1024;
/** A comment, which every reader of an event stream ignores. */
const EMPTY_EVENT = Buffer.from(':\n\n');

/**
 * Relays a response to the client as it arrives. A response that arrived in one read leaves in one write. A
 * longer one is streamed, and reading from the endpoint pauses while the client is slow.
 */
export class ResponseRelay {
  readonly #reply: HttpReply;
  readonly #owner: RelayOwner;
  #status = 0;
  #headers: HeaderList = [];
  #length: number | null = null;
  /** Whether the head was passed to the reply. */
  #headSent = false;
  /** The last piece of the current read, which may turn out to be the last of the response. */
  #piece: Buffer | null = null;
  /** Pieces that arrived while the client was slow. */
  #waiting: Buffer[] = [];
  #blocked = false;
  #ended = false;
  /** Whether the head has arrived. It is sent with the first piece of the body. */
  #hasHead = false;
  #isEventStream = false;
  #trailers: Trailers = NO_TRAILERS;

  constructor(reply: HttpReply, owner: RelayOwner) {
    this.#reply = reply;
    this.#owner = owner;
  }

  /** Whether the whole response has arrived, is small, and was not sent yet. */
  get fitsOneWrite(): boolean {
    return !this.#headSent && this.#length !== null && this.#length <= MAX_SMALL_BYTES;
  }

  /** Takes the response's head. @param toHead whether it answers a HEAD */
  head(head: ResponseHead, headers: HeaderList, body: BodyReader, toHead: boolean): void {
    this.#hasHead = true;
    this.#status = head.status;
    const announced = this.#reply.sendsTrailers ? joinedHeaderOf(head, 'trailer') : undefined;
    this.#headers = announced === undefined ? headers : [...headers, ['Trailer', announced]];
    this.#length = body.length;
    this.#isEventStream = body.length === null && isEventStream(head);
    if (toHead || head.status === 304 || head.status === 204) {
      this.#headSent = true;
      this.#reply.sendHead(head.status, this.#headers, head.status === 204 ? null : body.length);
    }
  }

  /** Takes a piece of the body. @param bytes not empty, valid only until {@link readDone} */
  data(bytes: Buffer): void {
    if (this.#piece !== null) this.#flush(this.#piece);
    this.#piece = bytes;
  }

  /** Called after all bytes of one read. */
  readDone(): void {
    const piece = this.#piece;
    this.#piece = null;
    if (piece !== null) this.#flush(piece);
    // An event stream's client waits for the head. If the engine cannot send a head alone, a comment goes
    // with it.
    else if (this.#isEventStream && this.#hasHead && !this.flushHead()) this.#flush(EMPTY_EVENT);
  }

  /**
   * Sends the head if it waits for the body. Returns whether it was sent: some engines cannot send it alone.
   */
  flushHead(): boolean {
    if (this.#hasHead && !this.#headSent)
      this.#headSent = this.#reply.beginAndFlush(this.#status, this.#headers, this.#length);
    return this.#headSent;
  }

  /** @param trailers fields after the body */
  end(trailers: Trailers = NO_TRAILERS): void {
    this.#trailers = trailers;
    const piece = this.#piece;
    this.#piece = null;
    this.#ended = true;
    if (this.#blocked) {
      if (piece !== null) this.#waiting.push(Buffer.from(piece));
      return;
    }
    this.#finish(piece);
  }

  #finish(piece: Buffer | null): void {
    if (!this.#headSent && this.#length !== null) {
      this.#headSent = true;
      this.#reply.send(this.#status, this.#headers, piece ?? '');
    } else if (this.#length === null) {
      this.#begin();
      this.#reply.end(piece, this.#trailers);
    } else if (piece !== null && !this.#write(piece)) {
      return;
    }
    // The reply sends the rest by itself, and the response then ends.
    this.#reply.whenWritable(() => {
      if (!this.#reply.aborted) this.#owner.relayed();
    });
  }

  #flush(piece: Buffer): void {
    if (this.#blocked) this.#waiting.push(Buffer.from(piece));
    else if (!this.#write(piece)) this.#owner.pauseResponse();
  }

  #begin(): void {
    if (this.#headSent) return;
    this.#headSent = true;
    this.#reply.begin(this.#status, this.#headers, this.#length);
  }

  #write(piece: Buffer): boolean {
    this.#begin();
    if (this.#reply.write(piece, true)) return true;
    this.#blocked = true;
    this.#reply.whenWritable(() => this.#taken());
    return false;
  }

  #taken(): void {
    this.#blocked = false;
    if (this.#reply.aborted) return;
    for (let piece = this.#waiting.shift(); piece !== undefined; piece = this.#waiting.shift()) {
      if (!this.#write(piece)) return;
    }
    if (!this.#ended) this.#owner.resumeResponse();
    else this.#finish(null);
  }
}

function isEventStream(head: ResponseHead): boolean {
  const type = headerOf(head, 'content-type') ?? '';
  return /^text\/event-stream\b/i.test(type) && headerOf(head, 'content-encoding') === undefined;
}
