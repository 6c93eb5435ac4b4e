import { allocateLedger, HoldLedger } from './hold-ledger.ts';
import { isIdle } from './slot-state.ts';
import { CLAIMED, HEAD, KEY_WORDS, SLOT, SLOT_WORDS, TableLayout, WAYS } from './table-layout.ts';

/** Checks of a lock before the thread sleeps. A lock is held for about a microsecond. */
const MAX_SPINS = 200;
const SLEEP_MS = 1;
/**
 * Max time that a thread holds the lock of a set. A thread that holds it longer has died, and another thread
 * takes the lock.
 */
const MAX_HOLD_MS = 100;

/**
 * Counts of one limit by key, shared by all threads of the process. A worker finds keys without a lock, and
 * locks a set of slots to insert a key.
 *
 * A slot belongs to its key as long as it is pinned, has connections, or has a bucket that is not full. All
 * other slots can be reused, because a returning key would find the same state. If both sets of a key are
 * full, the key shares the overflow slot with other such keys.
 */
export class LimitTable {
  readonly layout: TableLayout;
  /** Records what this thread holds. */
  readonly ledger: HoldLedger;
  readonly #words: Int32Array;
  readonly #clock: () => number;

  /**
   * @param memory from `allocateTable`
   * @param clock milliseconds on a monotonic clock shared by all threads
   */
  constructor(memory: SharedArrayBuffer, clock: () => number) {
    this.layout = new TableLayout(memory);
    this.ledger = new HoldLedger(this.layout, allocateLedger(this.layout));
    this.#words = this.layout.words;
    this.#clock = clock;
  }

  /**
   * Finds or inserts a key and pins its slot. The slot belongs to the key until {@link unpin}.
   *
   * @param key {@link KEY_WORDS} words of a digest, the first not 0
   * @returns the slot, which may be {@link overflow}
   */
  pin(key: Int32Array): number {
    const found = this.#find(key);
    return found >= 0 ? found : this.#insert(key);
  }

  /** Finds a key and pins its slot. Returns -1 if the table does not have the key. */
  pinKnown(key: Int32Array): number {
    return this.#find(key);
  }

