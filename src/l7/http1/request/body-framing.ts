import { ChunkDecoder } from '../../../wire/http/chunked-body/chunk-decoder.ts';
import { allowedTrailers } from '../../../wire/http/chunked-body/trailers.ts';
import type { HeaderList } from '../../contract/http-reply.ts';

/** Receives the content of a body without its framing. */
interface ContentSink {
  /**
   * Called with the next bytes, at least one, valid during the call only.
   *
   * @param isLast whether they are known to be the last
   */
  content(bytes: Buffer, isLast: boolean): void;
  /** Called at the end, after the last bytes. */
  contentEnded(): void;
  /** Called if the end cannot be found. @param problem a short text */
  contentBroken(problem: string): void;
}

/** Finds the end of a request's body (RFC 9112 section 6). */
export interface BodyFraming {
  /** Remaining bytes of content, Infinity if unknown. */
  readonly left: number;
  /** Trailers that may be forwarded, or undefined. */
  readonly trailers: HeaderList | undefined;
  /**
   * Reads the next bytes.
   *
   * @returns how many of them belong to the body. Less than given only if the end was found, or cannot be
   * found.
   */
  push(input: Buffer, start: number, end: number, sink: ContentSink): number;
}

/** @param body length in bytes, 1 or more, or `chunked` */
export function createBodyFraming(body: number | 'chunked'): BodyFraming {
  return body === 'chunked' ? new ChunkFraming() : new LengthFraming(body);
}

/** A body with a Content-Length. */
class LengthFraming implements BodyFraming {
  left: number;
  readonly trailers = undefined;

  constructor(length: number) {
    this.left = length;
  }

  push(input: Buffer, start: number, end: number, sink: ContentSink): number {
    const size = Math.min(this.left, end - start);
    this.left -= size;
    sink.content(input.subarray(start, start + size), this.left === 0);
    return size;
  }
}

/** A chunked body with optional trailers. */
class ChunkFraming implements BodyFraming {
  readonly left = Infinity;
  readonly #decoder = new ChunkDecoder(false);
  #sink: ContentSink | null = null;

  get trailers(): HeaderList | undefined {
    const { trailers } = this.#decoder;
    return trailers.length === 0 ? undefined : allowedTrailers(trailers);
  }

  push(input: Buffer, start: number, end: number, sink: ContentSink): number {
    this.#sink = sink;
    const behind = this.#decoder.push(input, start, end, this);
    if (this.#decoder.problem !== null) sink.contentBroken(this.#decoder.problem);
    else if (this.#decoder.complete) sink.contentEnded();
    return behind - start;
  }

  bodyData(bytes: Buffer): void {
    this.#sink!.content(bytes, false);
  }
}
