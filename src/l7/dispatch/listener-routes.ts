import { isDeepStrictEqual } from 'node:util';
import type { L7Listener } from '../../config/types/listener.ts';
import type { Route, RouteMatch } from '../../config/types/route.ts';
import type { Slices } from '../../core/timing/slices.ts';
import type { CompiledRoute } from '../../routing/compiled-route.ts';
import { RouteTable } from '../../routing/route-table.ts';
import { HandshakeGate } from '../websocket/handshakes/handshake-gate.ts';
import { HeaderFilter } from './header-filter.ts';
import type { L7Environment } from './l7-environment.ts';
import { RoutedTo } from './route-handler.ts';

/** The environment's part that depends on the routes. */
type RouteEnvironment = Pick<L7Environment, 'clusters' | 'page' | 'pages' | 'wheel'>;

interface NamedRoute {
  readonly route: Route;
  readonly compiled: readonly CompiledRoute<RoutedTo>[];
}

/** The routes of one listener under one configuration, and what is known only with all of them. */
export class ListenerRoutes {
  readonly table = new RouteTable<RoutedTo>();
  readonly headers: HeaderFilter;
  readonly handshakes: HandshakeGate;
  readonly #byName = new Map<string, NamedRoute>();
  /** By the text of their conditions that differs most; null until it is needed. */
  #byPattern: Map<string, Route[]> | null = null;

  /** Makes the routes of a listener, none of which is added yet. */
  constructor(listener: L7Listener, { clusters, page, pages, wheel }: RouteEnvironment) {
    this.headers = new HeaderFilter(listener, clusters);
    this.handshakes = new HandshakeGate(listener.name, listener, wheel, page, pages);
  }

  /**
   * Builds the routes of a listener in slices.
   *
   * @param previous those of the configuration before, which share what is compiled; null for none. They are not kept
   */
  static async build(
    listener: L7Listener,
    environment: RouteEnvironment,
    previous: ListenerRoutes | null,
    slices: Slices,
  ): Promise<ListenerRoutes> {
    const routes = new ListenerRoutes(listener, environment);
    for (const route of listener.routes) {
      routes.add(route, previous);
      if (slices.isOver()) await slices.next();
    }
    return routes;
  }

  /** Adds a route behind all others. Not after the first request. @param previous as in {@link build} */
  add(route: Route, previous: ListenerRoutes | null = null): void {
    const { name, match, action } = route;
    const known = previous === null ? undefined : previous.#byName.get(name);
    const same = known?.route.match === match ? known.compiled : null;
    this.#byName.set(name, { route, compiled: this.table.add(match, new RoutedTo(route), same) });
    this.headers.add(route);
    if (action.kind === 'cluster' && action.upgrade !== 'never') this.handshakes.add(action.cluster);
  }

  /** Whether the route of a name leads to a cluster. */
  leads(name: string, cluster: string): boolean {
    const named = this.#byName.get(name);
    return named !== undefined && isTo(named.route, cluster);
  }

  /** Whether a route of the name or the conditions of an older one leads to a cluster. */
  replaces(older: Route, cluster: string): boolean {
    if (this.leads(older.name, cluster)) return true;
    this.#byPattern ??= this.#indexByPattern();
    const similar = this.#byPattern.get(patternOf(older.match)) ?? [];
    return similar.some((route) => isTo(route, cluster) && isDeepStrictEqual(route.match, older.match));
  }

  #indexByPattern(): Map<string, Route[]> {
    const index = new Map<string, Route[]>();
    for (const { route } of this.#byName.values()) {
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

/** Returns a text that is the same for equal conditions. */
function patternOf({ host, path, pathPrefix, pathRegex }: RouteMatch): string {
  return `${host ?? ''} ${path ?? pathPrefix ?? pathRegex ?? ''}`;
}
