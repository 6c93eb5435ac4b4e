import { copyOf } from '../../core/copy.ts';
import { NO_EDITS, type HeaderEdits } from '../../wire/http/header-edits.ts';
import type { HeaderList, HttpReply, ResponseCut } from '../contract/http-reply.ts';
import { CORK_BYTES, corkHead, writeHead, type Head, type HeadResponse } from './uws-head.ts';

/** What a reply needs of a uWebSockets.js HttpResponse. */
export interface UwsResponse extends HeadResponse {
  end(body: string | Uint8Array, closeConnection: boolean): unknown;
  endWithoutBody(): unknown;
  write(chunk: Uint8Array): boolean;
  tryEnd(chunk: Uint8Array, totalSize: number): [ok: boolean, done: boolean];
  getWriteOffset(): number;
  onWritable(handler: (offset: number) => boolean): unknown;
  onAborted(handler: () => void): unknown;
  close(): unknown;
}

/** A client that takes nothing for this long is cut off; nginx's send_timeout. */
const STALL_LIMIT_MS = 60_000;
/**
 * uWS ends a response whose socket has not become writable for 10 seconds after a write that fell short, and
 * the kernel calls a socket writable only when a third of its buffer is free: with megabytes buffered that cuts
 * off clients that are slow but alive. Trying again inside the 10 seconds restarts the clock, and sends what
 * has become free.
 */
const RETRY_MS = 4_000;
/** Max bytes of a chunk's header and of the last chunk. */
const MAX_FRAMING_BYTES = 32;
const MAX_PIECE_BYTES = CORK_BYTES - MAX_FRAMING_BYTES;

/**
 * uWS keeps all of a chunked body that the kernel does not take, and tells only whether the kernel had everything before
 * a write. So a slow client's chunk keeps its last bytes back: they are written one by one, and the first that finds
 * nothing waiting proves that the kernel has all before it.
 */
const PROBE_BYTES = 16;
/** A last piece up to this size leaves together with the end of the body, without a proof. */
const MAX_UNPROVEN_END_BYTES = 8 * 1024;
const NOTHING = new Uint8Array(0);

/**
 * An {@link HttpReply} on a uWebSockets.js response. To be made inside of the route's handler: it takes the
 * response's `onAborted` and `onWritable`, which uWS has one of each.
 */
export class UwsReply implements HttpReply {
  edits: HeaderEdits = NO_EDITS;
  begun = false;
  cutBy: ResponseCut | null = null;
  readonly #requestId: string;
  readonly #response: UwsResponse;
  readonly #isHead: boolean;
  readonly #later: (callback: () => void) => void;
  readonly #stopReading: () => void;
  readonly #isLast: boolean;
  #aborted = false;
  /** Answered or aborted: the response must not be touched any more. */
  #over = false;
  #onAborted: (() => void) | null = null;
  #onOver: ((gone: boolean) => void) | null = null;
  #whenWritable: (() => void) | null = null;
  /** The head of a stream until it has left with the first chunk. */
  #head: Head | null = null;
  /** Of the body; null where it goes in chunks. */
  #length: number | null = 0;
  #sent = 0;
  /** What uWS has not taken of the last write. Of a body with a length it is the whole chunk. */
  #chunk: Uint8Array | null = null;
  /** Where the chunk ends in a body with a length. */
  #chunkEnd = 0;
  /** Whether the chunk is the last of a chunked body. */
  #ends = false;
  /** How many of the chunk's last bytes are probes. */
  #probes = 0;
  /** Whether the last write to a chunked body found bytes that the kernel had not taken. */
  #backed = false;
  /** Whether any write has. */
  #slow = false;
  #retries: NodeJS.Timeout | null = null;
  #stalledMs = 0;
  /** How much of the body had been taken at the last retry. */
  #offsetSeen = 0;

