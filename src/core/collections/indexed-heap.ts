/** An item of a heap. Only the heap writes its index. */
export interface HeapItem {
  /** -1 while the item is not in a heap. */
  heapIndex: number;
}

/** A binary heap. Any item can be reordered or removed, in logarithmic time. */
export class IndexedHeap<T extends HeapItem> {
  readonly #items: T[] = [];
  readonly #comesBefore: (a: T, b: T) => boolean;

  /** @param comesBefore a strict order */
  constructor(comesBefore: (a: T, b: T) => boolean) {
    this.#comesBefore = comesBefore;
  }

  /** First item in the order; undefined if the heap is empty. */
  get first(): T | undefined {
    return this.#items[0];
  }

  /** Adds an item, or moves an item whose order changed. */
  put(item: T): void {
    if (item.heapIndex < 0) {
      item.heapIndex = this.#items.length;
      this.#items.push(item);
    }
    this.#settle(item);
  }

  /** Removes an item. Does nothing if it is not in the heap. */
  delete(item: T): void {
    const index = item.heapIndex;
    if (index < 0) return;
    item.heapIndex = -1;
    const last = this.#items.pop()!;
    if (last === item) return;
    this.#place(last, index);
    this.#settle(last);
  }

  #settle(item: T): void {
    this.#rise(item);
    this.#sink(item);
  }

  #rise(item: T): void {
    while (item.heapIndex > 0) {
      const parent = this.#items[(item.heapIndex - 1) >> 1]!;
      if (!this.#comesBefore(item, parent)) return;
      this.#swap(item, parent);
    }
  }

  #sink(item: T): void {
    for (;;) {
      const left = this.#items[2 * item.heapIndex + 1];
      const right = this.#items[2 * item.heapIndex + 2];
      if (left === undefined) return;
      const child = right !== undefined && this.#comesBefore(right, left) ? right : left;
      if (!this.#comesBefore(child, item)) return;
      this.#swap(item, child);
    }
  }

  #swap(a: T, b: T): void {
    const index = a.heapIndex;
    this.#place(a, b.heapIndex);
    this.#place(b, index);
  }

  #place(item: T, index: number): void {
    item.heapIndex = index;
    this.#items[index] = item;
  }
}
