import type { RouteMatch } from '../config/types.ts';
import type { QueryString } from './query-string.ts';
import { normalizePattern } from './request-path.ts';
import type { RouteRequest } from './route-request.ts';

/** The route that a request takes. */
export interface RouteHit<T> {
  readonly value: T;
  /** What the groups of the route's pathRegex matched, from `$1` on; empty where a group took no part. */
  readonly groups: readonly string[];
}

const NO_GROUPS: readonly string[] = Object.freeze([]);

/** One route with its conditions made ready: paths normalised, the expression compiled, maps as arrays. */
export class CompiledRoute<T> {
  /** Its place in the list: the lowest that matches wins. */
  readonly order: number;
  readonly host: string | null;
  readonly path: string | null;
  readonly pathPrefix: string | null;
  readonly #pathRegex: RegExp | null;
  readonly #hasGroups: boolean;
  readonly #headers: readonly (readonly [name: string, value: string])[];
  readonly #query: readonly (readonly [key: string, value: string])[];
  readonly #subprotocol: string | null;
  readonly #hit: RouteHit<T>;

  /** Throws a SyntaxError where the match's pathRegex is none; the configuration's loader has tried it. */
  constructor(order: number, match: RouteMatch, value: T) {
    this.order = order;
    this.host = match.host;
    this.path = match.path === null ? null : normalizePattern(match.path);
    this.pathPrefix = match.pathPrefix === null ? null : normalizePattern(match.pathPrefix);
    this.#pathRegex = match.pathRegex === null ? null : new RegExp(match.pathRegex);
    this.#hasGroups = match.pathRegex !== null && groupCount(match.pathRegex) > 0;
    this.#headers = [...match.headers].map(([name, wanted]) => [name.toLowerCase(), wanted]);
    this.#query = [...match.query];
    this.#subprotocol = match.subprotocol;
    this.#hit = Object.freeze({ value, groups: NO_GROUPS });
  }

  get usesQuery(): boolean {
    return this.#query.length > 0;
  }

  /** Whether every condition holds, the cheapest first, but host and path: its index looks those up. */
  holds(request: RouteRequest, query: QueryString | null): boolean {
    const { path } = request;
    if (this.pathPrefix !== null && !isUnder(path, this.pathPrefix)) return false;
    if (this.#subprotocol !== null && !request.subprotocols.includes(this.#subprotocol)) return false;
    for (const [name, value] of this.#headers) {
      if (request.header(name) !== value) return false;
    }
    for (const [key, value] of this.#query) {
      if (query?.has(key, value) !== true) return false;
    }
    return this.#pathRegex === null || this.#pathRegex.test(path);
  }

  /** What to hand out for a path for which the route {@link holds}. */
  hit(path: string): RouteHit<T> {
    if (this.#pathRegex === null || !this.#hasGroups) return this.#hit;
    const [, ...groups]: readonly (string | undefined)[] = this.#pathRegex.exec(path) ?? [];
    return { value: this.#hit.value, groups: groups.map((group) => group ?? '') };
  }
}

/** Whether a path begins with a prefix that ends on a segment border. */
function isUnder(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false;
  return path.length === prefix.length || prefix.endsWith('/') || path.charAt(prefix.length) === '/';
}

/** An expression that may match nothing matches the empty text, with one entry for each group. */
function groupCount(source: string): number {
  return new RegExp(`${source}|`).exec('')!.length - 1;
}
