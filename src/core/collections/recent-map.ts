/** How much a {@link RecentMap} may hold. */
interface RecentMapLimits {
  readonly maxEntries: number;
  /** In the unit of the weights that {@link RecentMap.set} gets. */
  readonly maxWeight: number;
}

interface Entry<V> {
  readonly value: V;
  readonly weight: number;
}

/**
 * A bounded map that keeps what was used last. Entries live in two generations of half the limits each. When the younger
 * generation is full, the older one is dropped whole. An entry that is used moves to the younger one, so no list of uses is
 * needed.
 */
export class RecentMap<V> {
  readonly #maxEntries: number;
  readonly #maxWeight: number;
  #young = new Map<string, Entry<V>>();
  #old = new Map<string, Entry<V>>();
  #youngWeight = 0;

  constructor({ maxEntries, maxWeight }: RecentMapLimits) {
    this.#maxEntries = Math.max(1, Math.floor(maxEntries / 2));
    this.#maxWeight = maxWeight / 2;
  }

  /** Number of entries. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Returns the value of a key, and counts that as a use; undefined without one. */
  get(key: string): V | undefined {
    const entry = this.#young.get(key);
    if (entry !== undefined) return entry.value;
    const older = this.#old.get(key);
    if (older === undefined) return undefined;
    this.#old.delete(key);
    this.#add(key, older);
    return older.value;
  }

  /** Keeps a value in place of an earlier one. A value of more than half of the max weight is not kept. */
  set(key: string, value: V, weight: number): void {
    this.delete(key);
    if (weight <= this.#maxWeight) this.#add(key, { value, weight });
  }

  delete(key: string): void {
    const entry = this.#young.get(key);
    if (entry !== undefined) {
      this.#young.delete(key);
      this.#youngWeight -= entry.weight;
    } else this.#old.delete(key);
  }

  #add(key: string, entry: Entry<V>): void {
    if (this.#young.size >= this.#maxEntries || this.#youngWeight + entry.weight > this.#maxWeight) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngWeight = 0;
    }
    this.#young.set(key, entry);
    this.#youngWeight += entry.weight;
  }
}
