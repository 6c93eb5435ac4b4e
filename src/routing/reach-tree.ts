import type { CompiledRoute } from './compiled-route.ts';
import type { ReachSearch } from './reach-search.ts';

/** Max routes of a node before it is split by their next segments. */
const MAX_MIXED = 16;
/** Max number of segments used to split routes. */
const MAX_DEPTH = 16;

/**
 * The routes of one host as a tree of the segments of their paths and prefixes. Uses only segments that are
 * the same in every reading. A search checks only routes whose segments the path can have, so its work grows
 * with the path and not with the number of routes.
 */
export class ReachTree<T> {
  /** Number of segments that the routes share. */
  readonly #depth: number;
  /** Order of the first route, which is the lowest. */
  #first = Infinity;
  /**
   * In ascending order; null for none. Once there are children: the routes whose next segment is missing or
   * not plain.
   */
  #routes: CompiledRoute<T>[] | null = null;
  /** Keyed by the next segment, in ascending order of their first routes; null while there are few routes. */
  #children: Map<string, ReachTree<T>> | null = null;

  constructor(depth = 0) {
    this.#depth = depth;
  }

  /** Adds a route. Routes must be added in ascending order. */
  add(route: CompiledRoute<T>): void {
    if (this.#first === Infinity) this.#first = route.order;
    if (this.#children !== null) {
      this.#addToChild(route, this.#children);
      return;
    }
    const routes = this.#keep(route);
    if (routes.length <= MAX_MIXED || this.#depth === MAX_DEPTH) return;
    const children = new Map<string, ReachTree<T>>();
    this.#routes = null;
    for (const each of routes) this.#addToChild(each, children);
    // Routes without a next segment stay here, whatever their number.
    this.#children = children;
  }

  #keep(route: CompiledRoute<T>): readonly CompiledRoute<T>[] {
    // Pushing to an empty array would reserve room for 17 routes.
    if (this.#routes === null) this.#routes = [route];
    else this.#routes.push(route);
    return this.#routes;
  }

  #addToChild(route: CompiledRoute<T>, children: Map<string, ReachTree<T>>): void {
    const segment = route.segmentAt(this.#depth);
    if (segment === null) {
      this.#keep(route);
      return;
    }
    let child = children.get(segment);
    if (child === undefined) children.set(segment, (child = new ReachTree(this.#depth + 1)));
    child.add(route);
  }

  /** Passes the routes that can take a reading of the path to a search. */
  search(search: ReachSearch<T>): void {
    if (this.#routes !== null) search.check(this.#routes);
    const children = this.#children;
    if (children === null) return;
    const { head, segments } = search;
    if (this.#depth < head.length) {
      children.get(head[this.#depth]!)?.search(search);
    } else if (segments !== null && segments.size < children.size) {
      for (const segment of segments) children.get(segment)?.search(search);
    } else {
      for (const [segment, child] of children) {
        if (child.#first >= search.end) return;
        if (segments?.has(segment) !== false) child.search(search);
      }
    }
  }
}