  /** Reverts {@link pin}. */
  unpin(slot: number): void {
    Atomics.sub(this.#words, this.layout.at(slot) + SLOT.pins, 1);
    this.ledger.pins[slot]!--;
  }

  /** The slot shared by all keys without their own. */
  get overflow(): number {
    return this.layout.slots;
  }

  /**
   * Takes a connection of a pinned slot.
   *
   * @returns false if the key already has `max` connections on all machines together
   */
  connect(slot: number, max: number): boolean {
    const words = this.#words;
    const at = this.layout.at(slot) + SLOT.connections;
    const elsewhere = Atomics.load(words, this.layout.at(slot) + SLOT.elsewhere);
    for (;;) {
      const before = Atomics.load(words, at);
      if (before + elsewhere >= max) return false;
      if (Atomics.compareExchange(words, at, before, before + 1) !== before) continue;
      this.ledger.connections[slot]!++;
      this.#noteUse(slot);
      return true;
    }
  }

  /** Reverts {@link connect}. */
  disconnect(slot: number): void {
    Atomics.sub(this.#words, this.layout.at(slot) + SLOT.connections, 1);
    this.ledger.connections[slot]!--;
    this.#noteUse(slot);
  }

  /** Marks a slot whose change other machines need. */
  #noteUse(slot: number): void {
    if (this.layout.isShared) this.layout.markUsed(slot);
  }

  /** Whether the limit must refuse everything now. */
  get refuses(): boolean {
    return Atomics.load(this.#words, HEAD.refuses) === 1;
  }

  #find(key: Int32Array): number {
    const found = this.#findIn(this.#setOf(key, 0), key);
    return found >= 0 ? found : this.#findIn(this.#setOf(key, 1), key);
  }

  #findIn(set: number, key: Int32Array): number {
    const tag = key[0]!;
    const { tags } = this.layout;
    const end = (set + 1) * WAYS;
    for (let slot = set * WAYS; slot < end; slot++) {
      if (Atomics.load(this.#words, tags + slot) === tag && this.#pinIf(slot, key)) return slot;
    }
    return -1;
  }

  #pinIf(slot: number, key: Int32Array): boolean {
    const words = this.#words;
    const at = this.layout.at(slot);
    const before = Atomics.add(words, at + SLOT.pins, 1);
    this.ledger.pins[slot]!++;
    // The key may have been replaced before the pin. After the pin it cannot change.
    if (
      before >= 0 &&
      Atomics.load(words, this.layout.tags + slot) === key[0] &&
      Atomics.load(words, at + SLOT.key) === key[1] &&
      Atomics.load(words, at + SLOT.key + 1) === key[2] &&
      Atomics.load(words, at + SLOT.key + 2) === key[3]
    )
      return true;
    Atomics.sub(words, at + SLOT.pins, 1);
    this.ledger.pins[slot]!--;
    return false;
  }

  #insert(key: Int32Array): number {
    const first = this.#setOf(key, 0);
    // All threads lock the same set for a key, so no two threads insert it.
    this.#lock(first);
    try {
      const found = this.#find(key);
      if (found >= 0) return found;
      const slot = this.#claim(first, this.#setOf(key, 1));
      if (slot >= 0) return this.#write(slot, key);
      const { overflow } = this;
      Atomics.add(this.#words, this.layout.at(overflow) + SLOT.pins, 1);
      this.ledger.pins[overflow]!++;
      return overflow;
    } finally {
      Atomics.store(this.#words, this.layout.locks + first, 0);
    }
  }

  /**
   * Claims a free slot in the set with more free slots, or an idle slot if there is no free one. Returns -1
   * if both sets are in use.
   */
  #claim(first: number, second: number): number {
    const [better, other] = this.#freeIn(first) >= this.#freeIn(second) ? [first, second] : [second, first];
    for (let pass = 0; pass < 2; pass++) {
      const set = pass === 0 ? better : other;
      for (let slot = set * WAYS; slot < (set + 1) * WAYS; slot++) {
        if (Atomics.load(this.#words, this.layout.tags + slot) === 0 && this.#tryClaim(slot)) return slot;
      }
    }
    const now = this.#clock();
    for (let pass = 0; pass < 2; pass++) {
      const set = pass === 0 ? first : second;
      for (let slot = set * WAYS; slot < (set + 1) * WAYS; slot++) {
        if (!isIdle(this.layout, slot, now) || !this.#tryClaim(slot)) continue;
        // The slot may have been used between the check and the claim.
        if (isIdle(this.layout, slot, now)) return slot;
        this.#unclaim(slot);
      }
    }
    return -1;
  }

  #freeIn(set: number): number {
    let free = 0;
    for (let slot = set * WAYS; slot < (set + 1) * WAYS; slot++) {
      if (Atomics.load(this.#words, this.layout.tags + slot) === 0) free++;
    }
    return free;
  }

  #tryClaim(slot: number): boolean {
    const at = this.layout.at(slot) + SLOT.pins;
    const { claim } = this.ledger;
    const before = Atomics.compareExchange(this.#words, at, 0, CLAIMED);
    claim[0] = before === 0 ? slot + 1 : 0;
    return before === 0;
  }

  #unclaim(slot: number): void {
    const at = this.layout.at(slot) + SLOT.pins;
    Atomics.sub(this.#words, at, CLAIMED);
    this.ledger.claim[0] = 0;
  }

  /** Writes the key into a claimed slot and pins it. */
  #write(slot: number, key: Int32Array): number {
    const words = this.#words;
    const at = this.layout.at(slot);
    for (let word = 1; word < SLOT_WORDS; word++) Atomics.store(words, at + word, 0);
    for (let word = 1; word < KEY_WORDS; word++) Atomics.store(words, at + SLOT.key + word - 1, key[word]!);
    const { claim, pins } = this.ledger;
    const before = Atomics.exchange(words, this.layout.tags + slot, key[0]!);
    if (before === 0) Atomics.add(words, HEAD.keys, 1);
    Atomics.add(words, at + SLOT.pins, 1 - CLAIMED);
    pins[slot]!++;
    claim[0] = 0;
    return slot;
  }

  /** Returns the first or second set of a key. */
  #setOf(key: Int32Array, which: 0 | 1): number {
    const words = this.#words;
    const half = which * 2;
    // Mixed with the seed, like MurmurHash3's finalizer: a client that chooses keys cannot choose sets.
    let mixed = Math.imul(key[half]! ^ words[HEAD.seed + half]!, 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13) ^ key[half + 1]!, 0xc2b2ae35) ^ words[HEAD.seed + half + 1]!;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    return ((mixed ^ (mixed >>> 15)) >>> 0) % this.layout.sets;
  }

  #lock(set: number): void {
    const words = this.#words;
    const at = this.layout.locks + set;
    if (Atomics.compareExchange(words, at, 0, 1) === 0) return;
    const giveUpAt = performance.now() + MAX_HOLD_MS;
    for (let tries = 0; Atomics.compareExchange(words, at, 0, 1) !== 0; tries++) {
      if (tries < MAX_SPINS) continue;
      Atomics.wait(words, at, 1, SLEEP_MS);
      // Slots are claimed, not locked. If two threads take the lock at the same time, they can at worst
      // insert a key twice.
      if (performance.now() >= giveUpAt) return;
    }
  }
}
