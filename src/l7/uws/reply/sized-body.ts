import { copyOf } from '../../../core/copy.ts';
import { CORK_BYTES } from './cork-sizes.ts';
import type { BodyOwner, StreamedBody } from './streamed-body.ts';

/**
 * A body of known length. uWS takes as much of a chunk as the kernel does, and its offset reveals how much
 * that is.
 */
export class SizedBody implements StreamedBody {
  /** The whole chunk, until all of it was taken or {@link copyWaiting} has dropped its beginning. */
  waiting: Uint8Array | null = null;
  stalledMs = 0;
  readonly #owner: BodyOwner;
  readonly #length: number;
  /** Offset of the chunk's end in the body. */
  #chunkEnd = 0;
  /** Offset at the last {@link retry}. */
  #offsetSeen = 0;

  /** @param length length of the whole body in bytes, 1 or more */
  constructor(owner: BodyOwner, length: number) {
    this.#owner = owner;
    this.#length = length;
  }

  write(chunk: Uint8Array): void {
    this.waiting = chunk;
    this.#chunkEnd += chunk.length;
    this.#pushCorked(chunk);
  }

  /** Writes without a cork, so that uWS takes no more than the kernel does. */
  push(): void {
    const rest = this.#rest(this.waiting!);
    const splits = this.#splits(rest);
    this.#offer(splits ? rest.subarray(0, -1) : rest);
    if (splits && this.#isLastByteLeft()) this.#offer(rest.subarray(-1));
  }

  retry(): void {
    this.#pushCorked(this.waiting!);
    if (this.#owner.isOver) return;
    const offset = this.#owner.response.getWriteOffset();
    if (offset > this.#offsetSeen) this.stalledMs = 0;
    this.#offsetSeen = offset;
  }

  copyWaiting(): void {
    if (this.waiting !== null) this.waiting = copyOf(this.#rest(this.waiting));
  }

  /** Offers the rest of the chunk. Corked, as uWS requires outside its own callbacks. */
  #pushCorked(chunk: Uint8Array): void {
    const owner = this.#owner;
    const isFirst = owner.headWaits;
    const rest = isFirst ? chunk : this.#rest(chunk);
    const splits = this.#splits(rest);
    owner.cork((room) => {
      // A short body is sent with its head.
      const isWhole = isFirst && rest.length <= room;
      this.#offer(splits && !isWhole ? rest.subarray(0, -1) : rest);
    });
    if (splits && this.#isLastByteLeft()) owner.cork(() => this.#offer(rest.subarray(-1)));
  }

  /**
   * Whether to offer the rest without its last byte first.
   *
   * uWS (20.66 to 20.68) buffers a small rest that ends the body, and considers the response done. Its fixed
   * timeout of 10 s then drops a slow client, which loses the rest (uWebSockets#1242). With one byte missing,
   * the kernel must take the bytes before it. Over TLS, a refused rest must be offered again with the same
   * length, so every offer splits in the same way. Needed until uWS has a configurable timeout.
   */
  #splits(rest: Uint8Array): boolean {
    return this.#chunkEnd === this.#length && rest.length > 1 && rest.length <= CORK_BYTES;
  }

  #isLastByteLeft(): boolean {
    return !this.#owner.isOver && this.#owner.response.getWriteOffset() === this.#length - 1;
  }

  #rest(chunk: Uint8Array): Uint8Array {
    const left = this.#chunkEnd - this.#owner.response.getWriteOffset();
    return left === chunk.length ? chunk : chunk.subarray(chunk.length - left);
  }

  /** Offers a piece of the chunk to uWS, which takes as much as the socket does. */
  #offer(piece: Uint8Array): void {
    const { response } = this.#owner;
    const [, done] = response.tryEnd(piece, this.#length);
    if (done) this.#owner.finish();
    if (done || response.getWriteOffset() === this.#chunkEnd) this.waiting = null;
  }
}
