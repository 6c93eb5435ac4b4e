/** The nodes of one item of a list. They are used again for other items of the same kind. */
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

/** Max nodes of each kind that wait for another item. */
const MAX_SPARE = 50;

/**
 * Shows a list of items. An item keeps its nodes as long as it is in the list, and with them the focus and the place of a pointer.
 * Nodes of items that have gone are used for others.
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

  /** Shows exactly these items, in this order. An item whose key has come before is left out. */
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
