import { isDeepStrictEqual } from 'node:util';
import type { L7Listener } from '../../config/types/listener.ts';
import type { Route, RouteMatch } from '../../config/types/route.ts';
import { RouteTable } from '../../routing/route-table.ts';
import { HandshakeGate } from '../websocket/handshakes/handshake-gate.ts';
import { HeaderFilter } from './header-filter.ts';
import type { L7Environment } from './l7-environment.ts';
import { RoutedTo } from './routed-to.ts';

/** The environment's part that depends on the routes. */
type RouteEnvironment = Pick<L7Environment, 'clusters' | 'page' | 'pages' | 'wheel'>;

/** The routes of one listener under one configuration, and what is known only with all of them. */
export class ListenerRoutes {
  readonly table = new RouteTable<RoutedTo>();
  readonly headers: HeaderFilter;
  readonly handshakes: HandshakeGate;
  readonly #byName = new Map<string, Route>();
  /** By the text of their conditions that differs most; null until it is needed. */
  #byPattern: Map<string, Route[]> | null = null;

  /** Makes the routes of a listener, none of which is added yet. */
  constructor(listener: L7Listener, { clusters, page, pages, wheel }: RouteEnvironment) {
    this.headers = new HeaderFilter(listener, clusters);
    this.handshakes = new HandshakeGate(listener.name, listener, wheel, page, pages);
  }

  /** Adds a route behind all others. Not after the first request. */
  add(route: Route): void {
    const { name, match, action } = route;
    this.#byName.set(name, route);
    this.table.add(match, new RoutedTo(route));
    this.headers.add(route);
    if (action.kind === 'cluster' && action.upgrade !== 'never') this.handshakes.add(action.cluster);
  }

  /** Whether the route of a name leads to a cluster. */
  leads(name: string, cluster: string): boolean {
    const route = this.#byName.get(name);
    return route !== undefined && isTo(route, cluster);
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
    for (const route of this.#byName.values()) {
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
