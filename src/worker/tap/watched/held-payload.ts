import type { TapState } from '../tap-state.ts';

const EMPTY = new Uint8Array(0);

/**
 * The start of a payload that arrives in parts. A payload that arrives in one part is not copied. Memory
 * counts toward the worker's share until {@link release}.
 */
export class HeldPayload {
  readonly #state: TapState;
  #held: Buffer | null = null;
  #length = 0;
  #whole: Uint8Array | null = null;

  constructor(state: TapState) {
    this.#state = state;
  }

  get length(): number {
    return this.#whole?.length ?? this.#length;
  }

  /** The bytes received so far. Valid until {@link release}, or the end of the call that used {@link set}. */
  get bytes(): Uint8Array {
    if (this.#whole !== null) return this.#whole;
    return this.#held === null ? EMPTY : this.#held.subarray(0, this.#length);
  }

  /** Holds a whole payload, `bytes[start, end)`, until the end of the call. */
  set(bytes: Uint8Array, start: number, end: number): void {
    this.#whole = new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
  }

  /**
   * Copies a part, `bytes[start, end)`.
   *
   * @param max bytes of the payload with all its parts, at most
   * @returns false if the worker has no memory for it; then nothing is held any more
   */
  add(bytes: Uint8Array, start: number, end: number, max: number): boolean {
    const needed = this.#length + end - start;
    const size = this.#held?.length ?? 0;
    if (needed > size) {
      const larger = Math.max(needed, Math.min(max, 2 * size));
      if (!this.#state.takeBytes(larger - size)) {
        this.release();
        return false;
      }
      const held = Buffer.allocUnsafeSlow(larger);
      this.#held?.copy(held, 0, 0, this.#length);
      this.#held = held;
    }
    this.#held!.set(bytes.subarray(start, end), this.#length);
    this.#length = needed;
    return true;
  }

  /** Drops the payload. */
  release(): void {
    if (this.#held !== null) this.#state.releaseBytes(this.#held.length);
    this.#held = this.#whole = null;
    this.#length = 0;
  }
}
