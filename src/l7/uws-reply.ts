import { STATUS_CODES } from 'node:http';
import { copyOf } from '../core/copy.ts';
import { NO_EDITS, type HeaderEdits } from '../wire/header-edits.ts';
import type { HeaderList, HttpReply, ResponseCut } from './http-reply.ts';

/** What a reply needs of a uWebSockets.js HttpResponse. */
export interface UwsResponse {
  cork(callback: () => void): unknown;
  writeStatus(status: string): unknown;
  writeHeader(name: string, value: string | Uint8Array): unknown;
  end(body: string | Uint8Array, closeConnection: boolean): unknown;
  endWithoutBody(): unknown;
  write(chunk: Uint8Array): boolean;
  tryEnd(chunk: Uint8Array, totalSize: number): [ok: boolean, done: boolean];
  getWriteOffset(): number;
  onWritable(handler: (offset: number) => boolean): unknown;
  onAborted(handler: () => void): unknown;
  close(): unknown;
}

/** A client that takes nothing for so long is cut off; nginx's send_timeout. */
const STALL_LIMIT_MS = 60_000;
/**
 * uWS ends a response whose socket has not become writable for 10 seconds after a write that fell short, and
 * the kernel calls a socket writable only when a third of its buffer is free: with megabytes buffered that cuts
 * off clients that are slow but alive. Trying again inside the 10 seconds restarts the clock, and sends what
 * has become free.
 */
const RETRY_MS = 4_000;
/** A corked write up to this size always succeeds: uWS keeps what the kernel does not take. */
const CORK_BUFFER = 16 * 1024;

/**
 * Of chunked bodies uWS keeps all that the kernel does not take, and does not say how much: only that, of the piece
 * written last. And once it is asked to say when it can go on, it goes on only by the next write. So of a piece from
 * this size on some bytes are held back, to be written one by one as probes: where one is taken, all before it is.
 */
const PROBED_SIZE = 4 * 1024;
const PROBES = 16;
/** Of smaller pieces so much may be with uWS without a probe. */
const MOST_UNPROVEN = 64 * 1024;
const NOTHING = new Uint8Array(0);

