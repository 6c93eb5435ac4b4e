import { isDeepStrictEqual } from 'node:util';
import type { L7Listener } from '../../config/types/listener.ts';
import type { Route, RouteMatch } from '../../config/types/route.ts';
import type { Steps } from '../../core/timing/steps.ts';
import type { CompiledRoute } from '../../routing/compiled-route.ts';
import { createRouteTable, RouteTableBuilder } from '../../routing/route-table-builder.ts';
import type { RouteTable } from '../../routing/route-table.ts';
import { HandshakeGate } from '../websocket/handshakes/handshake-gate.ts';
import { HeaderFilter } from './header-filter.ts';
import type { L7Environment } from './l7-environment.ts';
import { RouteTarget } from './route-handler.ts';

/** The part of the environment that routes depend on. */
type RouteEnvironment = Pick<L7Environment, 'config' | 'clusters' | 'page' | 'pages' | 'wheel'>;

const NO_ROUTES = createRouteTable<RouteTarget>([]);

interface NamedRoute {
  readonly to: RouteTarget;
  readonly compiled: readonly CompiledRoute<RouteTarget>[];
}

/**
 * The routes of one listener under one configuration, with the filter and gate that depend on all of them.
 */
export class ListenerRoutes {
  readonly headers: HeaderFilter;
  readonly handshakes: HandshakeGate;
  #table = NO_ROUTES;
  readonly #byName = new Map<string, NamedRoute>();
  /** Routes by the most distinctive text of their conditions. Null until needed. */
  #byPattern: Map<string, Route[]> | null = null;

  private constructor(listener: L7Listener, { config, clusters, page, pages, wheel }: RouteEnvironment) {
    this.headers = new HeaderFilter(listener, clusters, config.tracing !== null);
    this.handshakes = new HandshakeGate(listener.name, listener, wheel, page, pages);
  }

  /**
   * Builds the routes of a listener in steps of microseconds.
   *
   * @param previous routes of the previous configuration, which share unchanged parts. Null for none, and not
   * kept.
   */
  static *build(
    listener: L7Listener,
    environment: RouteEnvironment,
    previous: ListenerRoutes | null,
  ): Steps<ListenerRoutes> {
    const routes = new ListenerRoutes(listener, environment);
    const builder = new RouteTableBuilder(previous === null ? null : previous.#table);
    for (const route of listener.routes) {
      routes.#add(route, builder, previous === null ? undefined : previous.#byName.get(route.name));
      yield;
    }
    routes.#table = yield* builder.build();
    return routes;
  }

  get table(): RouteTable<RouteTarget> {
    return this.#table;
  }

  /** Adds a route after all others. @param known the previous route with this name */
  #add(route: Route, builder: RouteTableBuilder<RouteTarget>, known: NamedRoute | undefined): void {
    const { name, match, action } = route;
    const to = known?.to.route === route ? known.to : new RouteTarget(route);
    const compiled = builder.add(match, to, known?.to.route.match === match ? known.compiled : null);
    this.#byName.set(name, known?.compiled === compiled ? known : { to, compiled });
    this.headers.add(route);
    if (action.kind === 'cluster' && action.upgrade !== 'never') this.handshakes.add(action.cluster);
  }

  /** Whether the named route leads to a cluster. */
  leadsTo(name: string, cluster: string): boolean {
    const named = this.#byName.get(name);
    return named !== undefined && isTo(named.to.route, cluster);
  }

  /** Whether a route with the name or the conditions of an older route leads to a cluster. */
  replaces(older: Route, cluster: string): boolean {
    if (this.leadsTo(older.name, cluster)) return true;
    this.#byPattern ??= this.#indexByPattern();
    const similar = this.#byPattern.get(patternOf(older.match)) ?? [];
    return similar.some((route) => isTo(route, cluster) && isEqualMatch(route.match, older.match));
  }

  #indexByPattern(): Map<string, Route[]> {
    const index = new Map<string, Route[]>();
    for (const { to } of this.#byName.values()) {
      const { route } = to;
      const pattern = patternOf(route.match);
      const known = index.get(pattern);
      if (known === undefined) index.set(pattern, [route]);
      else known.push(route);
    }
    return index;
  }
}

function isTo({ action }: Route, cluster: string): boolean {
  return action.kind === 'cluster' && action.cluster === cluster;
}

/** Whether two routes have the same conditions. The order of hosts does not count. */
function isEqualMatch(one: RouteMatch, other: RouteMatch): boolean {
  const [first, second] = [one, other].map((match) => ({ ...match, hosts: match.hosts.toSorted() }));
  return isDeepStrictEqual(first, second);
}

/** Returns a text that is the same for equal conditions. */
function patternOf({ hosts, path, pathPrefix, pathRegex }: RouteMatch): string {
  return `${hosts.toSorted()[0] ?? ''} ${path ?? pathPrefix ?? pathRegex ?? ''}`;
}
