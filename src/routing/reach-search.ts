import type { CompiledRoute } from './compiled-route.ts';
import type { PathOutline } from './path-outline.ts';
import type { QueryString } from './query-string.ts';
import type { RouteRequest } from './route-request.ts';

/**
 * Max routes of one effect that are looked at for one path. A path with nested escapes can take any route, and all may do the
 * same.
 */
const MAX_ALIKE = 1024;

/**
 * Searches for two routes: the first that takes every reading of a path and does the same as the path's route, and the first
 * that may take a reading and does something else.
 */
export class ReachSearch<T> {
  /** The segments with which every reading begins. */
  readonly head: readonly string[];
  /** See {@link PathOutline.segments}. */
  readonly segments: ReadonlySet<string> | null;
  readonly #request: RouteRequest;
  readonly #outline: PathOutline;
  readonly #query: QueryString | null;
  readonly #isSame: (value: T) => boolean;
  /** The lowest order of the routes that take every reading, and do the same; Infinity if there is none. */
  #same = Infinity;
  /** The lowest order of the routes that may take a reading, and do something else; Infinity if there is none. */
  #other = Infinity;
  #alike = 0;

  /** @param isSame tells whether a route does the same as the request's route */
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

  /** Whether every reading leads to a route that does the same; false if the search does not show it. */
  get isCertain(): boolean {
    return this.#same < this.#other;
  }

  /** Routes of this order and of higher ones change nothing. */
  get end(): number {
    return Math.min(this.#same, this.#other);
  }

  /** Looks at routes in ascending order. */
  look(routes: readonly CompiledRoute<T>[]): void {
    for (const route of routes) {
      if (route.order >= this.end) return;
      const reach = route.reach(this.#request, this.#outline, this.#query);
      if (reach === 'none') continue;
      if (!this.#isSame(route.value)) {
        this.#other = route.order;
      } else if (reach === 'all') {
        this.#same = route.order;
      } else if (++this.#alike > MAX_ALIKE) {
        // Ends the search: its result is not certain.
        this.#other = -1;
      }
    }
  }
}
