/** The nodes of one list item. Later items of the same kind reuse them. */
export interface ItemView<T> {
  readonly node: HTMLElement;
  update(item: T): void;
}

interface ListOptions<T> {
  readonly keyOf: (item: T) => string;
  /** Items of different kinds have different nodes. */
  readonly kindOf?: (item: T) => string;
  readonly make: (item: T) => ItemView<T>;
}

/** Max spare nodes of each kind. */
const MAX_SPARE = 50;

/**
 * Shows a list of items. While an item is in the list it keeps its nodes, and so its focus and its place
 * under the pointer. Nodes of removed items are reused.
 */
export class KeyedList<T> {
  readonly #parent: HTMLElement;
  readonly #options: ListOptions<T>;
  readonly #shown = new Map<string, { readonly kind: string; readonly view: ItemView<T> }>();
  readonly #spare = new Map<string, ItemView<T>[]>();

  constructor(parent: HTMLElement, options: ListOptions<T>) {
    this.#parent = parent;
    this.#options = options;
  }

  /** Shows exactly these items, in this order. Drops items with a duplicate key. */
  show(items: readonly T[]): void {
    const { keyOf, kindOf, make } = this.#options;
    const keys = new Set(items.map(keyOf));
    for (const [key, { kind, view }] of this.#shown) {
      if (keys.has(key)) continue;
      view.node.remove();
      this.#shown.delete(key);
      this.#keep(kind, view);
    }
    let next: ChildNode | null = this.#parent.firstChild;
    const done = new Set<string>();
    for (const item of items) {
      const key = keyOf(item);
      if (done.has(key)) continue;
      done.add(key);
      const kind = kindOf?.(item) ?? '';
      const view = this.#shown.get(key)?.view ?? this.#spare.get(kind)?.pop() ?? make(item);
      this.#shown.set(key, { kind, view });
      view.update(item);
      if (view.node === next) next = next.nextSibling;
      else this.#parent.insertBefore(view.node, next);
    }
  }

  #keep(kind: string, view: ItemView<T>): void {
    const spare = this.#spare.get(kind) ?? [];
    this.#spare.set(kind, spare);
    if (spare.length < MAX_SPARE) spare.push(view);
  }
}
