/** An entry of the queue, with the source it belongs to, such as a client's network. */
interface Waiting {
  readonly source: string;
}

/**
 * A queue that is fair between sources. Sources take turns (round robin), each with its oldest entry first.
 * The source with the most entries loses one first (longest queue drop), so that no source can fill the queue
 * alone. Every operation takes constant time.
 */
export class FairQueue<T extends Waiting> {
  /** Number of entries of all sources. */
  size = 0;
  /** Entries by source, in the order of the sources' turns. */
  readonly #bySource = new Map<string, Set<T>>();
  /** `sourcesWith[n]` contains the sources with n entries. */
  readonly #sourcesWith: Set<string>[] = [];
  /** Max entries of any one source. */
  #most = 0;

  /** Appends an entry to its source. */
  push(entry: T): void {
    const { source } = entry;
    let entries = this.#bySource.get(source);
    if (entries === undefined) this.#bySource.set(source, (entries = new Set()));
    entries.add(entry);
    this.size++;
    this.#recount(source, entries.size - 1, entries.size);
  }

  /** Removes an entry. Does nothing if it is not in the queue. */
  delete(entry: T): void {
    const { source } = entry;
    const entries = this.#bySource.get(source);
    if (entries?.delete(entry) !== true) return;
    this.size--;
    this.#recount(source, entries.size + 1, entries.size);
    if (entries.size === 0) this.#bySource.delete(source);
    if (this.size === 0) this.#sourcesWith.length = 0;
  }

  /** Removes and returns the next entry; null if the queue is empty. */
  shift(): T | null {
    const [first] = this.#bySource;
    if (first === undefined) return null;
    const [source, entries] = first;
    const [entry] = entries;
    this.delete(entry!);
    if (entries.size > 0) {
      this.#bySource.delete(source);
      this.#bySource.set(source, entries);
    }
    return entry!;
  }

  /**
   * Removes the oldest entry of the source with the most entries, to make room for an entry of another
   * source.
   *
   * @returns null unless the other source would still have fewer entries after adding one
   */
  evictFor(source: string): T | null {
    const own = this.#bySource.get(source)?.size ?? 0;
    if (this.#most <= own + 1) return null;
    const [largest] = this.#sourcesWith[this.#most]!;
    const [entry] = this.#bySource.get(largest!)!;
    this.delete(entry!);
    return entry!;
  }

  #recount(source: string, before: number, after: number): void {
    if (before > 0) this.#sourcesWith[before]!.delete(source);
    if (after > 0) (this.#sourcesWith[after] ??= new Set()).add(source);
    if (after > this.#most) this.#most = after;
    // A count changes by one, so the next lower count has a source, or the queue is empty.
    else if (before === this.#most && this.#sourcesWith[before]!.size === 0) this.#most = after;
  }
}
