import type { RequestBody, RequestBodySink } from '../request-body.ts';
import type { NetUpstream } from '../upstream/net-upstream.ts';

/** A body up to this size is kept until it is answered, so that it can be sent again. */
const MOST_KEPT = 64 * 1024;
const LAST_CHUNK = '0\r\n\r\n';

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
  readonly #owner: UploadOwner;
  #socket: NetUpstream | null = null;
  #reading = false;
  #size = 0;
  #kept: Buffer[] | null = [];
  #ended = false;
  #stopped = false;

  constructor(body: RequestBody, chunked: boolean, owner: UploadOwner) {
    this.#body = body;
    this.#chunked = chunked;
    this.#owner = owner;
  }

  /** Whether it can begin from the front. */
  get isRepeatable(): boolean {
    return this.#kept !== null;
  }

  /** Begins on a connection on which the head has been written. */
  start(socket: NetUpstream): void {
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
    // The bytes are the server's, and the socket's stream keeps what it is given.
    const copy = Buffer.allocUnsafeSlow(bytes.length);
    copy.set(bytes);
    this.#kept?.push(copy);
    this.#owner.moved();
    this.#write(copy);
  }

  requestEnd(): void {
    this.#ended = true;
    if (!this.#stopped && this.#socket !== null) this.#finish();
  }

  #write(bytes: Buffer): void {
    const socket = this.#socket!;
    if (!this.#chunked) {
      this.#wait(socket, socket.write(bytes));
      return;
    }
    socket.cork();
    socket.write(`${bytes.length.toString(16)}\r\n`, 'latin1');
    socket.write(bytes);
    const taken = socket.write('\r\n', 'latin1');
    socket.uncork();
    this.#wait(socket, taken);
  }

  #wait(socket: NetUpstream, taken: boolean): void {
    if (taken || this.isBlocked) return;
    this.isBlocked = true;
    this.#body.pause();
    socket.once('drain', () => {
      if (this.#socket !== socket) return;
      this.isBlocked = false;
      this.#owner.moved();
      this.#body.resume();
    });
  }

  #finish(): void {
    if (this.#chunked) this.#socket!.write(LAST_CHUNK, 'latin1');
    this.sent = true;
    this.#owner.uploaded();
  }
}
