import type { LimitSettings } from '../../../config/types/limits.ts';
import { Bucket } from './bucket.ts';
import { LimitTable } from './limit-table.ts';
import { HEAD, KEY_WORDS, RATE_KINDS, SLOT, WAYS, type RateKind } from './table-layout.ts';

/** Hex digits of a key's word. */
const DIGITS = 8;

/** What this process has counted for one key. */
export interface KeyUse {
  /** 32 hex digits, the same on all machines. */
  readonly key: string;
  /** In the order of `RATE_KINDS`: units taken since the last look. Negative if units were given back after it. */
  readonly taken: readonly number[];
  /** Connections that the key has in this process now. */
  readonly connections: number;
}

/**
 * One table, as the part of the primary sees it that counts a limit over several machines:
 *
 * 1. {@link collect} a few times a second: every key that was used since the last call, with what was taken of it. Tell the
 *    other machines. Each unit is handed over once, so what could not be told must be kept, or is lost.
 * 2. {@link push} what other machines have taken: the bucket here has so much less, and may be in debt then.
 * 3. {@link setElsewhere} how many connections a key has on other machines. {@link holding} has all keys with connections,
 *    here or elsewhere, to renew and to drop leases. A key with connections elsewhere keeps its slot until it is set to 0.
 * 4. {@link setRefusing} while nobody knows the count, and the limit must refuse (`onFailure: refuse`).
 *
 * The overflow slot has no key, and is counted in each process apart.
 */
export class SharedCounts {
  readonly #table: LimitTable;
  readonly #buckets: readonly (Bucket | null)[];
  readonly #clock: () => number;
  readonly #key = new Int32Array(KEY_WORDS);
  /** The word of used bits at which {@link collect} goes on. */
  #next = 0;

  /**
   * @param memory of the table, made for a shared limit
   * @param clock milliseconds of a monotonic clock on which all threads agree
   */
  constructor(memory: SharedArrayBuffer, settings: LimitSettings, clock: () => number) {
    this.#table = new LimitTable(memory, clock);
    this.#clock = clock;
    this.#buckets = RATE_KINDS.map((kind, index) => {
      const rate = settings[kind];
      return rate === null ? null : new Bucket(rate, this.#table.layout.ticksOf(index));
    });
  }

  /**
   * Hands over the keys that were used since they were handed over last.
   *
   * @param max keys; about 32 more may come
   * @returns false if there are more
   */
  collect(max: number, visit: (use: KeyUse) => void): boolean {
    const { words, used, slots } = this.#table.layout;
    const count = Math.ceil((slots + 1) / 32);
    let visited = 0;
    for (let left = count; left > 0; left--) {
      if (visited >= max) return false;
      const word = this.#next;
      this.#next = (word + 1) % count;
      if (Atomics.load(words, used + word) === 0) continue;
      let bits = Atomics.exchange(words, used + word, 0);
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits & -bits);
        bits &= bits - 1;
        const use = this.#useOf(word * 32 + bit);
        if (use === null) continue;
        visit(use);
        visited++;
      }
    }
    return true;
  }

  /** Hands over all keys that have connections, here or elsewhere. */
  holding(visit: (key: string, connections: number, elsewhere: number) => void): void {
    const { layout } = this.#table;
    const { words, tags, slots } = layout;
    for (let slot = 0; slot < slots; slot++) {
      if (Atomics.load(words, tags + slot) === 0) continue;
      const at = layout.at(slot);
      const connections = Atomics.load(words, at + SLOT.connections);
      const elsewhere = Atomics.load(words, at + SLOT.elsewhere);
      if (connections === 0 && elsewhere === 0) continue;
      const key = this.#whilePinned(slot, () => this.#keyOf(slot));
      if (key !== null) visit(key, connections, elsewhere);
    }
  }

  /** Takes what other machines have taken of a key. Returns false if the key is not in the table. */
  push(key: string, kind: RateKind, units: number): boolean {
    const rate = RATE_KINDS.indexOf(kind);
    const bucket = this.#buckets[rate] ?? null;
    return this.#withSlot(key, (at, words) => {
      bucket?.charge(words, at + SLOT.fullAt + rate, units, this.#clock());
    });
  }

  /** Sets the connections of a key on other machines. Returns false if the key is not in the table. */
  setElsewhere(key: string, connections: number): boolean {
    return this.#withSlot(key, (at, words) => Atomics.store(words, at + SLOT.elsewhere, connections));
  }

  /** Lets the limit refuse everything, or count again. */
  setRefusing(refuses: boolean): void {
    Atomics.store(this.#table.layout.words, HEAD.refuses, refuses ? 1 : 0);
  }

  #useOf(slot: number): KeyUse | null {
    const { layout } = this.#table;
    if (slot >= layout.sets * WAYS) return null;
    return this.#whilePinned(slot, () => {
      const at = layout.at(slot);
      const { words } = layout;
      const taken = RATE_KINDS.map((_, rate) => Atomics.exchange(words, at + SLOT.taken + rate, 0));
      return { key: this.#keyOf(slot), taken, connections: Atomics.load(words, at + SLOT.connections) };
    });
  }

  /** Calls a function while the slot cannot change its key; returns null if it has none. */
  #whilePinned<T>(slot: number, act: () => T): T | null {
    const { words, tags } = this.#table.layout;
    const pins = this.#table.layout.at(slot) + SLOT.pins;
    const before = Atomics.add(words, pins, 1);
    const result = before < 0 || Atomics.load(words, tags + slot) === 0 ? null : act();
    Atomics.sub(words, pins, 1);
    return result;
  }

  #keyOf(slot: number): string {
    const { layout } = this.#table;
    const key = layout.at(slot) + SLOT.key;
    const words = [layout.words[layout.tags + slot]!, ...layout.words.subarray(key, key + KEY_WORDS - 1)];
    return words.map((word) => (word >>> 0).toString(16).padStart(DIGITS, '0')).join('');
  }

  #withSlot(key: string, act: (at: number, words: Int32Array) => void): boolean {
    for (let word = 0; word < KEY_WORDS; word++) {
      this.#key[word] = Number.parseInt(key.slice(word * DIGITS, (word + 1) * DIGITS), 16);
    }
    const slot = this.#table.pinKnown(this.#key);
    if (slot < 0) return false;
    act(this.#table.layout.at(slot), this.#table.layout.words);
    this.#table.unpin(slot);
    return true;
  }
}
