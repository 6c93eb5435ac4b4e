import type { RequestBody, RequestBodySink } from '../request-body.ts';
import type { UpstreamSocket } from '../upstream/upstream-socket.ts';
import type { RequestWriter } from './request-writer.ts';

/** A body up to this size is kept until it is answered, so that it can be sent again. */
const MOST_KEPT = 64 * 1024;

/** Who is told how the upload gets on. */
interface UploadOwner {
  /** Bytes; 0 is no limit. */
  readonly maxBodySize: number;
  moved(): void;
  uploaded(): void;
  uploadTooLarge(): void;
}

/**
 * Carries the body of a request to an endpoint, framed anew, as fast as its socket takes it; meanwhile the client
 * waits. What it has carried it keeps while that is little, and can so begin again on another connection.
 */
export class RequestUpload implements RequestBodySink {
  /** Whether all of it has been written. */
  sent = false;
  /** Whether the endpoint does not take what is there. */
  isBlocked = false;
  readonly #body: RequestBody;
  readonly #chunked: boolean;
  readonly #writer: RequestWriter;
  readonly #owner: UploadOwner;
  #socket: UpstreamSocket | null = null;
  #reading = false;
  #size = 0;
  #kept: Buffer[] | null = [];
  #ended = false;
  #stopped = false;

  constructor(body: RequestBody, chunked: boolean, writer: RequestWriter, owner: UploadOwner) {
    this.#body = body;
    this.#chunked = chunked;
    this.#writer = writer;
    this.#owner = owner;
  }

  /** Whether it can begin from the front. */
  get isRepeatable(): boolean {
    return this.#kept !== null;
  }

  /** Begins on a connection on which the head has been written. */
  start(socket: UpstreamSocket): void {
    this.#socket = socket;
    this.isBlocked = this.sent = false;
    for (const bytes of this.#kept ?? []) this.#write(bytes);
    if (this.#ended) {
      this.#finish();
    } else if (!this.#reading) {
      this.#reading = true;
      this.#body.read(this);
    } else {
      this.#body.resume();
    }
  }

  /** The connection has failed: what comes waits for the next one. */
  detach(): void {
    this.#socket = null;
    this.#body.pause();
  }

  /** Nobody wants the rest. */
  stop(): void {
    this.#socket = null;
    this.#kept = null;
    this.#stopped = true;
    this.#body.resume();
  }

  requestData(bytes: Uint8Array): void {
    if (this.#stopped) return;
    this.#size += bytes.length;
    const most = this.#owner.maxBodySize;
    if (most > 0 && this.#size > most) {
      this.#owner.uploadTooLarge();
      return;
    }
    if (this.#kept !== null && this.#size > MOST_KEPT) this.#kept = null;
    if (this.#socket === null) return;
    // The bytes are the server's.
    this.#kept?.push(Buffer.from(bytes));
    this.#owner.moved();
    this.#write(bytes);
  }

  requestEnd(): void {
    this.#ended = true;
    if (!this.#stopped && this.#socket !== null) this.#finish();
  }

  /** The endpoint has taken what it was slow to take. */
  drained(): void {
    if (this.#socket === null || !this.isBlocked) return;
    this.isBlocked = false;
    this.#owner.moved();
    this.#body.resume();
  }

  #write(bytes: Uint8Array): void {
    const socket = this.#socket!;
    const goesOn = this.#chunked ? this.#writer.chunk(socket, bytes) : this.#writer.bytes(socket, bytes);
    if (goesOn) return;
    this.isBlocked = true;
    this.#body.pause();
  }

  #finish(): void {
    if (this.#chunked) this.#writer.lastChunk(this.#socket!);
    this.sent = true;
    this.#owner.uploaded();
  }
}
