import { WaitingBytes } from '../buffers/waiting-bytes.ts';
import type { RequestBody, RequestBodySink } from '../contract/request-body.ts';
import { RESTART_MS } from './http-timeout.ts';

/** The parts of a uWebSockets.js HttpResponse that a request body uses. */
interface UwsBodySource {
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): unknown;
  pause(): void;
  resume(): void;
}

/** Max buffered bytes before the client is paused. One read of uWS delivers up to 512 KiB. */
const MAX_WAITING_BYTES = 64 * 1024;

/**
 * The body of a request on a uWebSockets.js response. Must be created inside the route's handler, and only if
 * there is a body.
 */
export class UwsRequestBody implements RequestBody {
  received = 0;
  ended = false;
  readonly #source: UwsBodySource;
  #sink: RequestBodySink | null = null;
  readonly #waiting = new WaitingBytes();
  /** Whether the reader has paused. */
  #paused = false;
  /** Whether the client is paused. */
  #stopped = false;
  #over = false;
  #keepAlive: NodeJS.Timeout | null;
  #onWaiting: (() => void) | null = null;

  constructor(source: UwsBodySource) {
    this.#source = source;
    source.onData((chunk, isLast) => this.#arrived(chunk, isLast));
    this.#keepAlive = setInterval(() => this.#touch(), RESTART_MS);
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

  /** Drops all further bytes, because the response has ended. The source must not be used after that. */
  close(): void {
    // A paused client could not send its next request.
    if (this.#stopped && !this.#over) this.#start();
    this.#over = true;
    this.#sink = null;
    this.#onWaiting = null;
    this.#waiting.clear();
    this.#stopKeepAlive();
  }

  /** Drops the buffered bytes, because the connection is closed. */
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
    // The chunk is valid during this call only.
    this.#waiting.push(new Uint8Array(chunk));
    if (!isLast && this.#waiting.length >= MAX_WAITING_BYTES && !this.#stopped) {
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

  /**
   * Restarts uWS's timeout. Pause and resume must be called in pairs, because resume restores the events that
   * pause saved.
   */
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
