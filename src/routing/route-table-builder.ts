import type { RouteMatch } from '../config/types/route.ts';
import { doSteps, type Steps } from '../core/timing/steps.ts';
import { CompiledRoute } from './compiled-route.ts';
import { HostIndex } from './host-index.ts';
import { decodePattern } from './path-readings.ts';
import { RouteTable } from './route-table.ts';

/**
 * Distance between the orders of two neighbouring routes, so that routes which come between them later leave them as they
 * are. 10,000 routes have orders that V8 keeps as small integers.
 */
const ORDER_STEP = 1024;

/**
 * Builds the table of a listener's routes beside the one in use. What both have in common they share: a change of one route
 * costs the routes of its host.
 */
export class RouteTableBuilder<T> {
  readonly #previous: RouteTable<T> | null;
  readonly #routes: CompiledRoute<T>[] = [];
  /** Hosts whose routes are not those of the previous table. */
  readonly #changed = new Set<string | null>();
  #order = 0;

  /** @param previous the table in use; null for none */
  constructor(previous: RouteTable<T> | null) {
    this.#previous = previous;
  }

  /**
   * Adds a route behind all others.
   *
   * @param known what the previous table has of the same match; null to compile it
   * @returns the route, once for each spelling of its path. Those of `known` if they have the same value
   * @throws ExpressionError for a pathRegex that cannot be compiled, which the configuration's loader refuses
   */
  add(
    match: RouteMatch,
    value: T,
    known: readonly CompiledRoute<T>[] | null = null,
  ): readonly CompiledRoute<T>[] {
    const keepsOrder = known !== null && known[0]!.order > this.#order;
    this.#order = keepsOrder ? known[0]!.order : this.#orderBehind();
    if (keepsOrder && known[0]!.value === value) {
      this.#routes.push(...known);
      return known;
    }
    const routes =
      known === null
        ? spellingsOf(match).map((spelled) => new CompiledRoute(this.#order, spelled, value))
        : known.map((each) => new CompiledRoute(this.#order, match, value, each));
    for (const route of routes) this.#changed.add(route.host);
    this.#routes.push(...routes);
    return routes;
  }

  /** Builds the table of the routes that have been added. */
  *build(): Steps<RouteTable<T>> {
    const changed = this.#changed;
    for (const { host } of this.#gone()) {
      changed.add(host);
      yield;
    }
    const hosts = this.#previous?.hosts.without(changed) ?? HostIndex.empty<T>();
    yield;
    for (const route of this.#routes) {
      if (changed.has(route.host)) hosts.add(route);
      yield;
    }
    return new RouteTable(this.#routes, hosts);
  }

  /** Lists the routes of the previous table that are not among the added ones. Both lists are in ascending order. */
  *#gone(): Iterable<CompiledRoute<T>> {
    const routes = this.#routes;
    let at = 0;
    for (const old of this.#previous?.routes ?? []) {
      while (at < routes.length && routes[at]!.order < old.order) at++;
      if (routes[at] === old) at++;
      else yield old;
    }
  }

  #orderBehind(): number {
    const last = this.#previous?.routes.at(-1)?.order ?? 0;
    return this.#order >= last ? this.#order + ORDER_STEP : this.#order + 1;
  }
}

/** Returns the table of a list of routes. @throws as {@link RouteTableBuilder.add} */
export function createRouteTable<T>(
  routes: Iterable<{ readonly match: RouteMatch; readonly value: T }>,
): RouteTable<T> {
  const builder = new RouteTableBuilder<T>(null);
  for (const { match, value } of routes) builder.add(match, value);
  return doSteps(builder.build());
}

/** Returns a match, and the same match with its path decoded if that differs: endpoints read `/%40admin` as `/@admin`. */
function spellingsOf(match: RouteMatch): readonly RouteMatch[] {
  const path = match.path === null ? null : decodePattern(match.path);
  const pathPrefix = match.pathPrefix === null ? null : decodePattern(match.pathPrefix);
  const differs = path !== match.path || pathPrefix !== match.pathPrefix;
  return differs ? [match, { ...match, path, pathPrefix }] : [match];
}
