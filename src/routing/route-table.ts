import type { RouteMatch } from '../config/types/route.ts';
import { CompiledRoute, type RouteHit, type RouteRefusal } from './compiled-route.ts';
import { PathIndex } from './path-index.ts';
import { outlineOf } from './path-outline.ts';
import { decodePattern, everyReading, type Readings } from './path-readings.ts';
import { QueryString } from './query-string.ts';
import type { RouteRequest } from './route-request.ts';

/**
 * The routes of one listener, compiled once and never changed in use: a new configuration brings a new table. The first route of
 * the list whose conditions all hold takes the request. The indexes by host and by path only skip routes that cannot
 * match.
 */
export class RouteTable<T> {
  readonly #anyHost = new PathIndex<T>();
  readonly #byHost = new Map<string, PathIndex<T>>();
  /** By the part of the host behind `*.`. */
  readonly #bySuffix = new Map<string, PathIndex<T>>();
  readonly #suffixLengths: boolean[] = [];
  #usesQuery = false;
  #count = 0;

  /** @throws ExpressionError for a pathRegex that cannot be compiled, which the configuration's loader refuses */
  constructor(routes: readonly { readonly match: RouteMatch; readonly value: T }[] = []) {
    for (const { match, value } of routes) this.add(match, value);
  }

  /**
   * Adds a route behind all others. Not after the first request.
   *
   * @param known what an older table has compiled from the same match; null to compile it
   * @returns the compiled route, once for each spelling of its path
   * @throws ExpressionError for a pathRegex that cannot be compiled, which the configuration's loader refuses
   */
  add(
    match: RouteMatch,
    value: T,
    known: readonly CompiledRoute<T>[] | null = null,
  ): readonly CompiledRoute<T>[] {
    const order = this.#count++;
    const routes =
      known === null
        ? spellingsOf(match).map((spelled) => new CompiledRoute(order, spelled, value))
        : known.map((each) => new CompiledRoute(order, match, value, each));
    for (const route of routes) {
      this.#indexFor(route.host).add(route);
      this.#usesQuery ||= route.usesQuery;
    }
    return routes;
  }

  /** Returns the hit or the refusal of the first route that holds; null if no route holds. */
  match(request: RouteRequest): RouteHit<T> | RouteRefusal | null {
    const query = this.#queryOf(request);
    let best: CompiledRoute<T> | null = null;
    for (const index of this.#indexesOf(request.host)) best = index.find(request, query, best);
    return best === null ? null : best.hit(request);
  }

  /**
   * Tells whether every reading of the request's path leads to a route that does the same as the route of the path. A
   * reading that no route takes counts as different: a path must not lead to what no route publishes.
   *
   * @param spelling the path's spelling, as `readPath` returns it
   * @param isSame tells whether another route does the same as the route of the path
   */
  compareReadings(request: RouteRequest, spelling: string, isSame: (value: T) => boolean): Readings {
    const indexes = this.#indexesOf(request.host);
    if (this.#isCertain(request, spelling, isSame, indexes)) return 'all hold';
    let expressions = 0;
    for (const index of indexes) expressions += index.expressions;
    const isSameFor = (path: string, query: string): boolean => {
      const hit = this.match({ ...request, path, query });
      return hit !== null && 'value' in hit && isSame(hit.value);
    };
    return everyReading(request.path, spelling, {
      usesQuery: this.#usesQuery,
      expressions,
      holds: (path, decodedQuery) => {
        if (decodedQuery === null) return isSameFor(path, request.query);
        // Servers behind others get both queries, or only the first.
        return (
          isSameFor(path, decodedQuery) &&
          (request.query === '' || isSameFor(path, `${decodedQuery}&${request.query}`))
        );
      },
    });
  }

  /** Does the same as {@link compareReadings} without listing the readings. Returns false if the result is uncertain. */
  #isCertain(
    request: RouteRequest,
    spelling: string,
    isSame: (value: T) => boolean,
    indexes: readonly PathIndex<T>[],
  ): boolean {
    const outline = outlineOf(spelling);
    const query = this.#queryOf(request);
    let same = Infinity;
    let other = Infinity;
    for (const index of indexes) {
      const reached = index.reachOf(request, outline, query, isSame);
      same = Math.min(same, reached.same);
      other = Math.min(other, reached.other);
    }
    return same < other;
  }

  #queryOf(request: RouteRequest): QueryString | null {
    return this.#usesQuery ? new QueryString(request.query) : null;
  }

  /** Lists the indexes of a host: of any host, of this one, and of each wildcard above it. */
  #indexesOf(host: string): readonly PathIndex<T>[] {
    const indexes = [this.#anyHost];
    const exact = this.#byHost.get(host);
    if (exact !== undefined) indexes.push(exact);
    const lengths = this.#suffixLengths;
    // The star stands for at least one label, so a dot as the first character does not count.
    for (
      let dot = lengths.length > 0 ? host.indexOf('.', 1) : -1;
      dot !== -1;
      dot = host.indexOf('.', dot + 1)
    ) {
      if (!lengths[host.length - dot - 1]) continue;
      const wildcard = this.#bySuffix.get(host.slice(dot + 1));
      if (wildcard !== undefined) indexes.push(wildcard);
    }
    return indexes;
  }

  #indexFor(host: string | null): PathIndex<T> {
    if (host === null) return this.#anyHost;
    const wildcard = host.startsWith('*.');
    const indexes = wildcard ? this.#bySuffix : this.#byHost;
    const key = wildcard ? host.slice(2) : host;
    if (wildcard) this.#suffixLengths[key.length] = true;
    let index = indexes.get(key);
    if (index === undefined) {
      index = new PathIndex<T>();
      indexes.set(key, index);
    }
    return index;
  }
}

/** Returns a match, and the same match with its path decoded if that differs: endpoints read `/%40admin` as `/@admin`. */
function spellingsOf(match: RouteMatch): readonly RouteMatch[] {
  const path = match.path === null ? null : decodePattern(match.path);
  const pathPrefix = match.pathPrefix === null ? null : decodePattern(match.pathPrefix);
  const differs = path !== match.path || pathPrefix !== match.pathPrefix;
  return differs ? [match, { ...match, path, pathPrefix }] : [match];
}
