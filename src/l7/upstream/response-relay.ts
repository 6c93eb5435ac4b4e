import type { BodyReader } from '../../wire/http/body-reader.ts';
import { NO_TRAILERS, type Trailers } from '../../wire/http/chunked-body/trailers.ts';
import { headerOf, joinedHeaderOf } from '../../wire/http/request-head.ts';
import type { ResponseHead } from '../../wire/http/response-head.ts';
import type { HeaderList, HttpReply } from '../contract/http-reply.ts';

/** Holds the connection to the endpoint. */
interface RelayOwner {
  pauseResponse(): void;
  resumeResponse(): void;
  /** The client has got the whole response. */
  relayed(): void;
}

/** Max bytes that the kernel's buffer of an idle connection takes at any time. */
const MAX_SMALL_BYTES = 4 * 1024;
/** A comment, which every reader of an event stream ignores. */
const EMPTY_EVENT = Buffer.from(':\n\n');

/**
 * Carries a response to the client as it comes. A response that came whole in one read leaves in one write. A longer one is
 * streamed, and the endpoint is not read while the client is slow.
 */
export class ResponseRelay {
  readonly #reply: HttpReply;
  readonly #owner: RelayOwner;
  #status = 0;
  #headers: HeaderList = [];
  #length: number | null = null;
  /** Whether the head has gone to the reply. */
  #headSent = false;
  /** The last piece of the current read: it may turn out to be the last of the response. */
  #piece: Buffer | null = null;
  /** Pieces that came while the client was slow. */
  #waiting: Buffer[] = [];
  #blocked = false;
  #ended = false;
  /** Whether the head has come; it leaves with the first piece of the body. */
  #hasHead = false;
  #isEventStream = false;
  #trailers: Trailers = NO_TRAILERS;

  constructor(reply: HttpReply, owner: RelayOwner) {
    this.#reply = reply;
    this.#owner = owner;
  }

  /** Whether the whole response is here, is small, and has not been sent. */
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

  /** Takes a piece of the body. @param bytes not empty, valid until {@link readDone} only */
  data(bytes: Buffer): void {
    if (this.#piece !== null) this.#flush(this.#piece);
    this.#piece = bytes;
  }

  /** All bytes of one read have been handed over. */
  readDone(): void {
    const piece = this.#piece;
    this.#piece = null;
    if (piece !== null) this.#flush(piece);
    // A client of events waits for the head. If the engine sends no head without a piece of a body, a comment is one.
    else if (this.#isEventStream && this.#hasHead && !this.flushHead()) this.#flush(EMPTY_EVENT);
  }

  /** Sends the head if it waits for the body. Returns whether it has gone: some engines cannot send it alone. */
  flushHead(): boolean {
    if (this.#hasHead && !this.#headSent)
      this.#headSent = this.#reply.beginAlone(this.#status, this.#headers, this.#length);
    return this.#headSent;
  }

  /** @param trailers the fields behind the body */
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
    // The reply sends the rest by itself. The response is over after that.
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
