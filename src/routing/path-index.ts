import type { CompiledRoute } from './compiled-route.ts';
import type { QueryString } from './query-string.ts';
import type { ReachSearch } from './reach-search.ts';
import { ReachTree } from './reach-tree.ts';
import type { RouteRequest } from './route-request.ts';

/**
 * Max routes of a host that are tried in turn. Most of thousands of hosts have one or two routes: without
 * maps they take a third of the memory, and no more time.
 */
const MAX_LISTED = 8;

/**
 * The routes of one host, indexed by their path conditions. A request is checked against few of them. The
 * matching route with the lowest order wins.
 */
export class PathIndex<T> {
  /** In ascending order; null once there are many routes. */
  #few: CompiledRoute<T>[] | null = null;
  /** Null while there are few routes. */
  #many: ManyRoutes<T> | null = null;
  #expressions = 0;

  /** Number of routes with an expression. */
  get expressions(): number {
    return this.#expressions;
  }

  /** Adds a route. Routes must be added in ascending order. */
  add(route: CompiledRoute<T>): void {
    if (route.hasExpression) this.#expressions += 1;
    if (this.#many !== null) {
      this.#many.add(route);
      return;
    }
    // Pushing to an empty array would reserve room for 17 routes.
    if (this.#few === null) this.#few = [route];
    else this.#few.push(route);
    if (this.#few.length <= MAX_LISTED) return;
    this.#many = new ManyRoutes();
    for (const each of this.#few) this.#many.add(each);
    this.#few = null;
  }

  /** Returns the first matching route if its order is lower than the order of `best`; otherwise `best`. */
  find(
    request: RouteRequest,
    query: QueryString | null,
    best: CompiledRoute<T> | null,
  ): CompiledRoute<T> | null {
    if (this.#many !== null) return this.#many.find(request, query, best);
    return this.#few === null ? best : firstOf(this.#few, request, query, best);
  }

  /** Passes the routes that can take a reading of the path to a search. */
  search(search: ReachSearch<T>): void {
    if (this.#many !== null) this.#many.readings.search(search);
    else if (this.#few !== null) search.check(this.#few);
  }
}

/** Lists of routes by path. Each list is in the order of the configuration. */
class ManyRoutes<T> {
  readonly #byPath = new Map<string, CompiledRoute<T>[]>();
  /** Keyed by prefix, without a trailing slash. */
  readonly #byPrefix = new Map<string, CompiledRoute<T>[]>();
  /** By length: whether `#byPrefix` has a key of that length. Other lengths are not looked up. */
  readonly #prefixLengths: boolean[] = [];
  /** Routes with neither path nor prefix. */
  readonly #others: CompiledRoute<T>[] = [];
  /** All routes, for the readings of a path. */
  readonly readings = new ReachTree<T>();

  add(route: CompiledRoute<T>): void {
    this.readings.add(route);
    if (route.path !== null) {
      appendTo(this.#byPath, route.path, route);
    } else if (route.pathPrefix !== null) {
      const key = route.pathPrefix.endsWith('/') ? route.pathPrefix.slice(0, -1) : route.pathPrefix;
      appendTo(this.#byPrefix, key, route);
      this.#prefixLengths[key.length] = true;
    } else {
      this.#others.push(route);
    }
  }

  find(
    request: RouteRequest,
    query: QueryString | null,
    best: CompiledRoute<T> | null,
  ): CompiledRoute<T> | null {
    const { path } = request;
    best = firstOf(this.#others, request, query, best);
    if (this.#byPath.size > 0) best = firstOf(this.#byPath.get(path), request, query, best);
    const lengths = this.#prefixLengths;
    if (lengths.length === 0) return best;
    // A prefix of the path ends before a slash or at the path's end.
    for (let at = 0; at !== -1 && at < lengths.length; at = path.indexOf('/', at + 1)) {
      if (lengths[at]) best = firstOf(this.#byPrefix.get(path.slice(0, at)), request, query, best);
    }
    return lengths[path.length] ? firstOf(this.#byPrefix.get(path), request, query, best) : best;
  }
}

function appendTo<T>(lists: Map<string, CompiledRoute<T>[]>, key: string, route: CompiledRoute<T>): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [route]);
  else list.push(route);
}

function firstOf<T>(
  list: readonly CompiledRoute<T>[] | undefined,
  request: RouteRequest,
  query: QueryString | null,
  best: CompiledRoute<T> | null,
): CompiledRoute<T> | null {
  if (list === undefined) return best;
  for (const route of list) {
    if (best !== null && route.order >= best.order) return best;
    if (route.matches(request, query)) return route;
  }
  return best;
}
