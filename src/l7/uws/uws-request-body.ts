import type { RequestBody, RequestBodySink } from '../contract/request-body.ts';
import { WaitingBytes } from './waiting-bytes.ts';

/** What a request's body needs of a uWebSockets.js HttpResponse. */
interface UwsBodySource {
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): unknown;
  pause(): void;
  resume(): void;
}

/** While so much waits for a reader the client is paused. One read of uWS brings up to 512 KiB. */
const MOST_WAITING = 64 * 1024;
/**
 * uWS cuts off clients that send less than 160 KiB in 10 seconds, or nothing yet, and a proxy has clients on slow lines.
 * Resuming restarts that clock. The reader decides how slow and how silent a client may be (`http/body-pace.ts`).
 */
const KEEP_ALIVE_MS = 4_000;

/** A {@link RequestBody} on a uWebSockets.js response. To be made inside of the route's handler, where there is a body. */
export class UwsRequestBody implements RequestBody {
  received = 0;
  ended = false;
  readonly #source: UwsBodySource;
  #sink: RequestBodySink | null = null;
  readonly #waiting = new WaitingBytes();
  /** Whether the reader wants nothing for now. */
  #paused = false;
  /** Whether the client is made to wait. */
  #stopped = false;
  #over = false;
  #keepAlive: NodeJS.Timeout | null;
  #onWaiting: (() => void) | null = null;

  constructor(source: UwsBodySource) {
    this.#source = source;
    source.onData((chunk, isLast) => this.#arrived(chunk, isLast));
    this.#keepAlive = setInterval(() => this.#touch(), KEEP_ALIVE_MS);
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  onWaiting(callback: () => void): void {
    this.#onWaiting = callback;
  }

  read(sink: RequestBodySink): void {
    this.#sink = sink;
    this.#paused = false;
    this.#drain();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#drain();
  }

  /** The response is over: the source must not be touched any more, and what still comes is dropped. */
  close(): void {
    // A client that is paused could not even send its next request.
    if (this.#stopped && !this.#over) this.#start();
    this.#over = true;
    this.#sink = null;
    this.#onWaiting = null;
    this.#waiting.clear();
    this.#stopKeepAlive();
  }

  /** The client has gone. */
  abandon(): void {
    this.#stopped = false;
    this.close();
  }

  #arrived(chunk: ArrayBuffer, isLast: boolean): void {
    if (this.#over) return;
    this.received += chunk.byteLength;
    if (isLast) this.#stopKeepAlive();
    const sink = this.#sink;
    if (sink !== null && !this.#paused && this.#waiting.length === 0) {
      if (isLast) this.ended = true;
      if (chunk.byteLength > 0) sink.requestData(new Uint8Array(chunk));
      if (isLast) this.#sink?.requestEnd();
      return;
    }
    if (isLast) this.ended = true;
    // The chunk belongs to uWS.
    this.#waiting.push(new Uint8Array(chunk));
    if (!isLast && this.#waiting.length >= MOST_WAITING && !this.#stopped) {
      this.#stopped = true;
      this.#source.pause();
    }
    this.#onWaiting?.();
  }

  #drain(): void {
    if (this.#sink === null) return;
    for (;;) {
      if (this.#over || this.#paused) return;
      const chunk = this.#waiting.shift();
      if (chunk === null) break;
      this.#sink.requestData(chunk);
    }
    if (this.ended) this.#sink.requestEnd();
    else if (this.#stopped) this.#start();
  }

  #start(): void {
    this.#stopped = false;
    this.#source.resume();
  }

  /** uWS puts back on resuming what it has put away on pausing: one without the other would make it deaf. */
  #touch(): void {
    if (this.#stopped) return;
    this.#source.pause();
    this.#source.resume();
  }

  #stopKeepAlive(): void {
    if (this.#keepAlive !== null) clearInterval(this.#keepAlive);
    this.#keepAlive = null;
  }
}
