import { ChunkDecoder } from './chunked-body/chunk-decoder.ts';
import { NO_TRAILERS, type Trailers } from './chunked-body/trailers.ts';
import { isChunked, isContentLength } from './framing-headers.ts';
import { trimOws } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';

/** Receives the content of a body. */
export interface BodySink {
  /** Called with the next bytes, at least one, valid only during the call. */
  bodyData(bytes: Buffer): void;
}

/**
 * Removes the framing of an endpoint's response body as it arrives (RFC 9112 section 6.3). Content-Length,
 * the last chunk, or the end of the connection ends the body.
 */
export class BodyReader {
  /** Whether the whole body was read. */
  complete = false;
  /** Whether the framing is broken, so that later bytes are unusable. Excludes `complete`. */
  malformed = false;
  /** Content-Length of a response without chunks, even if it has no body; null without one. */
  readonly length: number | null;
  /** Whether only the end of the connection ends the body. */
  readonly untilClose: boolean;
  /** Null for a body without chunks. */
  readonly #chunks: ChunkDecoder | null;
  /** Remaining bytes of the body; Infinity if only the end of the connection ends it. */
  #left: number;

  /** @param toHead whether the response answers a HEAD request, and so has no body despite its headers */
  constructor(head: ResponseHead, toHead = false) {
    const encoding = one(head, 'transfer-encoding');
    const length = contentLengthOf(head);
    const bodiless = toHead || head.status === 204 || head.status === 304 || head.status < 200;
    this.#chunks = encoding === undefined ? null : new ChunkDecoder(true);
    this.length = length === undefined ? null : Number(length);
    this.#left = this.length ?? Infinity;
    this.untilClose = !bodiless && encoding === undefined && length === undefined;
    // HTTP/1.0 has no chunks (RFC 9112 section 6.1).
    const canBeChunked = head.isHttp10 !== true && length === undefined;
    if (encoding !== undefined && !(canBeChunked && isChunked(encoding))) this.malformed = true;
    else if (length !== undefined && !isContentLength(length)) this.malformed = true;
    else if (bodiless || this.#left === 0) this.complete = true;
  }

  /** Trailers of a chunked body, including forbidden ones; empty before the body is complete. */
  get trailers(): Trailers {
    return this.#chunks === null ? NO_TRAILERS : this.#chunks.trailers;
  }

  /**
   * Takes the next bytes from the endpoint: `input[start, end)`.
   *
   * @returns number of bytes that belong to the body: less than given only if the body is complete or
   * malformed
   */
  push(input: Buffer, start: number, end: number, sink: BodySink): number {
    if (this.complete || this.malformed) return 0;
    if (this.#chunks !== null) return this.#pushChunks(this.#chunks, input, start, end, sink);
    const size = Math.min(this.#left, end - start);
    this.#left -= size;
    if (this.#left === 0) this.complete = true;
    if (size > 0) sink.bodyData(input.subarray(start, start + size));
    return size;
  }

  /** Handles the end of the connection, which completes an `untilClose` body and truncates any other. */
  end(): void {
    if (this.complete || this.malformed) return;
    if (this.untilClose) this.complete = true;
    else this.malformed = true;
  }

  #pushChunks(chunks: ChunkDecoder, input: Buffer, start: number, end: number, sink: BodySink): number {
    const used = chunks.push(input, start, end, sink);
    this.complete = chunks.complete;
    this.malformed = chunks.problem !== null;
    return used;
  }
}

/** Returns the value of a header, or an invalid value if the header is repeated. */
function one(head: ResponseHead, name: string): string | undefined {
  let found: string | undefined;
  for (let index = 0; index < head.headers.length; index += 2) {
    if (head.headers[index] !== name) continue;
    found = found === undefined ? head.headers[index + 1] : '';
  }
  return found;
}

/**
 * Returns the value of Content-Length. Identical values in one or several lines count once (RFC 9112 section
 * 6.3). Different values yield an invalid value.
 */
function contentLengthOf({ headers }: ResponseHead): string | undefined {
  let found: string | undefined;
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] !== 'content-length') continue;
    const value = headers[index + 1]!;
    for (const part of value.includes(',') ? value.split(',').map(trimOws) : [value]) {
      if (found !== undefined && part !== found) return '';
      found = part;
    }
  }
  return found;
}
