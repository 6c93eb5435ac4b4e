import { readIp } from './ip-words.ts';

const WORDS = 4;

/** Scratch: the address to look up, or last read. */
const sought = new Uint32Array(WORDS);

/** The set of each list. Listeners and routes may share a list. */
const known = new WeakMap<readonly string[], AddressSet>();

/**
 * The addresses in a list of CIDR blocks. IPv4 is treated as its mapped range of IPv6 (`::ffff:0:0/96`): a
 * block of mapped addresses covers IPv4, and `::/0` covers all addresses. A lookup is a binary search, which
 * keeps no state per client.
 */
export class AddressSet {
  /** First and last address of each range, in order. Ranges do not overlap. */
  readonly #first: Uint32Array;
  readonly #last: Uint32Array;
  readonly #size: number;

  /**
   * @param blocks blocks such as `10.0.0.0/8`, or single addresses. Bits after the prefix are ignored
   * @throws RangeError if a block is malformed
   */
  constructor(blocks: readonly string[]) {
    const first = new Uint32Array(blocks.length * WORDS);
    const last = new Uint32Array(blocks.length * WORDS);
    for (const [index, block] of blocks.entries()) readBlock(block, first, last, index * WORDS);
    // If two blocks have the same start, the larger comes first.
    const order = new Uint32Array(blocks.length)
      .map((_, index) => index * WORDS)
      .sort((a, b) => compare(first, a, first, b) || compare(last, b, last, a));
    this.#first = new Uint32Array(first.length);
    this.#last = new Uint32Array(last.length);
    let end = 0;
    for (const from of order) {
      // CIDR blocks overlap only if one contains the other.
      if (end > 0 && compare(last, from, this.#last, end - WORDS) <= 0) continue;
      for (let word = 0; word < WORDS; word++, end++) {
        this.#first[end] = first[from + word]!;
        this.#last[end] = last[from + word]!;
      }
    }
    this.#size = end / WORDS;
  }

  /** Returns the set of a list, creating it once. The list must not change afterwards. */
  static of(blocks: readonly string[]): AddressSet {
    let set = known.get(blocks);
    if (set === undefined) known.set(blocks, (set = new AddressSet(blocks)));
    return set;
  }

  /** Whether a block contains the address. False for text that is not an address, such as ''. */
  has(address: string): boolean {
    if (this.#size === 0 || !readIp(address, sought)) return false;
    const first = this.#first;
    let low = 0;
    let high = this.#size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(first, middle * WORDS, sought, 0) <= 0) low = middle + 1;
      else high = middle;
    }
    return low > 0 && compare(sought, 0, this.#last, (low - 1) * WORDS) <= 0;
  }
}

/** Writes the first and last address of a block at `at`. */
function readBlock(block: string, first: Uint32Array, last: Uint32Array, at: number): void {
  const slash = block.indexOf('/');
  const address = slash < 0 ? block : block.slice(0, slash);
  const bits = address.includes(':') ? 128 : 32;
  const text = slash < 0 ? String(bits) : block.slice(slash + 1);
  const prefix = /^\d{1,3}$/.test(text) ? Number(text) : Infinity;
  if (!readIp(address, sought) || prefix > bits) {
    throw new RangeError(`${JSON.stringify(block)} is not a CIDR block`);
  }
  for (let word = 0; word < WORDS; word++) {
    const fixed = Math.min(32, Math.max(0, prefix + 128 - bits - 32 * word));
    const free = fixed === 32 ? 0 : 0xffffffff >>> fixed;
    first[at + word] = sought[word]! & ~free;
    last[at + word] = sought[word]! | free;
  }
}

/** Compares two addresses of four words. Returns a negative number, 0, or a positive number. */
function compare(a: Uint32Array, atA: number, b: Uint32Array, atB: number): number {
  for (let word = 0; word < WORDS; word++) {
    const difference = a[atA + word]! - b[atB + word]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
