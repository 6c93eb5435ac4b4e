import { trimOws } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';

/** Receives the content of a body. */
export interface BodySink {
  /** The next bytes, at least one, valid only during the call. */
  bodyData(bytes: Buffer): void;
}

const CHUNKED = /^chunked$/i;
/**
 * The size of a chunk, with extensions. Some servers write zeros before and spaces behind it to fill a fixed width;
 * {@link MAX_LINE_BYTES} limits the zeros.
 */
const CHUNK_SIZE = /^0*([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?$/;
/** Max bytes of a line with a chunk's size and extensions, and of a trailer. */
const MAX_LINE_BYTES = 1024;
/** Max bytes of all trailers together, which are read and dropped. */
const MAX_TRAILER_BYTES = 16 * 1024;

/**
 * Removes the framing of an endpoint's response body as it arrives (RFC 9112 section 6.3). The body ends by Content-Length,
 * with its last chunk, or when the endpoint closes. Only an incomplete head of a chunk is kept.
 */
export class BodyReader {
  /** Whether the whole body has been read. */
  complete = false;
  /** Whether the framing is broken, so that nothing after it can be used. Excludes `complete`. */
  malformed = false;
  /** The Content-Length of a response without chunks, also if it has no body; null for none. */
  readonly length: number | null;
  /** Whether only the end of the connection ends the body. */
  readonly untilClose: boolean;
  readonly #chunked: boolean;
  /** Remaining bytes of the body or of the current chunk; Infinity until the endpoint closes. */
  #left: number;
  #line = '';
  #trailers = 0;
  #state: 'size' | 'data' | 'data-end' | 'trailer' = 'size';

  /** @param toHead whether the response answers a HEAD, and so has no body in spite of its headers */
  constructor(head: ResponseHead, toHead = false) {
    const encoding = one(head, 'transfer-encoding');
    const length = contentLengthOf(head);
    const bodiless = toHead || head.status === 204 || head.status === 304 || head.status < 200;
    this.#chunked = encoding !== undefined;
    this.length = length === undefined ? null : Number(length);
    this.#left = this.length ?? Infinity;
    this.untilClose = !bodiless && encoding === undefined && length === undefined;
    // HTTP/1.0 has no chunks (RFC 9112 section 6.1).
    const canBeChunked = head.isHttp10 !== true && length === undefined;
    if (encoding !== undefined && !(canBeChunked && CHUNKED.test(encoding))) this.malformed = true;
    else if (length !== undefined && !/^\d{1,15}$/.test(length)) this.malformed = true;
    else if (bodiless || this.#left === 0) this.complete = true;
  }

  /**
   * Takes the next bytes from the endpoint.
   *
   * @returns number of bytes that belong to the body: fewer than given only if the body is complete or malformed
   */
  push(input: Buffer, sink: BodySink): number {
    if (this.complete || this.malformed) return 0;
    if (this.#chunked) return this.#pushChunked(input, sink);
    const size = Math.min(this.#left, input.length);
    this.#left -= size;
    if (this.#left === 0) this.complete = true;
    if (size > 0) sink.bodyData(size === input.length ? input : input.subarray(0, size));
    return size;
  }

  /** Handles the end of the connection: it ends a body that lasts until then, and cuts any other. */
  end(): void {
    if (this.complete || this.malformed) return;
    if (this.untilClose) this.complete = true;
    else this.malformed = true;
  }

  #pushChunked(input: Buffer, sink: BodySink): number {
    let at = 0;
    while (at < input.length && !this.complete && !this.malformed) {
      if (this.#state === 'data') {
        const end = Math.min(input.length, at + this.#left);
        this.#left -= end - at;
        if (this.#left === 0) this.#state = 'data-end';
        sink.bodyData(input.subarray(at, end));
        at = end;
        continue;
      }
      const newline = input.indexOf(10, at);
      const stop = newline < 0 ? input.length : newline + 1;
      this.#line += input.toString('latin1', at, stop);
      at = stop;
      if (this.#line.length > MAX_LINE_BYTES) this.malformed = true;
      else if (newline >= 0) this.#lineEnd();
    }
    return at;
  }

  #lineEnd(): void {
    if (!this.#line.endsWith('\r\n')) {
      this.malformed = true;
      return;
    }
    const line = this.#line.slice(0, -2);
    this.#line = '';
    if (this.#state === 'trailer') {
      this.#trailers += line.length;
      if (line === '') this.complete = true;
      else if (this.#trailers > MAX_TRAILER_BYTES) this.malformed = true;
    } else if (this.#state === 'data-end') {
      if (line === '') this.#state = 'size';
      else this.malformed = true;
    } else {
      const match = CHUNK_SIZE.exec(line);
      if (match === null) {
        this.malformed = true;
        return;
      }
      this.#left = Number.parseInt(match[1]!, 16);
      this.#state = this.#left === 0 ? 'trailer' : 'data';
    }
  }
}

/** Returns the value of a header. A second line makes it a value that is never valid. */
function one(head: ResponseHead, name: string): string | undefined {
  let found: string | undefined;
  for (let index = 0; index < head.headers.length; index += 2) {
    if (head.headers[index] !== name) continue;
    found = found === undefined ? head.headers[index + 1] : '';
  }
  return found;
}

/**
 * Returns the value of Content-Length. Identical values in one or several lines count as one (RFC 9112 section 6.3).
 * Different values become a value that is never valid.
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
