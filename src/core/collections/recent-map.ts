/** Capacity of a {@link RecentMap}. */
interface RecentMapLimits {
  readonly maxEntries: number;
  /** In the unit of the weights passed to {@link RecentMap.set}. */
  readonly maxWeight: number;
}

interface Entry<V> {
  readonly value: V;
  readonly weight: number;
}

/**
 * A bounded map that keeps recently used entries. Entries live in two generations, each with half the limits.
 * When the younger one is full, the older one is dropped whole. Using an entry moves it to the younger one,
 * so the map needs no list of uses.
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

  /** Returns the value of a key, or undefined. Counts as a use. */
  get(key: string): V | undefined {
    const entry = this.#young.get(key);
    if (entry !== undefined) return entry.value;
    const older = this.#old.get(key);
    if (older === undefined) return undefined;
    this.#old.delete(key);
    this.#add(key, older);
    return older.value;
  }

  /** Stores a value, replacing an earlier one. Drops a value heavier than half of the max weight. */
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
