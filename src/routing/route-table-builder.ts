import type { RouteMatch } from '../config/types/route.ts';
import { doSteps, type Steps } from '../core/timing/steps.ts';
import { CompiledRoute } from './compiled-route.ts';
import { HostIndex } from './host-index.ts';
import { decodePattern } from './path-readings.ts';
import { RouteTable } from './route-table.ts';

/**
 * Distance between the orders of neighboring routes, so that routes inserted later leave them unchanged. With
 * 10,000 routes, V8 still stores the orders as small integers.
 */
const ORDER_STEP = 1024;

/**
 * Builds a listener's new route table, sharing unchanged parts with the current one: a change of one route
 * costs only the routes of its hosts.
 */
export class RouteTableBuilder<T> {
  readonly #previous: RouteTable<T> | null;
  readonly #routes: CompiledRoute<T>[] = [];
  /** Hosts whose routes differ from the previous table. */
  readonly #changed = new Set<string | null>();
  #order = 0;

  /** @param previous the current table; null for none */
  constructor(previous: RouteTable<T> | null) {
    this.#previous = previous;
  }

  /**
   * Adds a route after all others.
   *
   * @param known compiled routes of the same match in the previous table; null to compile it
   * @returns the route, once per spelling of its path; the routes of `known` if they have the same value
   * @throws ExpressionError for an invalid pathRegex, which the configuration loader refuses
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
    for (const route of routes) this.#change(route);
    this.#routes.push(...routes);
    return routes;
  }

  /** Builds the table of the added routes. */
  *build(): Steps<RouteTable<T>> {
    const changed = this.#changed;
    for (const route of this.#gone()) {
      this.#change(route);
      yield;
    }
    const hosts = this.#previous?.hosts.without(changed) ?? HostIndex.empty<T>();
    yield;
    for (const route of this.#routes) {
      for (const host of route.hosts) if (changed.has(host)) hosts.add(host, route);
      yield;
    }
    return new RouteTable(this.#routes, hosts);
  }

  #change({ hosts }: CompiledRoute<T>): void {
    for (const host of hosts) this.#changed.add(host);
  }

  /** Lists the routes of the previous table that were not added again. Both lists are in ascending order. */
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

/** Returns the table of a list of routes. @throws ExpressionError like {@link RouteTableBuilder.add} */
export function createRouteTable<T>(
  routes: Iterable<{ readonly match: RouteMatch; readonly value: T }>,
): RouteTable<T> {
  const builder = new RouteTableBuilder<T>(null);
  for (const { match, value } of routes) builder.add(match, value);
  return doSteps(builder.build());
}

/**
 * Returns a match, plus a copy with its path decoded if that differs: endpoints read `/%40admin` as
 * `/@admin`.
 */
function spellingsOf(match: RouteMatch): readonly RouteMatch[] {
  const path = match.path === null ? null : decodePattern(match.path);
  const pathPrefix = match.pathPrefix === null ? null : decodePattern(match.pathPrefix);
  const differs = path !== match.path || pathPrefix !== match.pathPrefix;
  return differs ? [match, { ...match, path, pathPrefix }] : [match];
}
