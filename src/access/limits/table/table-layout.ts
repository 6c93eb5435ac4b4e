/**
 * Memory layout of a limit's table, in words of 32 bits:
 *
 * - the head: {@link HEAD};
 * - per slot: its tag, the first word of its key, or 0 if the slot is free. Tags are adjacent, so a lookup
 *   reads few cache lines;
 * - per set of {@link WAYS} slots: its lock;
 * - per 32 slots: a word of bits, one for each slot used since the last visit (shared limits only);
 * - the slots, a cache line each: {@link SLOT}. The last one is the overflow slot, which has no key.
 */
import { randomFillSync } from 'node:crypto';

/** Words of the head. */
export const HEAD = {
  /** Identifies the table: a thread that receives the memory twice gets two objects for it. */
  number: 0,
  sets: 1,
  /** Number of slots with a key. */
  keys: 2,
  /** 1 while the limit must refuse everything because its count is unknown. */
  refuses: 3,
  /** Four random words, so that clients cannot predict which keys share a set. */
  seed: 4,
  /** Ticks per second of each rate. */
  ticks: 8,
  /** 1 if the limit is counted across machines. */
  isShared: 12,
} as const;
const HEAD_WORDS = 16;

/** Words of a slot. */
export const SLOT = {
  /**
   * Checks, requests and sessions that use the slot. {@link CLAIMED} is added while the key is being
   * replaced.
   */
  pins: 0,
  connections: 1,
  /** Connections of the key on other machines. */
  elsewhere: 2,
  /** The key's words after the tag. */
  key: 3,
  /** Time at which each bucket is full again, in the order of {@link RATE_KINDS}. 0 if it is full. */
  fullAt: 6,
  /** Units of each rate taken since the last visit (shared limits only). */
  taken: 10,
} as const;
export const SLOT_WORDS = 16;

/** Rates in the order of a slot's words. */
export const RATE_KINDS = ['handshakes', 'requests', 'messages', 'bytes'] as const;
export type RateKind = (typeof RATE_KINDS)[number];

/** Words of a key. */
export const KEY_WORDS = 4;
/** With one slot per key, 1 % of keys would find both of their sets full. */
const SLOTS_PER_KEY = 1.25;
/** Slots of a set. Each key has two sets. */
export const WAYS = 8;
/** Added to `pins` of a slot while its key is being replaced: a concurrent pin sees a negative number. */
export const CLAIMED = -(2 ** 30);

/** Parameters of a table. */
export interface TableShape {
  readonly maxKeys: number;
  /** Ticks per second, in the order of {@link RATE_KINDS}. */
  readonly ticks: readonly number[];
  readonly isShared: boolean;
}

/** Offsets in a table's memory, in words. */
export class TableLayout {
  readonly words: Int32Array;
  readonly sets: number;
  /** Number of slots with keys. Also the index of the overflow slot. */
  readonly slots: number;
  readonly tags: number;
  readonly locks: number;
  readonly used: number;
  readonly #slots: number;

  /** @param memory from {@link allocateTable} */
  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory);
    this.sets = this.words[HEAD.sets]!;
    const places = placesOf(this.sets);
    this.slots = this.sets * WAYS;
    this.tags = places.tags;
    this.locks = places.locks;
    this.used = places.used;
    this.#slots = places.slots;
  }

  /** Returns the first word of a slot. */
  at(slot: number): number {
    return this.#slots + slot * SLOT_WORDS;
  }

  get number(): number {
    return this.words[HEAD.number]!;
  }

  get isShared(): boolean {
    return this.words[HEAD.isShared] === 1;
  }

  /** Number of keys in the table now. */
  get keys(): number {
    return Atomics.load(this.words, HEAD.keys);
  }

  /** Marks a slot as used since the last visit. */
  markUsed(slot: number): void {
    const word = this.used + (slot >>> 5);
    const bit = 1 << (slot & 31);
    if ((Atomics.load(this.words, word) & bit) === 0) Atomics.or(this.words, word, bit);
  }

  /** Ticks per second of a rate. @param rate index in {@link RATE_KINDS} */
  ticksOf(rate: number): number {
    return this.words[HEAD.ticks + rate]!;
  }
}

/** Allocates a table for all threads. Untouched slots cost only address space. */
export function allocateTable(number: number, { maxKeys, ticks, isShared }: TableShape): SharedArrayBuffer {
  const sets = Math.ceil((maxKeys * SLOTS_PER_KEY) / WAYS);
  const memory = new SharedArrayBuffer(placesOf(sets).words * Int32Array.BYTES_PER_ELEMENT);
  const head = new Int32Array(memory, 0, HEAD_WORDS);
  randomFillSync(new Int32Array(memory, HEAD.seed * Int32Array.BYTES_PER_ELEMENT, KEY_WORDS));
  head[HEAD.number] = number;
  head[HEAD.sets] = sets;
  head[HEAD.isShared] = isShared ? 1 : 0;
  head.set(ticks, HEAD.ticks);
  return memory;
}

function placesOf(sets: number): Record<'tags' | 'locks' | 'used' | 'slots' | 'words', number> {
  const tags = HEAD_WORDS;
  const locks = tags + sets * WAYS;
  const used = locks + sets;
  // The overflow slot has a bit as well.
  const end = used + Math.ceil((sets * WAYS + 1) / 32);
  const slots = Math.ceil(end / SLOT_WORDS) * SLOT_WORDS;
  return { tags, locks, used, slots, words: slots + (sets * WAYS + 1) * SLOT_WORDS };
}
