/** A seeded stream of messages of mixed sizes and kinds; the same seed makes the same messages. */

export interface StreamMessage {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

/** Lengths at which frames change their form, and the extremes. */
const BORDERS = [0, 1, 125, 126, 127, 16_383, 16_384, 16_385, 65_535, 65_536, 65_537, 4 * 1024 * 1024];
const LARGEST = 4 * 1024 * 1024;
const POOL = 2 * LARGEST;

/** Numbers from 0 to 1 by mulberry32. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Makes messages by cutting them out of two pools, so that a message costs no memory. */
export class MessageStream {
  readonly #random: () => number;
  readonly #bytes = Buffer.allocUnsafe(POOL);
  readonly #text: Buffer;
  #made = 0;

  constructor(seed: number) {
    this.#random = randomNumbers(seed);
    for (let i = 0; i < POOL; i += 4) this.#bytes.writeUInt32LE((this.#random() * 2 ** 32) >>> 0, i);
    // Characters of one to four bytes, in an order that does not repeat soon.
    const alphabet = ['a', 'Z', '0', ' ', 'ä', 'ß', 'я', '€', '漢', '字', '👋', '🜂'];
    const piece = Array.from(
      { length: 65_521 },
      () => alphabet[Math.floor(this.#random() * alphabet.length)],
    );
    this.#text = Buffer.alloc(POOL, piece.join(''));
  }

  /**
   * First every border, as binary and as text. Then four in ten are text; nine in ten are up to 4 KiB, and one in
   * two thousand up to 4 MiB.
   */
  next(): StreamMessage {
    const turn = this.#made++;
    const border = BORDERS[turn >> 1];
    const length = border ?? this.#length();
    const isBinary = border === undefined ? this.#random() > 0.4 : turn % 2 === 0;
    const start = Math.floor(this.#random() * (POOL - LARGEST - 8));
    return {
      data: isBinary ? this.#bytes.subarray(start, start + length) : this.#cut(start, length),
      isBinary,
    };
  }

  #length(): number {
    const kind = this.#random();
    const kinds = [
      [0.7, 300],
      [0.95, 4096],
      [0.995, 65_536],
      [0.9995, 2 ** 20],
    ] as const;
    const most = kinds.find(([below]) => kind < below)?.[1] ?? LARGEST;
    return Math.floor(this.#random() * (most + 1));
  }

  /** Up to `length` bytes of text, cut between characters. */
  #cut(from: number, length: number): Buffer {
    let start = from;
    while (isContinuation(this.#text[start]!)) start++;
    let end = start + length;
    while (isContinuation(this.#text[end]!)) end--;
    return this.#text.subarray(start, end);
  }
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
