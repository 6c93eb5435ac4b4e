import type { BodyReader } from '../../wire/http/body-reader.ts';
import type { ResponseHead } from '../../wire/http/response-head.ts';
import type { HeaderList, HttpReply } from '../contract/http-reply.ts';

/** Who holds the other end. */
interface RelayOwner {
  pauseResponse(): void;
  resumeResponse(): void;
  /** The client has been given all of it. */
  relayed(): void;
}

/** What an idle connection's buffer in the kernel takes at any time. */
const SMALL = 4 * 1024;
/** A comment, which every reader of an event stream passes over. */
const EMPTY_EVENT = Buffer.from(':\n\n');

/**
 * Carries a response to the client as it comes. What came whole in one read leaves in one write; what is longer is
 * streamed, and the endpoint waits while the client is slow.
 */
export class ResponseRelay {
  readonly #reply: HttpReply;
  readonly #owner: RelayOwner;
  #status = 0;
  #headers: HeaderList = [];
  #length: number | null = null;
  /** Whether the head has gone to the reply. */
  #headSent = false;
  /** The last piece of the read that is being handed over: it may turn out to be the last of all. */
  #piece: Buffer | null = null;
  /** Pieces that came behind one that the client is slow to take. */
  #waiting: Buffer[] = [];
  #blocked = false;
  #ended = false;
  /** Whether the head has come; it leaves with the first piece of the body. */
  #hasHead = false;
  #isEventStream = false;

  constructor(reply: HttpReply, owner: RelayOwner) {
    this.#reply = reply;
    this.#owner = owner;
  }

  /** Whether all of it is there, is small, and none of it has left. */
  get fitsOneWrite(): boolean {
    return !this.#headSent && this.#length !== null && this.#length <= SMALL;
  }

  /** @param toHead whether it answers a HEAD */
  head(head: ResponseHead, headers: HeaderList, body: BodyReader, toHead: boolean): void {
    this.#hasHead = true;
    this.#status = head.status;
    this.#headers = headers;
    this.#length = body.length;
    this.#isEventStream = body.length === null && isEventStream(headers);
    if (toHead || head.status === 304 || head.status === 204) {
      this.#headSent = true;
      this.#reply.sendHead(head.status, headers, head.status === 204 ? null : body.length);
    }
  }

  /** @param bytes not empty, valid until {@link readDone} only */
  data(bytes: Buffer): void {
    if (this.#piece !== null) this.#flush(this.#piece);
    this.#piece = bytes;
  }

  /** The bytes of one read end here. */
  readDone(): void {
    const piece = this.#piece;
    this.#piece = null;
    if (piece !== null) this.#flush(piece);
    else if (this.#hasHead && !this.#headSent && this.#isEventStream) {
      // uWS sends no head without a piece of a body, and who waits for events wants to know that it is connected.
      this.#flush(EMPTY_EVENT);
    }
  }

  end(): void {
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
      this.#reply.end(piece);
    } else if (piece !== null && !this.#write(piece)) {
      return;
    }
    // What the reply could not send at once is its own matter, but the response is not over before that.
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

function isEventStream(headers: HeaderList): boolean {
  const type = headers.find(([name]) => name === 'content-type')?.[1] ?? '';
  return /^text\/event-stream\b/i.test(type) && !headers.some(([name]) => name === 'content-encoding');
}