  /**
   * @param requestId for X-Request-Id in every head
   * @param isHead whether the request is a HEAD: its reply has no body, whatever is sent
   * @param later calls back once, when uWS has handed over all that it has read
   * @param stopReading pauses the connection for good. uWS closes behind a reply in one piece only, and what is not read
   *   after 10 seconds of silence.
   * @param isLast whether nothing that comes behind the request is to be believed: the connection ends with the reply
   */
  constructor(
    response: UwsResponse,
    requestId: string,
    isHead: boolean,
    later: (callback: () => void) => void,
    stopReading: () => void,
    isLast = false,
  ) {
    this.#response = response;
    this.#requestId = requestId;
    this.#isHead = isHead;
    this.#later = later;
    this.#stopReading = stopReading;
    this.#isLast = isLast;
    response.onAborted(() => {
      const callback = this.#onAborted;
      this.#abort();
      callback?.();
    });
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  get sent(): number {
    return this.#sent;
  }

  onAborted(callback: () => void): void {
    if (this.#aborted) callback();
    else if (!this.#over) this.#onAborted = callback;
  }

  /**
   * Calls back once when the response is answered, switched or aborted; for one who counts open requests.
   *
   * @param callback told whether the connection is gone, or about to be cut
   */
  onOver(callback: (gone: boolean) => void): void {
    this.#onOver = callback;
  }

  /**
   * Answers 101 and calls the response's own `upgrade`, which adds the headers of the handshake. No function of ours runs
   * after it (`uws-upgrade.ts` says why).
   */
  switchProtocols(headers: HeaderList, upgrade: () => unknown): void {
    if (this.#over) return;
    this.#finish();
    const head = this.#headOf(101, headers);
    const steps = [() => writeHead(this.#response, head, this.edits), upgrade];
    this.begun = true;
    this.#response.cork(steps.forEach.bind(steps, Reflect.apply));
  }

  send(status: number, headers: HeaderList, body: string | Uint8Array, close = false): void {
    if (this.#over) return;
    const closes = close || this.#isLast;
    const hasBody = !this.#isHead && status !== 204 && status !== 304;
    const length = Buffer.byteLength(body);
    const maxWhole = this.#isLast ? MAX_UNPROVEN_END_BYTES : MAX_PIECE_BYTES;
    const streams = hasBody && !close && length > maxWhole;
    if (hasBody && !streams) this.#sent = length;
    // What is sent later must not be lent.
    const kept = closes && typeof body !== 'string' ? copyOf(body) : body;
    this.#answer(closes, () => {
      if (streams) this.#stream(status, headers, typeof kept === 'string' ? Buffer.from(kept) : kept);
      else if (status === 204 || status === 304) this.#sendHead(status, headers, null, closes);
      else if (this.#isHead) this.#sendHead(status, headers, length, closes);
      else this.#sendWhole(status, headers, kept, closes);
    });
  }

  sendHead(status: number, headers: HeaderList, length: number | null): void {
    if (!this.#over) this.#answer(this.#isLast, () => this.#sendHead(status, headers, length));
  }

  begin(status: number, headers: HeaderList, length: number | null): void {
    if (this.#isHead) this.sendHead(status, headers, length);
    if (this.#over) return;
    this.#head = this.#headOf(status, headers);
    this.#length = length;
  }

  write(chunk: Uint8Array, borrowed = false): boolean {
    if (this.#over || this.#ends) return true;
    this.#sent += chunk.length;
    this.#chunk = chunk;
    if (this.#length === null) {
      this.#probes = this.#slow || chunk.length > MAX_PIECE_BYTES ? PROBE_BYTES : 0;
      this.#writePieces();
    } else {
      this.#chunkEnd += chunk.length;
      if (this.#isLast && this.#chunkEnd === this.#length) this.#stopReading();
      this.#pushCorked(chunk);
    }
    return this.#keep(borrowed);
  }

  end(chunk: Uint8Array | null): void {
    if (this.#over || this.#ends) return;
    this.#ends = true;
    if (chunk === null) {
      this.#cork(() => this.#endChunks());
      return;
    }
    this.#sent += chunk.length;
    this.#chunk = chunk;
    this.#probes = this.#slow || chunk.length > MAX_UNPROVEN_END_BYTES ? PROBE_BYTES : 0;
    this.#writePieces();
    this.#keep(true);
  }

  /** Keeps what uWS has not taken. Returns whether it has taken everything. */
  #keep(borrowed: boolean): boolean {
    if (this.#over) return true;
    // From here on uWS leaves what it keeps to the handler.
    if (this.#retries === null) this.#watch();
    if (this.#chunk === null) return true;
    if (borrowed) this.#chunk = copyOf(this.#length === null ? this.#chunk : this.#rest(this.#chunk));
    return false;
  }

  /** Writes a chunked body piece by piece, until a piece finds that the kernel has not taken what was before it. */
  #writePieces(): void {
    while (this.#chunk !== null) {
      const rest = this.#chunk;
      this.#cork((room) => this.#writePiece(rest, room));
      if (this.#backed) return;
    }
  }

  /** Writes the next piece, a probe first if bytes wait or only probes are left, and the end behind the last piece. */
  #writePiece(rest: Uint8Array, room: number): void {
    const response = this.#response;
    const isProof = rest.length <= this.#probes;
    let size = 0;
    let proven = true;
    if (this.#backed || isProof) {
      size = 1;
      proven = response.write(rest.subarray(0, 1));
    }
    const end = isProof
      ? rest.length
      : Math.min(size + room - size * MAX_FRAMING_BYTES, rest.length - this.#probes);
    if (proven && end > size) {
      proven = response.write(rest.subarray(size, end));
      size = end;
    }
    this.#backed = !proven;
    if (proven) this.#stalledMs = 0;
    else this.#slow = true;
    this.#chunk = size === rest.length ? null : rest.subarray(size);
    if (this.#chunk === null && this.#ends) this.#endChunks();
  }

  #endChunks(): void {
    this.#finish();
    if (this.#isLast) this.#stopReading();
    this.#response.end(NOTHING, false);
  }

  whenWritable(callback: () => void): void {
    if (this.#waits()) this.#whenWritable = callback;
    else callback();
  }

  cut(reason: ResponseCut): void {
    if (this.#over) return;
    this.cutBy = reason;
    this.#abort();
    this.#response.close();
  }

  /**
   * From the first write of a stream on: goes on when the socket is writable, and looks after a client that stalls. Once
   * uWS has the handler, it flushes what it keeps only at a write, or at the end of a cork.
   */
  #watch(): void {
    this.#response.onWritable(() => {
      this.#stalledMs = 0;
      if (this.#chunk === null) this.#flush();
      else if (this.#length === null) this.#writePieces();
      // Nothing is corked here, so that uWS takes no more than the kernel does.
      else this.#push(this.#chunk);
      this.#resume();
      return !this.#waits();
    });
    this.#retries = setInterval(() => {
      this.#retry();
    }, RETRY_MS);
  }

  #retry(): void {
    if (this.#chunk === null) {
      this.#stalledMs = 0;
      this.#flush();
      return;
    }
    this.#stalledMs += RETRY_MS;
    if (this.#length === null) {
      this.#writePieces();
    } else {
      this.#pushCorked(this.#chunk);
      if (!this.#over) {
        const offset = this.#response.getWriteOffset();
        if (offset > this.#offsetSeen) this.#stalledMs = 0;
        this.#offsetSeen = offset;
      }
    }
    if (!this.#waits() || this.#stalledMs < STALL_LIMIT_MS) {
      this.#resume();
      return;
    }
    const callback = this.#onAborted;
    this.cut('client_stalled');
    callback?.();
  }

  #waits(): boolean {
    return this.#chunk !== null;
  }

  /** Lets uWS send what it keeps. */
  #flush(): void {
    this.#response.cork(doNothing);
  }

  /** Offers the rest of the chunk, corked as uWS demands outside of its own callbacks. */
  #pushCorked(chunk: Uint8Array): void {
    const rest = this.#head === null ? this.#rest(chunk) : chunk;
    const isWhole = this.#head !== null;
    const splits = this.#splits(rest);
    this.#cork((room) => {
      // A short body leaves with its head.
      const whole = isWhole && rest.length <= room;
      this.#offer(splits && !whole ? rest.subarray(0, -1) : rest);
    });
    if (splits && this.#isLastByteLeft()) this.#cork(() => this.#offer(rest.subarray(-1)));
  }

  /** As {@link #pushCorked}, where nothing is corked. */
  #push(chunk: Uint8Array): void {
    const rest = this.#rest(chunk);
    const splits = this.#splits(rest);
    this.#offer(splits ? rest.subarray(0, -1) : rest);
    if (splits && this.#isLastByteLeft()) this.#offer(rest.subarray(-1));
  }

  /**
   * Whether the rest goes without its last byte first. uWS would keep a small rest that ends the body, call the response
   * done, and lose the rest after 10 seconds if the client is slow. With a byte to come, the kernel has to take what is
   * before it. Over TLS, a rest that was refused must be offered again in the same length: so every offer splits alike.
   */
  #splits(rest: Uint8Array): boolean {
    return this.#chunkEnd === this.#length && rest.length > 1 && rest.length <= CORK_BYTES;
  }

  #isLastByteLeft(): boolean {
    return !this.#over && this.#response.getWriteOffset() === this.#length! - 1;
  }

  #rest(chunk: Uint8Array): Uint8Array {
    const left = this.#chunkEnd - this.#response.getWriteOffset();
    return left === chunk.length ? chunk : chunk.subarray(chunk.length - left);
  }

  /** Offers a piece of the chunk to uWS, which takes what the socket takes. */
  #offer(piece: Uint8Array): void {
    const [, done] = this.#response.tryEnd(piece, this.#length!);
    if (done) this.#finish();
    if (done || this.#response.getWriteOffset() === this.#chunkEnd) this.#chunk = null;
  }

  /** Tells the writer if its chunk has been taken. */
  #resume(): void {
    if (this.#waits()) return;
    const callback = this.#whenWritable;
    this.#whenWritable = null;
    callback?.();
  }

  /**
   * What ends the connection must not be sent while uWS reads from it: it would go on with what it has read, and take
   * it for the next request. One that comes while none is answered makes it close the connection.
   */
  #answer(closes: boolean, send: () => void): void {
    if (!closes) {
      send();
      return;
    }
    this.#over = true;
    this.#onAborted = null;
    this.#later(() => {
      if (!this.#aborted) send();
    });
  }

  #stream(status: number, headers: HeaderList, body: Uint8Array): void {
    this.#over = false;
    this.begin(status, headers, body.length);
    this.write(body, true);
  }

  /** Sends everything in one cork. If the head leaves no room for the body, it leaves alone, and the body follows. */
  #sendWhole(status: number, headers: HeaderList, body: string | Uint8Array, closes: boolean): void {
    const length = Buffer.byteLength(body);
    // uWS adds `Connection: close` itself.
    this.#head = this.#headOf(status, headers, false);
    this.#cork((room) => {
      if (length > room && !closes) return;
      this.#finish();
      this.#response.end(body, closes);
    });
    if (this.#over) return;
    this.#sent = 0;
    this.#length = length;
    this.write(typeof body === 'string' ? Buffer.from(body) : body, true);
  }

  /** endWithoutBody must have no arguments: with a length uWS drops the connection at the next request. */
  #sendHead(status: number, headers: HeaderList, length: number | null, closes = this.#isLast): void {
    this.#finish();
    if (closes) this.#stopReading();
    this.#head = this.#headOf(status, headers, closes);
    this.#cork(() => {
      if (length !== null) this.#response.writeHeader('Content-Length', String(length));
      this.#response.endWithoutBody();
    });
  }

  /** Corks the head, if it has not left, and what `write` adds, which is told how many bytes may follow. */
  #cork(write: (room: number) => void): void {
    const head = this.#head;
    this.#head = null;
    if (head === null) {
      this.#response.cork(() => write(MAX_PIECE_BYTES));
      return;
    }
    this.begun = true;
    corkHead(this.#response, head, this.edits, (room) => write(Math.max(1, room - MAX_FRAMING_BYTES)));
  }

  #headOf(status: number, headers: HeaderList, tellsClose = this.#isLast): Head {
    return { status, headers, requestId: this.#requestId, tellsClose };
  }

  #abort(): void {
    this.#aborted = true;
    this.#finish();
    this.#chunk = null;
    this.#resume();
  }

  #finish(): void {
    this.#over = true;
    this.#onAborted = null;
    this.#head = null;
    if (this.#retries !== null) clearInterval(this.#retries);
    this.#retries = null;
    const over = this.#onOver;
    this.#onOver = null;
    over?.(this.#aborted);
  }
}

function doNothing(): void {
  // Corked for what uWS does at the end of every cork.
}
