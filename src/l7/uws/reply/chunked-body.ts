import { copyOf } from '../../../core/copy.ts';
import { MAX_FRAMING_BYTES, MAX_PIECE_BYTES, MAX_UNPROVEN_END_BYTES } from './cork-sizes.ts';
import type { BodyOwner, StreamedBody } from './streamed-body.ts';

/** Number of bytes at the end of a slow client's chunk that are written one by one. */
const PROBE_BYTES = 16;
const NOTHING = new Uint8Array(0);

/**
 * A body of unknown length, in chunks.
 *
 * uWS buffers all of a chunked body that the kernel does not take. A write only reveals whether the kernel
 * had taken everything before it (20.66 to 20.68, uWebSockets.js#1249). So the last bytes of a slow client's
 * chunk are held back as probes, and written one by one. The first probe that finds an empty buffer proves
 * that the kernel has taken all earlier bytes. Without probes, a slow client's body would pile up in uWS.
 * Needed until `write` returns how many bytes uWS buffers.
 */
export class ChunkedBody implements StreamedBody {
  waiting: Uint8Array | null = null;
  stalledMs = 0;
  readonly #owner: BodyOwner;
  /** Whether the waiting bytes end the body. */
  #ends = false;
  /** Number of probes at the end of the chunk. */
  #probes = 0;
  /** Whether the last write found bytes that the kernel had not taken. */
  #backed = false;
  /** Whether any write has found such bytes. */
  #slow = false;

  constructor(owner: BodyOwner) {
    this.#owner = owner;
  }

  write(chunk: Uint8Array): void {
    this.waiting = chunk;
    this.#probes = this.#slow || chunk.length > MAX_PIECE_BYTES ? PROBE_BYTES : 0;
    this.push();
  }

  /** Writes the last chunk, if there is one, and the end. */
  end(chunk: Uint8Array | null): void {
    this.#ends = true;
    if (chunk === null) {
      this.#owner.cork(() => this.#writeEnd());
      return;
    }
    this.waiting = chunk;
    this.#probes = this.#slow || chunk.length > MAX_UNPROVEN_END_BYTES ? PROBE_BYTES : 0;
    this.push();
  }

  /** Writes piece by piece. Stops if the kernel has not taken the bytes before a piece. */
  push(): void {
    while (this.waiting !== null) {
      const rest = this.waiting;
      this.#owner.cork((room) => this.#writePiece(rest, room));
      if (this.#backed) return;
    }
  }

  retry(): void {
    this.push();
  }

  copyWaiting(): void {
    if (this.waiting !== null) this.waiting = copyOf(this.waiting);
  }

  /**
   * Writes the next piece, and the end after the last one. A probe goes first if bytes wait or only probes
   * are left.
   */
  #writePiece(rest: Uint8Array, room: number): void {
    const { response } = this.#owner;
    const isProof = rest.length <= this.#probes;
    let size = 0;
    let proven = true;
    if (this.#backed || isProof) {
      size = 1;
      proven = response.write(rest.subarray(0, 1));
    }
    const end = isProof
      ? rest.length
      : Math.min(size + room - size * MAX_FRAMING_BYTES, rest.length - this.#probes);
    if (proven && end > size) {
      proven = response.write(rest.subarray(size, end));
      size = end;
    }
    this.#backed = !proven;
    if (proven) this.stalledMs = 0;
    else this.#slow = true;
    this.waiting = size === rest.length ? null : rest.subarray(size);
    if (this.waiting === null && this.#ends) this.#writeEnd();
  }

  #writeEnd(): void {
    const owner = this.#owner;
    owner.finish();
    owner.stopReadingIfLast();
    owner.response.end(NOTHING, false);
  }
}
