import { PinnedBuffer } from '../../sys/memory/pinned-buffer.ts';

/** Sizes of the buffers, the smallest first. */
const SIZES = [4, 16, 64, 256].map((kibibytes) => kibibytes * 1024);
/** What lies ready for the next is no more than this in each size. */
const MOST_KEPT_BYTES = 2 * 1024 * 1024;

/** Bytes that one side of a tunnel has not taken yet. */
export class Spill {
  readonly buffer: PinnedBuffer;
  start = 0;
  end = 0;

  constructor(size: number) {
    this.buffer = new PinnedBuffer(size);
  }
}

/** The spills of one thread: an idle tunnel has none. */
export class SpillPool {
  readonly #free: readonly Spill[][] = SIZES.map(() => []);

  /** The most that one spill holds, in bytes. */
  static readonly largest = SIZES.at(-1)!;

  /** A spill that holds a copy of these bytes, {@link largest} at most. */
  take(bytes: Buffer, start: number, end: number): Spill {
    const length = end - start;
    const index = SIZES.findIndex((size) => size >= length);
    if (index < 0) throw new RangeError(`${length} bytes are too many to spill`);
    const spill = this.#free[index]!.pop() ?? new Spill(SIZES[index]!);
    bytes.copy(spill.buffer.bytes, 0, start, end);
    spill.start = 0;
    spill.end = length;
    return spill;
  }

  /** Takes a spill back that nobody uses any more. */
  give(spill: Spill): void {
    const size = spill.buffer.bytes.length;
    const free = this.#free[SIZES.indexOf(size)]!;
    if ((free.length + 1) * size <= MOST_KEPT_BYTES) free.push(spill);
  }
}
