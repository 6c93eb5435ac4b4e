import { copyOf } from '../../../core/copy.ts';
import { NO_EDITS, type HeaderEdits } from '../../../wire/http/header-edits.ts';
import type { ErrorPages } from '../../contract/error-pages.ts';
import {
  MAX_STALL_MS,
  type HeaderList,
  type HttpReply,
  type ResponseCut,
} from '../../contract/http-reply.ts';
import { RESTART_MS } from '../http-timeout.ts';
import { ChunkedBody } from './chunked-body.ts';
import { MAX_FRAMING_BYTES, MAX_PIECE_BYTES, MAX_UNPROVEN_END_BYTES } from './cork-sizes.ts';
import { SizedBody } from './sized-body.ts';
import type { BodyOwner, StreamedBody } from './streamed-body.ts';
import { corkHead, writeHead, type Head } from './uws-head.ts';
import type { UwsResponse } from './uws-response.ts';

/**
 * A reply on a uWebSockets.js response. Must be created inside the route's handler: it sets the response's
 * only `onAborted` and `onWritable`.
 */
export class UwsReply implements HttpReply, BodyOwner {
  edits: HeaderEdits = NO_EDITS;
  pages: ErrorPages | null = null;
  begun = false;
  cutBy: ResponseCut | null = null;
  readonly sendsTrailers = false;
  readonly response: UwsResponse;
  readonly #requestId: string;
  readonly #isHead: boolean;
  readonly #later: (callback: () => void) => void;
  readonly #stopReading: () => void;
  readonly #isLast: boolean;
  #aborted = false;
  #over = false;
  #onAborted: (() => void) | null = null;
  #onOver: ((gone: boolean) => void) | null = null;
  #whenWritable: (() => void) | null = null;
  /** The head of a streamed reply until it leaves with the first chunk. */
  #head: Head | null = null;
  /** Null unless the reply is streamed. */
  #body: StreamedBody | null = null;
  /** Length of a streamed body in bytes, null if it is chunked. */
  #length: number | null = 0;
  #sent = 0;
  /** Whether {@link end} was called. */
  #ends = false;
  #retries: NodeJS.Timeout | null = null;

