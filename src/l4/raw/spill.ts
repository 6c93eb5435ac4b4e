import { SparePool } from '../../core/collections/spare-pool.ts';
import { PinnedBuffer } from '../../sys/memory/pinned-buffer.ts';

/** Sizes of the buffers, the smallest first. */
const SIZES = [4, 16, 64, 256].map((kibibytes) => kibibytes * 1024);
/** Max bytes of unused buffers of each size. */
const MAX_SPARE_BYTES = 2 * 1024 * 1024;

/** Bytes that one side of a tunnel has not taken yet. */
export class Spill {
  readonly buffer: PinnedBuffer;
  start = 0;
  end = 0;

  constructor(size: number) {
    this.buffer = new PinnedBuffer(size);
  }
}

/** The spills of one thread. An idle tunnel has none. */
export class SpillPool {
  readonly #pools: readonly SparePool<Spill>[] = SIZES.map(
    (size) => new SparePool(Math.floor(MAX_SPARE_BYTES / size), () => new Spill(size)),
  );

  /** Max bytes of one spill. */
  static readonly largest = SIZES.at(-1)!;

  /** Returns a spill that holds a copy of the bytes, which are at most {@link largest}. */
  take(bytes: Buffer, start: number, end: number): Spill {
    const length = end - start;
    const index = SIZES.findIndex((size) => size >= length);
    if (index < 0) throw new RangeError(`${length} bytes are too many to spill`);
    const spill = this.#pools[index]!.take();
    bytes.copy(spill.buffer.bytes, 0, start, end);
    spill.start = 0;
    spill.end = length;
    return spill;
  }

  /** Takes back a spill. It must not be used afterwards. */
  give(spill: Spill): void {
    this.#pools[SIZES.indexOf(spill.buffer.bytes.length)]!.give(spill);
  }
}
