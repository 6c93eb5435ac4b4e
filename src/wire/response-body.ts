import { BodyReader, type BodySink } from './body-reader.ts';
import type { ResponseHead } from './response-head.ts';

const EMPTY = Buffer.alloc(0);

/** Collects the body of an endpoint's answer to a handshake that is not a 101, up to a bound. */
export class ResponseBody implements BodySink {
  readonly #reader: BodyReader;
  readonly #most: number;
  /** What was kept is `kept[0, size)`: one buffer that grows, because a body may come byte by byte. */
  #kept: Buffer = EMPTY;
  #size = 0;

  /** @param most bytes to keep; what comes after is left out, and the body counts as complete */
  constructor(head: ResponseHead, most: number) {
    this.#most = most;
    this.#reader = new BodyReader(head);
  }

  /** Whether all of it, or all that is wanted, is there. */
  get complete(): boolean {
    return !this.malformed && (this.#reader.complete || this.#size >= this.#most);
  }

  /** Whether its framing is broken: nothing of it can be used. Never together with `complete`. */
  get malformed(): boolean {
    return this.#reader.malformed;
  }

  /** Takes the next bytes from the endpoint, copying what it keeps. */
  push(input: Buffer): void {
    if (!this.complete) this.#reader.push(input, this);
  }

  /** The endpoint has closed: fine where the body lasts until then, else the body was cut. */
  end(): void {
    if (!this.complete) this.#reader.end();
  }

  /** What was kept. */
  bytes(): Buffer {
    return this.#kept.subarray(0, this.#size);
  }

  bodyData(bytes: Buffer): void {
    const room = Math.min(this.#most - this.#size, bytes.length);
    if (room <= 0) return;
    this.#reserve(this.#size + room);
    bytes.copy(this.#kept, this.#size, 0, room);
    this.#size += room;
  }

  #reserve(size: number): void {
    if (this.#kept.length >= size) return;
    const larger = Buffer.allocUnsafe(Math.min(this.#most, Math.max(size, 2 * this.#kept.length)));
    this.#kept.copy(larger, 0, 0, this.#size);
    this.#kept = larger;
  }
}
