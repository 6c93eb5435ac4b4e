/**
 * The memory of a limit's table. All are words of 32 bits:
 *
 * - the head: {@link HEAD};
 * - for each slot: its tag, which is the first word of its key, 0 in a free slot. Tags lie together, so that
 *   a look-up reads few cache lines;
 * - for each set of {@link WAYS} slots: its lock;
 * - for 32 slots: a word of which each bit says that the slot was used since the last look (shared limits
 *   only);
 * - the slots, each a cache line: {@link SLOT}. The last one is the overflow slot, which has no key.
 */
import { randomFillSync } from 'node:crypto';

/** Words of the head. */
export const HEAD = {
  /** Tells tables apart: a thread that is sent the memory twice gets two objects for it. */
  number: 0,
  sets: 1,
  /** Slots with a key. */
  keys: 2,
  /** 1 while the limit must refuse everything, because its count is not known. */
  refuses: 3,
  /** Four random words: nobody knows which keys meet in a set. */
  seed: 4,
  /** For each rate: ticks of its times in a second. */
  ticks: 8,
  /** 1 if the limit is counted over several machines. */
  isShared: 12,
} as const;
const HEAD_WORDS = 16;

/** Words of a slot. */
export const SLOT = {
  /** Checks, requests and sessions that use the slot. {@link CLAIMED} is added while the key is replaced. */
  pins: 0,
  connections: 1,
  /** Connections of the key on other machines. */
  elsewhere: 2,
  /** The key's words behind the tag. */
  key: 3,
  /** For each rate of {@link RATE_KINDS}: the time at which the bucket is full again; 0 if it is. */
  fullAt: 6,
  /** For each rate: what was taken since the last look (shared limits only). */
  taken: 10,
} as const;
export const SLOT_WORDS = 16;

/** The rates, in the order in which slots have them. */
export const RATE_KINDS = ['handshakes', 'requests', 'messages', 'bytes'] as const;
export type RateKind = (typeof RATE_KINDS)[number];

/** Words of a key. */
export const KEY_WORDS = 4;
/** With as many slots as keys, a hundredth of the keys would find both of their sets full. */
const SLOTS_PER_KEY = 1.25;
/** Slots of a set. Each key has two sets. */
export const WAYS = 8;
/** In `pins` of a slot whose key is being replaced: whoever pins it meanwhile sees a negative number. */
export const CLAIMED = -(2 ** 30);

/** What a table is made for. */
export interface TableShape {
  readonly maxKeys: number;
  /** In the order of {@link RATE_KINDS}: ticks per second. */
  readonly ticks: readonly number[];
  readonly isShared: boolean;
}

/** Where things lie in a table's memory, in words. */
export class TableLayout {
  readonly words: Int32Array;
  readonly sets: number;
  /** Number of slots with keys; also the index of the overflow slot. */
  readonly slots: number;
  readonly tags: number;
  readonly locks: number;
  readonly used: number;
  readonly #slots: number;

  /** @param memory of {@link allocateTable} */
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

  /** Keys that the table has now. */
  get keys(): number {
    return Atomics.load(this.words, HEAD.keys);
  }

  /** Says that a slot was used since the last look. */
  markUsed(slot: number): void {
    const word = this.used + (slot >>> 5);
    const bit = 1 << (slot & 31);
    if ((Atomics.load(this.words, word) & bit) === 0) Atomics.or(this.words, word, bit);
  }

  /** Ticks per second of a rate's times. @param rate its place in {@link RATE_KINDS} */
  ticksOf(rate: number): number {
    return this.words[HEAD.ticks + rate]!;
  }
}

/** Allocates a table for all threads. Memory of slots that were never used costs address space only. */
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
  // The overflow slot has a bit, too.
  const end = used + Math.ceil((sets * WAYS + 1) / 32);
  const slots = Math.ceil(end / SLOT_WORDS) * SLOT_WORDS;
  return { tags, locks, used, slots, words: slots + (sets * WAYS + 1) * SLOT_WORDS };
}
