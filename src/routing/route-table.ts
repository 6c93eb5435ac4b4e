import type { CompiledRoute, RouteHit, RouteRefusal } from './compiled-route.ts';
import type { HostIndex } from './host-index.ts';
import type { PathIndex } from './path-index.ts';
import { outlineOf } from './path-outline.ts';
import { everyReading, type Readings } from './path-readings.ts';
import { QueryString } from './query-string.ts';
import { ReachSearch } from './reach-search.ts';
import type { RouteRequest } from './route-request.ts';

/**
 * The routes of one listener. Immutable: a new configuration brings a new table. The first route in the list
 * whose conditions all hold takes the request. The indexes by host and path only skip routes that cannot
 * match.
 */
export class RouteTable<T> {
  /** In ascending order. */
  readonly routes: readonly CompiledRoute<T>[];
  readonly hosts: HostIndex<T>;
  readonly #usesQuery: boolean;

  /** @param hosts index of the routes */
  constructor(routes: readonly CompiledRoute<T>[], hosts: HostIndex<T>) {
    this.routes = routes;
    this.hosts = hosts;
    this.#usesQuery = routes.some(({ usesQuery }) => usesQuery);
  }

  /** Returns the hit or refusal of the first matching route; null if no route matches. */
  match(request: RouteRequest): RouteHit<T> | RouteRefusal | null {
    const query = this.#queryOf(request);
    let best: CompiledRoute<T> | null = null;
    for (const index of this.hosts.of(request.host)) best = index.find(request, query, best);
    return best === null ? null : best.hit(request);
  }

  /**
   * Checks whether every reading of the request's path leads to a route that does the same as the path's
   * route. A reading without a route counts as different: a path must not reach what no route publishes.
   *
   * @param spelling the path's spelling, as returned by `readPath`
   * @param isSame returns whether another route does the same as the path's route
   */
  compareReadings(request: RouteRequest, spelling: string, isSame: (value: T) => boolean): Readings {
    const indexes = this.hosts.of(request.host);
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
      accepts: (path, decodedQuery) => {
        if (decodedQuery === null) return isSameFor(path, request.query);
        // Chained servers receive both queries, or only the first.
        return (
          isSameFor(path, decodedQuery) &&
          (request.query === '' || isSameFor(path, `${decodedQuery}&${request.query}`))
        );
      },
    });
  }

  /**
   * Answers {@link compareReadings} without listing the readings. Returns false if the result is uncertain.
   */
  #isCertain(
    request: RouteRequest,
    spelling: string,
    isSame: (value: T) => boolean,
    indexes: readonly PathIndex<T>[],
  ): boolean {
    const search = new ReachSearch(request, outlineOf(spelling), this.#queryOf(request), isSame);
    for (const index of indexes) index.search(search);
    return search.isCertain;
  }

  #queryOf(request: RouteRequest): QueryString | null {
    return this.#usesQuery ? new QueryString(request.query) : null;
  }
}
