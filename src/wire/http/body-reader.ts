import { trimOws } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';

/** Who gets the content of a body. */
export interface BodySink {
  /** The next bytes, valid during the call only; never none. */
  bodyData(bytes: Buffer): void;
}

const CHUNKED = /^chunked$/i;
/**
 * A size with leading zeros and with spaces behind it, which some servers write to fill a fixed width, and extensions.
 * {@link MAX_LINE} bounds the zeros.
 */
const CHUNK_SIZE = /^0*([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?$/;
/** The longest line of a chunk's size with its extensions, or of a trailer. */
const MAX_LINE = 1024;
/** All the lines of trailers together, which are read and dropped. */
const MAX_TRAILERS = 16 * 1024;

/**
 * Takes the framing off the body of an endpoint's response as it arrives (RFC 9112 section 6.3): by its
 * Content-Length, by its chunks, or until the endpoint closes. Nothing is kept but a chunk's head that was cut.
 */
export class BodyReader {
  /** Whether all of it has been read. */
  complete = false;
  /** Whether its framing is broken: nothing that follows can be used. Never together with `complete`. */
  malformed = false;
  /** The Content-Length, where the response has one and no chunks; it counts for a bodiless response too. */
  readonly length: number | null;
  /** Whether only the end of the connection ends it. */
  readonly untilClose: boolean;
  readonly #chunked: boolean;
  /** Bytes of the body, or of the current chunk, still to come; Infinity until the endpoint closes. */
  #left: number;
  #line = '';
  #trailers = 0;
  #state: 'size' | 'data' | 'data-end' | 'trailer' = 'size';

  /** @param toHead whether it answers a HEAD, and so has no body whatever its headers say */
  constructor(head: ResponseHead, toHead = false) {
    const encoding = one(head, 'transfer-encoding');
    const length = contentLengthOf(head);
    const bodiless = toHead || head.status === 204 || head.status === 304 || head.status < 200;
    this.#chunked = encoding !== undefined;
    this.length = length === undefined ? null : Number(length);
    this.#left = this.length ?? Infinity;
    this.untilClose = !bodiless && encoding === undefined && length === undefined;
    // HTTP/1.0 has no chunks (RFC 9112 section 6.1).
    const canBeChunked = head.isOld !== true && length === undefined;
    if (encoding !== undefined && !(canBeChunked && CHUNKED.test(encoding))) this.malformed = true;
    else if (length !== undefined && !/^\d{1,15}$/.test(length)) this.malformed = true;
    else if (bodiless || this.#left === 0) this.complete = true;
  }

  /**
   * Takes the next bytes from the endpoint.
   *
   * @returns how many of them belong to the body: fewer than there are only where it is complete or malformed
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

  /** The endpoint has closed: fine where the body lasts until then, else the body was cut. */
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
      if (this.#line.length > MAX_LINE) this.malformed = true;
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
      else if (this.#trailers > MAX_TRAILERS) this.malformed = true;
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

/** The one value of a header; a second line makes it a value that is never right. */
function one(head: ResponseHead, name: string): string | undefined {
  let found: string | undefined;
  for (let index = 0; index < head.headers.length; index += 2) {
    if (head.headers[index] !== name) continue;
    found = found === undefined ? head.headers[index + 1] : '';
  }
  return found;
}

/**
 * Returns the value of Content-Length. Identical values in one line or in several count as one (RFC 9112 section 6.3);
 * different ones become a value that is never right.
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
