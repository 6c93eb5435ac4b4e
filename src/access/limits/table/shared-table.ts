import { LimitTable } from './limit-table.ts';
import { ticksAt } from './slot-state.ts';
import { HEAD, KEY_WORDS, SLOT } from './table-layout.ts';

/** A key of a table, as words and as hex digits. */
export interface SharedKey {
  readonly words: Int32Array;
  readonly hex: string;
}

/** Max ticks that a bucket's time can be ahead: see `Bucket`. */
const MAX_AHEAD_TICKS = 2 ** 30;
const HEX_DIGITS = 8;

/** Lets the primary read and write the table of a shared limit while workers use it. */
export class SharedTable {
  readonly #table: LimitTable;
  readonly #clock: () => number;
  /** The slot between {@link open} and {@link close}. */
  #slot = -1;

  /** @param clock see `LimitTable` */
  constructor(memory: SharedArrayBuffer, clock: () => number) {
    this.#table = new LimitTable(memory, clock);
    this.#clock = clock;
  }

  /**
   * Visits the keys used since the last visit. The overflow slot has no key, and is counted only in this
   * process.
   */
  visitUsed(visit: (key: SharedKey) => void): void {
    const { words, used, tags, slots } = this.#table.layout;
    const groups = Math.ceil(slots / 32);
    for (let group = 0; group < groups; group++) {
      if (Atomics.load(words, used + group) === 0) continue;
      const bits = Atomics.exchange(words, used + group, 0);
      for (let bit = 0; bit < 32; bit++) {
        const slot = group * 32 + bit;
        if (((bits >>> bit) & 1) === 0 || slot >= slots) continue;
        const tag = Atomics.load(words, tags + slot);
        if (tag !== 0) visit(this.#keyAt(slot, tag));
      }
    }
  }

  /** Visits the keys that have connections, here or elsewhere. */
  visitHeld(visit: (key: SharedKey) => void): void {
    const { layout } = this.#table;
    const { words, tags, slots } = layout;
    for (let slot = 0; slot < slots; slot++) {
      const tag = Atomics.load(words, tags + slot);
      if (tag === 0) continue;
      const at = layout.at(slot);
      const held = Atomics.load(words, at + SLOT.connections) | Atomics.load(words, at + SLOT.elsewhere);
      if (held !== 0) visit(this.#keyAt(slot, tag));
    }
  }

  /** Finds a key and keeps its slot until {@link close}. Returns whether the table has the key. */
  open(key: SharedKey): boolean {
    this.#slot = this.#table.pinKnown(key.words);
    return this.#slot >= 0;
  }

  close(): void {
    this.#table.unpin(this.#slot);
    this.#slot = -1;
  }

  /**
   * Returns the units taken from an open key's bucket since the last call.
   *
   * @param rate index in `RATE_KINDS`
   */
  taken(rate: number): number {
    return Math.max(Atomics.exchange(this.#table.layout.words, this.#at + SLOT.taken + rate, 0), 0);
  }

  /** Returns the level of an open key's bucket: microseconds until it is full. */
  level(rate: number): number {
    const { layout } = this.#table;
    const fullAt = Atomics.load(layout.words, this.#at + SLOT.fullAt + rate);
    return this.#usOf(rate, this.#ahead(rate, fullAt));
  }

  /** Raises or lowers the level of an open key's bucket. @param us microseconds */
  shift(rate: number, us: number): void {
    const { layout } = this.#table;
    const { words } = layout;
    const at = this.#at + SLOT.fullAt + rate;
    const ticks = Math.round((us * layout.ticksOf(rate)) / 1e6);
    if (ticks === 0) return;
    for (;;) {
      const fullAt = Atomics.load(words, at);
      const ahead = Math.min(Math.max(this.#ahead(rate, fullAt) + ticks, 0), MAX_AHEAD_TICKS);
      const time = ahead === 0 ? 0 : (this.#now(rate) + ahead) | 0 || 1;
      if (Atomics.compareExchange(words, at, fullAt, time) === fullAt) return;
    }
  }

  /** Connections of an open key in this process. */
  get connections(): number {
    return Math.max(Atomics.load(this.#table.layout.words, this.#at + SLOT.connections), 0);
  }

  /** Connections of an open key in other processes. */
  set elsewhere(connections: number) {
    Atomics.store(
      this.#table.layout.words,
      this.#at + SLOT.elsewhere,
      Math.min(connections, MAX_AHEAD_TICKS),
    );
  }

  /** Whether the limit refuses everything. */
  set refuses(refuses: boolean) {
    Atomics.store(this.#table.layout.words, HEAD.refuses, refuses ? 1 : 0);
  }

  get #at(): number {
    return this.#table.layout.at(this.#slot);
  }

  #keyAt(slot: number, tag: number): SharedKey {
    const { layout } = this.#table;
    const at = layout.at(slot) + SLOT.key;
    const words = new Int32Array(KEY_WORDS);
    words[0] = tag;
    for (let word = 1; word < KEY_WORDS; word++) words[word] = Atomics.load(layout.words, at + word - 1);
    const hex = Array.from(words, (word) => (word >>> 0).toString(16).padStart(HEX_DIGITS, '0')).join('');
    return { words, hex };
  }

  #now(rate: number): number {
    return ticksAt(this.#clock(), this.#table.layout.ticksOf(rate));
  }

  #ahead(rate: number, fullAt: number): number {
    return fullAt === 0 ? 0 : Math.max((fullAt - this.#now(rate)) | 0, 0);
  }

  #usOf(rate: number, ticks: number): number {
    return (ticks * 1e6) / this.#table.layout.ticksOf(rate);
  }
}