const UNSAFE_IN_HEADER = /[^\t\x20-\x7e\x80-\xff]/g;
const PLAIN_HEADER = /^[\t\x20-\x7e]*$/;

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
  readonly #ending: (() => void) | null;
  #aborted = false;
  /** Answered or aborted: the response must not be touched any more. */
  #over = false;
  #onAborted: (() => void) | null = null;
  #onOver: ((gone: boolean) => void) | null = null;
  #whenWritable: (() => void) | null = null;
  /** The head of a stream until it has left with the first chunk. */
  #head: { readonly status: number; readonly headers: HeaderList } | null = null;
  /** Of the body; null where it goes in chunks. */
  #length: number | null = 0;
  #sent = 0;
  /** Bytes of a chunked body of which it is not known whether the kernel has them. */
  #unproven = 0;
  /** What is held back of the last piece of a chunked body while the client is slow. */
  #probes: Uint8Array = NOTHING;
  /** The last chunk until uWS has taken all of it, and where in the body it ends. */
  #chunk: Uint8Array | null = null;
  #chunkEnd = 0;
  #retries: NodeJS.Timeout | null = null;
  #stalledMs = 0;
  /** How much of the body had been taken at the last retry. */
  #offsetSeen = 0;

  /**
   * @param requestId for X-Request-Id in every head
   * @param isHead whether the request is a HEAD: its reply has no body, whatever is sent
   * @param later calls back once, when uWS has handed over all that it has read
   * @param ending pauses the connection, where nothing that comes behind the request is to be believed: the
   *   connection then ends with the reply. uWS closes behind a reply in one piece only; but what is not read has been
   *   silent for 10 seconds before long, and then uWS closes it too.
   */
  constructor(
    response: UwsResponse,
    requestId: string,
    isHead: boolean,
    later: (callback: () => void) => void,
    ending: (() => void) | null = null,
  ) {
    this.#response = response;
    this.#requestId = requestId;
    this.#isHead = isHead;
    this.#later = later;
    this.#ending = ending;
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
    const steps = [() => this.#writeHead(101, headers), upgrade];
    this.#response.cork(steps.forEach.bind(steps, Reflect.apply));
  }

  send(status: number, headers: HeaderList, body: string | Uint8Array, close = false): void {
    if (this.#over) return;
    const closes = close || this.#ending !== null;
    if (!this.#isHead && status !== 204 && status !== 304) this.#sent = Buffer.byteLength(body);
    this.#answer(closes, () => {
      if (status === 204 || status === 304) this.#sendHead(status, headers, null);
      else if (this.#isHead && !closes) this.#sendHead(status, headers, Buffer.byteLength(body));
      else this.#sendWhole(status, headers, this.#isHead ? NOTHING : body, closes);
    });
  }

  sendHead(status: number, headers: HeaderList, length: number | null): void {
    if (!this.#over) this.#answer(this.#ending !== null, () => this.#sendHead(status, headers, length));
  }

  begin(status: number, headers: HeaderList, length: number | null): void {
    if (this.#isHead) this.sendHead(status, headers, length);
    if (this.#over) return;
    this.#head = { status, headers };
    this.#length = length;
  }

  write(chunk: Uint8Array, borrowed = false): boolean {
    if (this.#over) return true;
    this.#sent += chunk.length;
    if (this.#length === null) return this.#writeChunk(chunk);
    this.#chunk = chunk;
    this.#chunkEnd += chunk.length;
    if (this.#chunkEnd === this.#length) this.#ending?.();
    const head = this.#head;
    if (head === null) {
      this.#pushCorked();
    } else {
      this.#head = null;
      this.#response.cork(() => {
        this.#writeHead(head.status, head.headers);
        this.#push(chunk);
      });
    }
    if (!this.#waits()) return true;
    if (borrowed) this.#chunk = copyOf(this.#rest(chunk));
    if (this.#retries === null) this.#watch();
    return false;
  }

  end(chunk: Uint8Array | null): void {
    if (this.#over) return;
    const head = this.#head;
    if (chunk !== null) this.#sent += chunk.length;
    this.#finish();
    this.#ending?.();
    this.#response.cork(() => {
      if (head !== null) this.#writeHead(head.status, head.headers);
      // Without a piece written before, uWS would end it with a Content-Length.
      if (head !== null && chunk !== null) this.#response.write(chunk);
      this.#response.end(head !== null || chunk === null ? NOTHING : chunk, false);
    });
  }

  /** Whether the piece has been taken. */
  #writeChunk(chunk: Uint8Array): boolean {
    const head = this.#head;
    this.#head = null;
    const probed =
      chunk.length > PROBES && (chunk.length >= PROBED_SIZE || this.#unproven + chunk.length > MOST_UNPROVEN);
    const first = probed ? chunk.subarray(0, -PROBES) : chunk;
    const result = { proven: false };
    this.#response.cork(() => {
      if (head !== null) this.#writeHead(head.status, head.headers);
      result.proven = this.#response.write(first);
      if (probed && result.proven) this.#response.write(chunk.subarray(-PROBES));
    });
    const { proven } = result;
    // What is small goes through the cork's buffer: what was before it has been taken, and it may yet fall short.
    this.#unproven = proven ? chunk.length : this.#unproven + chunk.length;
    if (proven || !probed) return true;
    this.#probes = copyOf(chunk.subarray(-PROBES));
    if (this.#retries === null) this.#watch();
    return false;
  }

  /** Writes what was held back, byte by byte until the first is taken; with none left it has to be believed. */
  #probe(): void {
    while (this.#probes.length > 0) {
      const taken = this.#response.write(this.#probes.subarray(0, 1));
      this.#probes = this.#probes.subarray(1);
      if (!taken) return;
      this.#stalledMs = 0;
      const rest = this.#probes;
      this.#probes = NOTHING;
      if (rest.length > 0) this.#response.write(rest);
    }
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

  #waits(): boolean {
    return this.#chunk !== null || this.#probes.length > 0;
  }

  /** From the first short write on: goes on when the socket is writable, and looks after a client that stalls. */
  #watch(): void {
    this.#response.onWritable(() => {
      // Nothing is corked here, so that uWS takes no more than the kernel does.
      if (this.#chunk !== null) this.#push(this.#rest(this.#chunk));
      else this.#probe();
      const taken = !this.#waits();
      this.#resume();
      return taken;
    });
    this.#retries = setInterval(() => {
      this.#retry();
    }, RETRY_MS);
  }

  #retry(): void {
    if (this.#chunk !== null) this.#pushCorked();
    else if (this.#probes.length > 0) this.#response.cork(() => this.#probe());
    if (!this.#waits() || this.#over) {
      this.#stalledMs = 0;
    } else if (this.#length === null) {
      this.#stalledMs += RETRY_MS;
    } else {
      const offset = this.#response.getWriteOffset();
      this.#stalledMs = offset > this.#offsetSeen ? 0 : this.#stalledMs + RETRY_MS;
      this.#offsetSeen = offset;
    }
    if (this.#stalledMs < STALL_LIMIT_MS) {
      this.#resume();
      return;
    }
    const callback = this.#onAborted;
    this.cut('client_stalled');
    callback?.();
  }

  /**
   * Writes the rest of the chunk, corked as uWS demands outside of its own callbacks. A small piece that ends
   * the body goes without its last byte first: uWS would keep it, call the response done, and lose it after 10
   * seconds if the client is slow. With a byte to come, the kernel has to take what is before it first.
   */
  #pushCorked(): void {
    const rest = this.#rest(this.#chunk!);
    const last = this.#chunkEnd === this.#length && rest.length > 1 && rest.length <= CORK_BUFFER;
    this.#response.cork(() => {
      this.#push(last ? rest.subarray(0, -1) : rest);
    });
    if (!last || this.#response.getWriteOffset() < this.#length! - 1) return;
    this.#response.cork(() => {
      this.#push(rest.subarray(-1));
    });
  }

  #rest(chunk: Uint8Array): Uint8Array {
    const left = this.#chunkEnd - this.#response.getWriteOffset();
    return left === chunk.length ? chunk : chunk.subarray(chunk.length - left);
  }

  /** Offers a piece of the chunk to uWS, which takes what the socket takes. */
  #push(piece: Uint8Array): void {
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

  #sendWhole(status: number, headers: HeaderList, body: string | Uint8Array, closes: boolean): void {
    this.#finish();
    this.#response.cork(() => {
      this.#writeStatus(status, headers);
      this.#response.end(body, closes);
    });
  }

  /** endWithoutBody must have no arguments: with a length uWS drops the connection at the next request. */
  #sendHead(status: number, headers: HeaderList, length: number | null): void {
    this.#finish();
    this.#ending?.();
    this.#response.cork(() => {
      this.#writeHead(status, headers);
      if (length !== null) this.#response.writeHeader('Content-Length', String(length));
      this.#response.endWithoutBody();
    });
  }

  #writeHead(status: number, headers: HeaderList): void {
    this.#writeStatus(status, headers);
    if (this.#ending !== null) this.#response.writeHeader('Connection', 'close');
  }

  /** Every head is written here, so that what a route changes holds for all of its answers. */
  #writeStatus(status: number, headers: HeaderList): void {
    this.begun = true;
    const response = this.#response;
    const { dropped, added } = this.edits;
    response.writeStatus(`${status} ${STATUS_CODES[status] ?? ''}`);
    for (const [name, value, kept] of headers) {
      if (dropped.size > 0 && kept !== true && dropped.has(name.toLowerCase())) continue;
      response.writeHeader(name, headerValue(value));
    }
    for (let index = 0; index < added.length; index += 2) {
      response.writeHeader(added[index]!, headerValue(added[index + 1]!));
    }
    if (!dropped.has('x-request-id')) response.writeHeader('X-Request-Id', this.#requestId);
  }

  #abort(): void {
    this.#aborted = true;
    this.#finish();
    this.#chunk = null;
    this.#probes = NOTHING;
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

/** uWS writes strings as UTF-8 and whatever they hold: neither the encoding nor line ends may come from outside. */
function headerValue(value: string): string | Uint8Array {
  return PLAIN_HEADER.test(value) ? value : Buffer.from(value.replace(UNSAFE_IN_HEADER, ' '), 'latin1');
}
