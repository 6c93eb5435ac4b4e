import type { ResponseHead } from './response-head.ts';

const EMPTY = Buffer.alloc(0);
const CHUNKED = /^chunked$/i;
/** The longest line of a chunk's size with its extensions, or of a trailer. */
const MAX_LINE = 1024;

/**
 * Collects the body of an endpoint's answer that is not a 101, up to a bound (RFC 9112 section 6.3): by its
 * Content-Length, by its chunks, or until the endpoint closes.
 */
export class ResponseBody {
  /** Whether all of it, or all that is wanted, is there. */
  complete = false;
  /** Whether its framing is broken: nothing of it can be used. Never together with `complete`. */
  malformed = false;
  readonly #most: number;
  /** What was kept is `kept[0, size)`: one buffer that grows, because a body may come byte by byte. */
  #kept: Buffer = EMPTY;
  #size = 0;
  /** Bytes of the body, or of the current chunk, still to come; Infinity until the endpoint closes. */
  #left: number;
  readonly #chunked: boolean;
  /** Bytes of a chunk's head that was cut. */
  #line = '';
  #state: 'size' | 'data' | 'data-end' | 'trailer' = 'size';

  /** @param most bytes to keep; what comes after is left out, and the body counts as complete */
  constructor(head: ResponseHead, most: number) {
    this.#most = most;
    const encoding = one(head, 'transfer-encoding');
    const length = one(head, 'content-length');
    this.#chunked = encoding !== undefined;
    this.#left = length === undefined ? Infinity : Number(length);
    const bodiless = head.status === 204 || head.status === 304 || head.status < 200;
    if (encoding !== undefined && (length !== undefined || !CHUNKED.test(encoding))) this.malformed = true;
    else if (length !== undefined && !/^\d{1,15}$/.test(length)) this.malformed = true;
    else if (bodiless || this.#left === 0) this.complete = true;
  }

  /** Takes the next bytes from the endpoint, copying what it keeps. */
  push(input: Buffer): void {
    if (this.complete || this.malformed) return;
    if (this.#chunked) this.#pushChunked(input);
    else this.#keep(input);
  }

  /** The endpoint has closed: fine where the body lasts until then, else the body was cut. */
  end(): void {
    if (this.complete || this.malformed) return;
    if (!this.#chunked && this.#left === Infinity) this.complete = true;
    else this.malformed = true;
  }

  /** What was kept. */
  bytes(): Buffer {
    return this.#kept.subarray(0, this.#size);
  }

  #keep(input: Buffer): void {
    const room = Math.min(this.#most - this.#size, this.#left, input.length);
    if (room > 0) {
      this.#reserve(this.#size + room);
      input.copy(this.#kept, this.#size, 0, room);
      this.#size += room;
    }
    this.#left -= Math.min(this.#left, input.length);
    if (this.#size >= this.#most || (!this.#chunked && this.#left === 0)) this.complete = true;
  }

  #reserve(size: number): void {
    if (this.#kept.length >= size) return;
    const larger = Buffer.allocUnsafe(Math.min(this.#most, Math.max(size, 2 * this.#kept.length)));
    this.#kept.copy(larger, 0, 0, this.#size);
    this.#kept = larger;
  }

  #pushChunked(input: Buffer): void {
    let at = 0;
    while (at < input.length && !this.complete && !this.malformed) {
      if (this.#state === 'data') {
        const end = Math.min(input.length, at + this.#left);
        this.#keep(input.subarray(at, end));
        at = end;
        if (this.#left === 0) this.#state = 'data-end';
        continue;
      }
      const newline = input.indexOf(10, at);
      const stop = newline < 0 ? input.length : newline + 1;
      this.#line += input.toString('latin1', at, stop);
      at = stop;
      if (this.#line.length > MAX_LINE) this.malformed = true;
      else if (newline >= 0) this.#lineEnd();
    }
  }

  #lineEnd(): void {
    if (!this.#line.endsWith('\r\n')) {
      this.malformed = true;
      return;
    }
    const line = this.#line.slice(0, -2);
    this.#line = '';
    if (this.#state === 'trailer') {
      if (line === '') this.complete = true;
    } else if (this.#state === 'data-end') {
      if (line === '') this.#state = 'size';
      else this.malformed = true;
    } else {
      const match = /^([0-9A-Fa-f]{1,8})(?:[ \t]*;.*)?$/.exec(line);
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
