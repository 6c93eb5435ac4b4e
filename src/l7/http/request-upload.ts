import type { HeaderList } from '../contract/http-reply.ts';
import type { RequestBody, RequestBodySink } from '../contract/request-body.ts';
import type { UpstreamSocket } from '../contract/upstream-socket.ts';
import type { RequestWriter } from './request-writer.ts';

/** Max bytes of a body that are kept until the request is answered, so that the body can be repeated. */
const MAX_KEPT_BYTES = 64 * 1024;
const NOTHING = Buffer.alloc(0);

/** Receives the events of the upload. */
interface UploadOwner {
  /** Bytes, 0 for no limit. */
  readonly maxBodySize: number;
  moved(): void;
  /** Called when the number of buffered bytes changes. The request may have ended when this returns. */
  measureBuffers(): void;
  /** @param isHeld whether the client must wait, because the endpoint takes no more bytes */
  uploadHeld(isHeld: boolean): void;
  uploaded(): void;
  uploadTooLarge(): void;
}

/**
 * Sends the body of a request to an endpoint as fast as the socket takes it, with new framing. A small body
 * is kept, so that it can be repeated on another connection.
 */
export class RequestUpload implements RequestBodySink {
  /** Whether the whole body was written. */
  sent = false;
  /** Whether bytes are buffered that the endpoint does not take. */
  isBlocked = false;
  readonly #body: RequestBody;
  readonly #chunked: boolean;
  readonly #dropped: readonly ReadonlySet<string>[];
  readonly #writer: RequestWriter;
  readonly #owner: UploadOwner;
  #socket: UpstreamSocket | null = null;
  #reading = false;
  #size = 0;
  /** The body so far is `kept[0, size)`. Null if it is longer than {@link MAX_KEPT_BYTES}. */
  #kept: Buffer | null = NOTHING;
  #ended = false;
  #stopped = false;
  #trailers: HeaderList = [];

  /**
   * @param chunked whether the body is sent chunked
   * @param dropped lower-case names of trailers that are not forwarded
   */
  constructor(
    body: RequestBody,
    chunked: boolean,
    dropped: readonly ReadonlySet<string>[],
    writer: RequestWriter,
    owner: UploadOwner,
  ) {
    this.#body = body;
    this.#dropped = dropped;
    this.#chunked = chunked;
    this.#writer = writer;
    this.#owner = owner;
  }

  /** Whether the body can be sent from its start. */
  get isRepeatable(): boolean {
    return this.#kept !== null;
  }

  /** Number of kept bytes. */
  get kept(): number {
    return this.#kept === null ? 0 : this.#size;
  }

  /** Sends the body on a connection on which the head was written. */
  start(socket: UpstreamSocket): void {
    this.#socket = socket;
    this.isBlocked = this.sent = false;
    this.#owner.uploadHeld(false);
    const { kept } = this;
    const canContinue = kept === 0 || this.#write(this.#kept!.subarray(0, kept));
    if (this.#ended) {
      this.#finish();
    } else if (!this.#reading) {
      this.#reading = true;
      this.#body.read(this);
    } else if (canContinue) {
      this.#body.resume();
    }
  }

  /** Stops sending on the connection. The client waits for the next one. */
  detach(): void {
    this.#socket = null;
    this.#body.pause();
    this.#owner.uploadHeld(true);
  }

  /** Drops the rest of the body. */
  stop(): void {
    this.#socket = null;
    this.#kept = null;
    this.#stopped = true;
    this.#body.resume();
  }

  requestData(bytes: Uint8Array): void {
    if (this.#stopped) return;
    this.#size += bytes.length;
    const maxBytes = this.#owner.maxBodySize;
    if (maxBytes > 0 && this.#size > maxBytes) {
      this.#owner.uploadTooLarge();
      return;
    }
    if (this.#size > MAX_KEPT_BYTES) this.#kept = null;
    if (this.#socket === null) return;
    this.#keep(bytes);
    this.#owner.moved();
    this.#write(bytes);
    this.#owner.measureBuffers();
  }

  requestEnd(trailers: HeaderList = []): void {
    this.#ended = true;
    this.#trailers = trailers.filter(([name]) => this.#mayPass(name.toLowerCase()));
    if (!this.#stopped && this.#socket !== null) this.#finish();
  }

  /**
   * Whether a trailer may be forwarded. Many servers treat trailers as headers: a header that was removed or
   * replaced must not come back as a trailer.
   */
  #mayPass(name: string): boolean {
    return !name.includes('_') && !this.#dropped.some((names) => names.has(name));
  }

  /** Called when the socket can take more bytes. */
  drained(): void {
    if (this.#socket === null || !this.isBlocked) return;
    this.isBlocked = false;
    this.#owner.moved();
    this.#owner.uploadHeld(false);
    this.#body.resume();
  }

  /** Keeps a copy, because the bytes are valid during the call only. */
  #keep(bytes: Uint8Array): void {
    if (this.#kept === null) return;
    if (this.#kept.length < this.#size) {
      const larger = Buffer.allocUnsafe(
        Math.min(MAX_KEPT_BYTES, Math.max(this.#size, 2 * this.#kept.length)),
      );
      this.#kept.copy(larger);
      this.#kept = larger;
    }
    this.#kept.set(bytes, this.#size - bytes.length);
  }

  /** Returns false if the socket did not take all of it. */
  #write(bytes: Uint8Array): boolean {
    const socket = this.#socket!;
    const canContinue = this.#chunked ? this.#writer.chunk(socket, bytes) : this.#writer.bytes(socket, bytes);
    if (canContinue) return true;
    this.isBlocked = true;
    this.#body.pause();
    this.#owner.uploadHeld(true);
    return false;
  }

  #finish(): void {
    if (this.#chunked) this.#writer.lastChunk(this.#socket!, this.#trailers);
    this.sent = true;
    this.#owner.uploaded();
  }
}