  /**
   * @param requestId for X-Request-Id in every head
   * @param isHead whether the request is a HEAD, whose reply has no body
   * @param later calls back once, after uWS has delivered all bytes that it has read
   * @param stopReading pauses the connection for good. uWS closes the connection after a reply only if `end`
   * writes the whole body. Otherwise it closes a paused connection after 10 s of silence.
   * @param isLast whether the reply ends the connection, because the end of the request is unknown
   */
  constructor(
    response: UwsResponse,
    requestId: string,
    isHead: boolean,
    later: (callback: () => void) => void,
    stopReading: () => void,
    isLast = false,
  ) {
    this.response = response;
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
   * Calls back once, when the reply is answered, switched or aborted.
   *
   * @param callback gets true if the connection is closed or about to be cut
   */
  onOver(callback: (gone: boolean) => void): void {
    this.#onOver = callback;
  }

  /**
   * Answers 101 and calls the response's own `upgrade`, which adds the handshake headers. No JavaScript
   * function may run after `upgrade`: see `uws-upgrade.ts`.
   */
  switchProtocols(headers: HeaderList, upgrade: () => unknown): void {
    if (this.#over) return;
    this.finish();
    const head = this.#headOf(101, headers);
    const steps = [() => writeHead(this.response, head, this.edits), upgrade];
    this.begun = true;
    this.response.cork(steps.forEach.bind(steps, Reflect.apply));
  }

  sendInterim(): void {
    // uWS cannot send interim responses (20.66 to 20.68).
  }

  send(status: number, headers: HeaderList, body: string | Uint8Array, close = false): void {
    if (this.#over) return;
    const closes = close || this.#isLast;
    const hasBody = !this.#isHead && status !== 204 && status !== 304;
    const length = Buffer.byteLength(body);
    const maxWhole = this.#isLast ? MAX_UNPROVEN_END_BYTES : MAX_PIECE_BYTES;
    const streams = hasBody && !close && length > maxWhole;
    if (hasBody && !streams) this.#sent = length;
    // The body is valid during this call only, and a closing reply is sent later.
    const kept = closes && typeof body !== 'string' ? copyOf(body) : body;
    this.#answer(closes, () => {
      if (streams) this.#stream(status, headers, typeof kept === 'string' ? Buffer.from(kept) : kept);
      else if (status === 204 || status === 304) this.#writeHeadOnly(status, headers, null, closes);
      else if (this.#isHead) this.#writeHeadOnly(status, headers, length, closes);
      else this.#sendWhole(status, headers, kept, closes);
    });
  }

  sendHead(status: number, headers: HeaderList, length: number | null): void {
    if (!this.#over) this.#answer(this.#isLast, () => this.#writeHeadOnly(status, headers, length));
  }

  begin(status: number, headers: HeaderList, length: number | null): void {
    if (this.#isHead) this.sendHead(status, headers, length);
    if (this.#over) return;
    this.#head = this.#headOf(status, headers);
    this.#beginBody(length);
  }

  beginAndFlush(): boolean {
    // beginWrite, which sends a head alone, was added in uWebSockets 20.79.
    return false;
  }

  write(chunk: Uint8Array, borrowed = false): boolean {
    if (this.#over || this.#ends) return true;
    this.#sent += chunk.length;
    if (this.#isLast && this.#sent === this.#length) this.#stopReading();
    this.#body!.write(chunk);
    return this.#keep(borrowed);
  }

  end(chunk: Uint8Array | null): void {
    if (this.#over || this.#ends) return;
    this.#ends = true;
    if (chunk !== null) this.#sent += chunk.length;
    (this.#body as ChunkedBody).end(chunk);
    if (chunk !== null) this.#keep(true);
  }

  whenWritable(callback: () => void): void {
    if (this.#waits()) this.#whenWritable = callback;
    else callback();
  }

  cut(reason: ResponseCut): void {
    if (this.#over) return;
    this.cutBy = reason;
    this.#abort();
    this.response.close();
  }

  get headWaits(): boolean {
    return this.#head !== null;
  }

  get isOver(): boolean {
    return this.#over;
  }

  cork(write: (room: number) => void): void {
    const head = this.#head;
    this.#head = null;
    if (head === null) {
      this.response.cork(() => write(MAX_PIECE_BYTES));
      return;
    }
    this.begun = true;
    corkHead(this.response, head, this.edits, (room) => write(Math.max(1, room - MAX_FRAMING_BYTES)));
  }

  stopReadingIfLast(): void {
    if (this.#isLast) this.#stopReading();
  }

  finish(): void {
    this.#over = true;
    this.#onAborted = null;
    this.#head = null;
    if (this.#retries !== null) clearInterval(this.#retries);
    this.#retries = null;
    const over = this.#onOver;
    this.#onOver = null;
    over?.(this.#aborted);
  }

  #beginBody(length: number | null): void {
    this.#length = length;
    this.#body = length === null ? new ChunkedBody(this) : new SizedBody(this, length);
  }

  /** Keeps the bytes that uWS has not taken. Returns whether it has taken everything. */
  #keep(borrowed: boolean): boolean {
    if (this.#over) return true;
    // Once the handler is set, uWS leaves unsent bytes to it.
    if (this.#retries === null) this.#watch();
    if (!this.#waits()) return true;
    if (borrowed) this.#body!.copyWaiting();
    return false;
  }

  /**
   * Writes the remaining body when the socket becomes writable, and disconnects a client that stalls. Once an
   * `onWritable` is set, uWS sends buffered bytes only with a write or at the end of a cork.
   */
  #watch(): void {
    const body = this.#body!;
    this.response.onWritable(() => {
      body.stalledMs = 0;
      if (body.waiting === null) this.#flush();
      else body.push();
      this.#resume();
      return !this.#waits();
    });
    this.#retries = setInterval(() => this.#retry(body), RESTART_MS);
  }

  #retry(body: StreamedBody): void {
    if (body.waiting === null) {
      body.stalledMs = 0;
      this.#flush();
      return;
    }
    body.stalledMs += RESTART_MS;
    body.retry();
    if (!this.#waits() || body.stalledMs < MAX_STALL_MS) {
      this.#resume();
      return;
    }
    const callback = this.#onAborted;
    this.cut('client_stalled');
    callback?.();
  }

  #waits(): boolean {
    return this.#body !== null && this.#body.waiting !== null;
  }

  /** Makes uWS send its buffered bytes. */
  #flush(): void {
    this.response.cork(doNothing);
  }

  /** Notifies the writer that its chunk was taken. */
  #resume(): void {
    if (this.#waits()) return;
    const callback = this.#whenWritable;
    this.#whenWritable = null;
    callback?.();
  }

  /**
   * Sends a reply, delayed if the reply ends the connection.
   *
   * After a reply, uWS (20.66 to 20.68) parses the rest of its read as the next request, even if the reply
   * closes the connection. While the request is unanswered, uWS instead closes the connection at the next
   * one. No upstream issue known. Needed until uWS stops parsing after a last reply.
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

  /** Sends head and body in one cork. If the cork buffer has no room for the body, the head is sent first. */
  #sendWhole(status: number, headers: HeaderList, body: string | Uint8Array, closes: boolean): void {
    const length = Buffer.byteLength(body);
    // uWS adds `Connection: close` itself.
    this.#head = this.#headOf(status, headers, false);
    this.cork((room) => {
      if (length > room && !closes) return;
      this.finish();
      this.response.end(body, closes);
    });
    if (this.#over) return;
    this.#sent = 0;
    this.#beginBody(length);
    this.write(typeof body === 'string' ? Buffer.from(body) : body, true);
  }

  /**
   * Sends a head alone. `endWithoutBody` must get no arguments: with a length, uWS 20.66 to 20.68 drops the
   * connection at the next request (uWebSockets.js#739, uWebSockets#1855, open).
   */
  #writeHeadOnly(status: number, headers: HeaderList, length: number | null, closes = this.#isLast): void {
    this.finish();
    if (closes) this.#stopReading();
    this.#head = this.#headOf(status, headers, closes);
    this.cork(() => {
      if (length !== null) this.response.writeHeader('Content-Length', String(length));
      this.response.endWithoutBody();
    });
  }

  #headOf(status: number, headers: HeaderList, closes = this.#isLast): Head {
    return { status, headers, requestId: this.#requestId, closes };
  }

  #abort(): void {
    this.#aborted = true;
    this.finish();
    if (this.#body !== null) this.#body.waiting = null;
    this.#resume();
  }
}

function doNothing(): void {
  // The end of the cork sends the bytes.
}
