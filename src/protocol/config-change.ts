/** What a worker is told of a configuration: all of it at the start, then only what changes. */
import type { AccessSettings } from '../config/types/access.ts';
import type { Config } from '../config/types/config.ts';
import type { Listener } from '../config/types/listener.ts';
import type { Route } from '../config/types/route.ts';

/** A configuration as workers know it. Its clusters travel as `ClusterRecord`s. */
export type WorkerConfig = Omit<Config, 'clusters'>;

/** A route that those who are told do not have. */
interface NewRoute {
  /** Without the access settings if it inherits them. */
  readonly route: Route;
  /** Whether it has the access settings of its listener. */
  readonly inherits: boolean;
}

/** A listener of a new configuration. */
interface ListenerChange {
  /** Without its routes, and without its access settings if it keeps them. */
  readonly listener: Listener;
  /** Whether it has the access settings of the listener of its name before. */
  readonly keepsAccess: boolean;
  /** The place of each route among those of the listener's name before, or the route if it is new. */
  readonly routes: readonly (number | NewRoute)[];
}

/** A configuration by its difference from the one before it. */
export interface ConfigChange extends Omit<WorkerConfig, 'listeners'> {
  readonly listeners: readonly ListenerChange[];
}

/** Returns the name and the routes of a listener; none for layer 4. */
export function routesOf(listener: Listener): { readonly name: string; readonly routes: readonly Route[] } {
  return { name: listener.name, routes: listener.mode === 'l7' ? listener.routes : [] };
}

/**
 * Describes a configuration to those who have another. Routes and access settings that both have must be the same objects to
 * be told short.
 */
export function configChange(before: WorkerConfig, after: WorkerConfig): ConfigChange {
  const known = new Map(before.listeners.map((listener) => [listener.name, listener]));
  return {
    ...after,
    listeners: after.listeners.map((listener) => {
      const { access } = listener;
      const old = known.get(listener.name);
      const placeOf = placesIn(old === undefined ? [] : routesOf(old).routes);
      const routes = routesOf(listener).routes.map(
        (route, place) => placeOf(route, place) ?? newRoute(route, access),
      );
      const keepsAccess = old?.access === access;
      const told = keepsAccess ? { ...listener, access: null } : listener;
      return { listener: withRoutes(told, []), keepsAccess, routes };
    }),
  };
}

/** Builds the configuration that {@link configChange} has described. What stays are the same objects. */
export function changedConfig(before: WorkerConfig, change: ConfigChange): WorkerConfig {
  const known = new Map(before.listeners.map((listener) => [listener.name, listener]));
  return {
    ...change,
    listeners: change.listeners.map(({ listener, keepsAccess, routes }) => {
      const old = known.get(listener.name);
      const own = old === undefined ? [] : routesOf(old).routes;
      const access = keepsAccess && old !== undefined ? old.access : listener.access;
      const all = routes.map((told) => {
        if (typeof told === 'number') return own[told]!;
        return told.inherits ? { ...told.route, access } : told.route;
      });
      return withRoutes({ ...listener, access }, all);
    }),
  };
}

function newRoute(route: Route, access: AccessSettings | null): NewRoute {
  const inherits = access !== null && route.access === access;
  return { route: inherits ? { ...route, access: null } : route, inherits };
}

/** Returns a function that finds the place of a route among others, which is most often the same as elsewhere. */
function placesIn(routes: readonly Route[]): (route: Route, likely: number) => number | undefined {
  let places: Map<Route, number> | null = null;
  return (route, likely) => {
    if (routes[likely] === route) return likely;
    places ??= new Map(routes.map((each, place) => [each, place]));
    return places.get(route);
  };
}

function withRoutes(listener: Listener, routes: readonly Route[]): Listener {
  return listener.mode === 'l7' ? { ...listener, routes } : listener;
}
