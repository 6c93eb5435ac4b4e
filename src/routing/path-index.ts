import type { CompiledRoute } from './compiled-route.ts';
import type { PathOutline } from './path-outline.ts';
import type { QueryString } from './query-string.ts';
import type { RouteRequest } from './route-request.ts';

/** The orders of the first routes that take readings of a path. */
interface Reached {
  /** Takes every reading, and does the same. */
  same: number;
  /** May take a reading, and does something else. */
  other: number;
}

/**
 * The routes of one host, filed by what their path condition lets a request look up at once. Each route stands
 * in one list, and each list is in the order of the configuration, so that the first route that holds in any
 * of the lists of a request is the first of all.
 */
export class PathIndex<T> {
  readonly #byPath = new Map<string, CompiledRoute<T>[]>();
  /** By prefix without a slash at its end. */
  readonly #byPrefix = new Map<string, CompiledRoute<T>[]>();
  /** Which lengths the keys of `#byPrefix` have: no other part of a path is worth a lookup. */
  readonly #prefixLengths: boolean[] = [];
  /** Routes with neither path nor prefix. */
  readonly #others: CompiledRoute<T>[] = [];
  /** Those whose path or prefix begins with a segment that has the same form in every reading. */
  readonly #byFirstSegment = new Map<string, CompiledRoute<T>[]>();
  readonly #withoutFirstSegment: CompiledRoute<T>[] = [];
  #expressions = 0;

  /** How many routes have an expression. */
  get expressions(): number {
    return this.#expressions;
  }

  /** Files a route; routes come in their order. */
  add(route: CompiledRoute<T>): void {
    if (route.firstSegment === null) this.#withoutFirstSegment.push(route);
    else file(this.#byFirstSegment, route.firstSegment, route);
    if (route.hasExpression) this.#expressions += 1;
    if (route.path !== null) {
      file(this.#byPath, route.path, route);
    } else if (route.pathPrefix !== null) {
      const key = route.pathPrefix.endsWith('/') ? route.pathPrefix.slice(0, -1) : route.pathPrefix;
      file(this.#byPrefix, key, route);
      this.#prefixLengths[key.length] = true;
    } else {
      this.#others.push(route);
    }
  }

  /**
   * Finds the first route that takes every reading of the request's path, and the first that may take one and does
   * something else. Their order is infinite if there are none.
   */
  reachOf(
    request: RouteRequest,
    outline: PathOutline,
    query: QueryString | null,
    isSame: (value: T) => boolean,
  ): Reached {
    const reached = { same: Infinity, other: Infinity };
    const look = (routes: readonly CompiledRoute<T>[] | undefined): void => {
      for (const route of routes ?? []) {
        const reach = route.reach(request, outline, query);
        if (reach === 'none') continue;
        if (!isSame(route.value)) reached.other = Math.min(reached.other, route.order);
        else if (reach === 'all') reached.same = Math.min(reached.same, route.order);
        else continue;
        return;
      }
    };
    look(this.#withoutFirstSegment);
    const { head, segments } = outline;
    if (head !== '/') look(this.#byFirstSegment.get(head.slice(1, head.indexOf('/', 1))));
    else
      for (const segment of segments ?? this.#byFirstSegment.keys()) look(this.#byFirstSegment.get(segment));
    return reached;
  }

  /** The first route that holds and stands before `best`, else `best`. */
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
    // Every slash ends a part of the path that may be a prefix, and so does the path's end.
    for (let at = 0; at !== -1 && at < lengths.length; at = path.indexOf('/', at + 1)) {
      if (lengths[at]) best = firstOf(this.#byPrefix.get(path.slice(0, at)), request, query, best);
    }
    return lengths[path.length] ? firstOf(this.#byPrefix.get(path), request, query, best) : best;
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
