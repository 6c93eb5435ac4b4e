/** What a worker is told of a configuration: all of it at the start, then only what changes. */
import type { Config } from '../config/types/config.ts';
import type { Listener } from '../config/types/listener.ts';
import type { Route } from '../config/types/route.ts';

/** A configuration as workers know it. Its clusters travel as `ClusterRecord`s. */
export type WorkerConfig = Omit<Config, 'clusters'>;

/** A listener of a new configuration. */
interface ListenerChange {
  /** Without its routes. */
  readonly listener: Listener;
  /** The place of each route among those of the listener's name before, or the route if it is new. */
  readonly routes: readonly (number | Route)[];
}

/** A configuration by its difference from the one before it. */
export interface ConfigChange extends Omit<WorkerConfig, 'listeners'> {
  readonly listeners: readonly ListenerChange[];
}

/** Returns the name and the routes of a listener; none for layer 4. */
export function routesOf(listener: Listener): { readonly name: string; readonly routes: readonly Route[] } {
  return { name: listener.name, routes: listener.mode === 'l7' ? listener.routes : [] };
}

/** Describes a configuration to those who have another. Routes that both have must be the same objects to be told short. */
export function configChange(before: WorkerConfig, after: WorkerConfig): ConfigChange {
  const known = new Map(
    before.listeners.map((listener) => [listener.name, placesOf(routesOf(listener).routes)]),
  );
  return {
    ...after,
    listeners: after.listeners.map((listener) => {
      const places = known.get(listener.name);
      const routes = routesOf(listener).routes.map((route) => places?.get(route) ?? route);
      return { listener: withRoutes(listener, []), routes };
    }),
  };
}

/** Builds the configuration that {@link configChange} has described. Routes that stay are the same objects. */
export function changedConfig(before: WorkerConfig, change: ConfigChange): WorkerConfig {
  const known = new Map(before.listeners.map((listener) => [listener.name, routesOf(listener).routes]));
  return {
    ...change,
    listeners: change.listeners.map(({ listener, routes }) => {
      const own = known.get(listener.name) ?? [];
      return withRoutes(
        listener,
        routes.map((route) => (typeof route === 'number' ? own[route]! : route)),
      );
    }),
  };
}

function placesOf(routes: readonly Route[]): ReadonlyMap<Route, number> {
  return new Map(routes.map((route, place) => [route, place]));
}

function withRoutes(listener: Listener, routes: readonly Route[]): Listener {
  return listener.mode === 'l7' ? { ...listener, routes } : listener;
}
