import type { CompiledRoute } from './compiled-route.ts';
import type { PathOutline } from './path-outline.ts';
import type { QueryString } from './query-string.ts';
import type { RouteRequest } from './route-request.ts';

/**
 * Max routes to check that do the same as the path's route. A path with nested escapes can take any route,
 * and all routes may do the same.
 */
const MAX_ALIKE = 1024;

/**
 * Searches for two routes. The first takes every reading of a path and does the same as the path's route. The
 * second may take a reading but does something else. If there are several candidates, the lowest order
 * counts.
 */
export class ReachSearch<T> {
  /** Segments at the start of every reading. */
  readonly head: readonly string[];
  /** See {@link PathOutline.segments}. */
  readonly segments: ReadonlySet<string> | null;
  readonly #request: RouteRequest;
  readonly #outline: PathOutline;
  readonly #query: QueryString | null;
  readonly #isSame: (value: T) => boolean;
  /** Lowest order of a route that takes every reading and does the same; Infinity without one. */
  #same = Infinity;
  /** Lowest order of a route that may take a reading and does something else; Infinity without one. */
  #other = Infinity;
  #alike = 0;

  /** @param isSame returns whether a route does the same as the request's route */
  constructor(
    request: RouteRequest,
    outline: PathOutline,
    query: QueryString | null,
    isSame: (value: T) => boolean,
  ) {
    this.head = outline.head.split('/').slice(1, -1);
    this.segments = outline.segments;
    this.#request = request;
    this.#outline = outline;
    this.#query = query;
    this.#isSame = isSame;
  }

  /** Whether every reading provably leads to a route that does the same. */
  get isCertain(): boolean {
    return this.#same < this.#other;
  }

  /** Routes of this order or higher cannot change the result. */
  get end(): number {
    return Math.min(this.#same, this.#other);
  }

  /** Checks routes in ascending order. */
  check(routes: readonly CompiledRoute<T>[]): void {
    for (const route of routes) {
      if (route.order >= this.end) return;
      const reach = route.reach(this.#request, this.#outline, this.#query);
      if (reach === 'none') continue;
      if (!this.#isSame(route.value)) {
        this.#other = route.order;
      } else if (reach === 'all') {
        this.#same = route.order;
      } else if (++this.#alike > MAX_ALIKE) {
        // Ends the search with an uncertain result.
        this.#other = -1;
      }
    }
  }
}
