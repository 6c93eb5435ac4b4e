import type { HeaderList } from '../../../../src/l7/contract/http-reply.ts';
import type { RequestBody, RequestBodySink } from '../../../../src/l7/contract/request-body.ts';

/** A body as a server delivers it. Bytes wait while there is no reader, or the reader is busy. */
export class FakeBody implements RequestBody {
  received = 0;
  ended = false;
  #waiting: Buffer[] = [];
  #trailers: HeaderList = [];
  #sink: RequestBodySink | null = null;
  #paused = false;
  #callback: () => void = () => undefined;

  get waiting(): number {
    return Buffer.concat(this.#waiting).length;
  }

  /** The client sends. */
  come(bytes: number, isLast = false, trailers: HeaderList = []): void {
    this.#trailers = trailers;
    this.received += bytes;
    this.ended ||= isLast;
    if (bytes > 0) this.#waiting.push(Buffer.alloc(bytes, 'b'));
    const isRead = this.#sink !== null && !this.#paused;
    this.#drain();
    if (!isRead) this.#callback();
  }

  onWaiting(callback: () => void): void {
    this.#callback = callback;
  }

  read(sink: RequestBodySink): void {
    this.#sink = sink;
    this.resume();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#drain();
  }

  #drain(): void {
    if (this.#sink === null) return;
    for (;;) {
      if (this.#paused) return;
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#sink.requestData(next);
    }
    if (this.ended) this.#sink.requestEnd(this.#trailers);
  }
}
