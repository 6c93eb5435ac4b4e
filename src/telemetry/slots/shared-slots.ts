import type { SlotTable } from '../page-layout.ts';

/** Words per entry: both hashes of its key, and its slot plus 1. 0 marks an empty place. */
const WORDS = 3;
/** Constants of the two hashes: FNV-1a, and a polynomial with Knuth's factor (2^32 / golden ratio). */
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const FACTOR = 0x9e3779b1;

/**
 * The first slots of blocks in shared memory, so that thousands of entries are not objects in each thread's
 * heap. Keys are stored as 64-bit hashes, unique within a table.
 */
export class SharedSlots {
  readonly #words: Int32Array;
  readonly #mask: number;

  /** @param memory the result of {@link writeSharedSlots} */
  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
    this.#mask = this.#words.length / WORDS - 1;
  }

  /** Returns the first slot of a block. Undefined for an unknown key. */
  get(key: string): number | undefined {
    const place = this.#placeOf(key);
    const slot = this.#words[place + 2]!;
    return slot === 0 ? undefined : slot - 1;
  }

  /** Adds a block. Returns false if another key has the same hash. */
  add(key: string, slot: number): boolean {
    const place = this.#placeOf(key);
    if (this.#words[place + 2] !== 0) return false;
    const [first, second] = hashOf(key);
    this.#words.set([first, second, slot + 1], place);
    return true;
  }

  /** Returns the place of a key, or the empty place where it belongs. */
  #placeOf(key: string): number {
    const words = this.#words;
    const [first, second] = hashOf(key);
    for (let index = first & this.#mask; ; index = (index + 1) & this.#mask) {
      const place = index * WORDS;
      if (words[place + 2] === 0 || (words[place] === first && words[place + 1] === second)) return place;
    }
  }
}

/** Writes a table into shared memory. @throws RangeError if two keys have the same hash */
export function writeSharedSlots(table: SlotTable): SharedArrayBuffer {
  // At least half of the places are empty, which keeps searches short.
  const places = 2 ** Math.ceil(Math.log2(2 * table.size + 1));
  const memory = new SharedArrayBuffer(places * WORDS * Int32Array.BYTES_PER_ELEMENT);
  const slots = new SharedSlots(memory);
  for (const [key, slot] of table) {
    if (!slots.add(key, slot))
      throw new RangeError(`two series share the hash of ${key}: rename one of them`);
  }
  return memory;
}

function hashOf(key: string): readonly [first: number, second: number] {
  let first = FNV_OFFSET | 0;
  let second = 0;
  for (let index = 0; index < key.length; index++) {
    const unit = key.charCodeAt(index);
    first = Math.imul(first ^ unit, FNV_PRIME);
    second = (Math.imul(second, FACTOR) + unit) | 0;
  }
  return [first, second];
}
