import type { CompiledRoute } from './compiled-route.ts';
import type { QueryString } from './query-string.ts';
import { ReachTree } from './reach-tree.ts';
import type { RouteRequest } from './route-request.ts';

/**
 * Indexes the routes of one host by their path conditions. Each route is in one list, and each list has the order of the
 * configuration. A request looks at few lists. Of the first route that holds in each, the lowest order wins.
 */
export class PathIndex<T> {
  /** Null without such a route, as `#byPrefix` is: there may be thousands of hosts. */
  #byPath: Map<string, CompiledRoute<T>[]> | null = null;
  /** By prefix, without a trailing slash. */
  #byPrefix: Map<string, CompiledRoute<T>[]> | null = null;
  /** By length: whether `#byPrefix` has a key of it. Parts of a path with other lengths are not looked up. */
  readonly #prefixLengths: boolean[] = [];
  /** Routes with neither path nor prefix. */
  readonly #others: CompiledRoute<T>[] = [];
  /** All routes, for the readings of a path. */
  readonly readings = new ReachTree<T>();
  #expressions = 0;

  /** Number of routes with an expression. */
  get expressions(): number {
    return this.#expressions;
  }

  /** Adds a route. Routes must be added in ascending order. */
  add(route: CompiledRoute<T>): void {
    this.readings.add(route);
    if (route.hasExpression) this.#expressions += 1;
    if (route.path !== null) {
      file((this.#byPath ??= new Map<string, CompiledRoute<T>[]>()), route.path, route);
    } else if (route.pathPrefix !== null) {
      const key = route.pathPrefix.endsWith('/') ? route.pathPrefix.slice(0, -1) : route.pathPrefix;
      file((this.#byPrefix ??= new Map<string, CompiledRoute<T>[]>()), key, route);
      this.#prefixLengths[key.length] = true;
    } else {
      this.#others.push(route);
    }
  }

  /** Returns the first route that holds if its order is lower than the order of `best`; else `best`. */
  find(
    request: RouteRequest,
    query: QueryString | null,
    best: CompiledRoute<T> | null,
  ): CompiledRoute<T> | null {
    const { path } = request;
    best = firstOf(this.#others, request, query, best);
    if (this.#byPath !== null) best = firstOf(this.#byPath.get(path), request, query, best);
    const prefixes = this.#byPrefix;
    if (prefixes === null) return best;
    const lengths = this.#prefixLengths;
    // A prefix of the path ends before a slash or at the path's end.
    for (let at = 0; at !== -1 && at < lengths.length; at = path.indexOf('/', at + 1)) {
      if (lengths[at]) best = firstOf(prefixes.get(path.slice(0, at)), request, query, best);
    }
    return lengths[path.length] ? firstOf(prefixes.get(path), request, query, best) : best;
  }
}

function file<T>(lists: Map<string, CompiledRoute<T>[]>, key: string, route: CompiledRoute<T>): void {
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
    if (route.holds(request, query)) return route;
  }
  return best;
}
