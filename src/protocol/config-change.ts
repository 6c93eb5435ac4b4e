/** What a worker is told of a configuration: all of it at the start, then only what changes. */
import type { AccessSettings } from '../config/types/access.ts';
import type { Config } from '../config/types/config.ts';
import type { Listener } from '../config/types/listener.ts';
import type { Route } from '../config/types/route.ts';
import { compactRoute } from './compact-route.ts';

/** A configuration as workers know it. Its clusters travel as `ClusterRecord`s. */
export type WorkerConfig = Omit<Config, 'clusters'>;

/** Access settings by their difference from others. Lists of addresses may be long. */
interface AccessChange {
  /** Whether the other settings have the keys that `own` lacks. If false, `own` is everything. */
  readonly isPart: boolean;
  readonly own: Partial<AccessSettings> | null;
}

/** A route that those who are told do not have. */
interface NewRoute {
  /** Without its access settings. */
  readonly route: Route;
  /** By their difference from those of the listener. */
  readonly access: AccessChange;
}

/** A listener of a new configuration. */
interface ListenerChange {
  /** Without its routes and access settings, and without its trusted proxies if it keeps them. */
  readonly listener: Listener;
  /** By their difference from those of the listener of its name before. */
  readonly access: AccessChange;
  /** Whether it trusts the proxies of the listener of its name before. */
  readonly keepsProxies: boolean;
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

/** Returns a configuration in the form for workers that have none. */
export function workerConfig({ clusters, ...config }: Config): WorkerConfig {
  return {
    ...config,
    listeners: config.listeners.map((listener) =>
      withRoutes(listener, routesOf(listener).routes.map(compactRoute)),
    ),
  };
}

/**
 * Describes a configuration to those who have another. Routes, parts of access settings and lists of proxies that both have
 * must be the same objects to be told short.
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
      const keepsProxies = old?.trustedProxies === listener.trustedProxies;
      const told = { ...listener, access: null, ...(keepsProxies && { trustedProxies: [] }) };
      const change = accessChange(old?.access ?? null, access);
      return { listener: withRoutes(told, []), access: change, keepsProxies, routes };
    }),
  };
}

/** Builds the configuration that {@link configChange} has described. What stays are the same objects. */
export function changedConfig(before: WorkerConfig, change: ConfigChange): WorkerConfig {
  const known = new Map(before.listeners.map((listener) => [listener.name, listener]));
  return {
    ...change,
    listeners: change.listeners.map((told) => {
      const { listener, routes } = told;
      const old = known.get(listener.name);
      const own = old === undefined ? [] : routesOf(old).routes;
      const access = changedAccess(old?.access ?? null, told.access);
      const trustedProxies =
        old !== undefined && told.keepsProxies ? old.trustedProxies : listener.trustedProxies;
      const all = routes.map((route) => {
        if (typeof route === 'number') return own[route]!;
        return { ...route.route, access: changedAccess(access, route.access) };
      });
      return withRoutes({ ...listener, access, trustedProxies }, all);
    }),
  };
}

function newRoute(route: Route, access: AccessSettings | null): NewRoute {
  return { route: { ...compactRoute(route), access: null }, access: accessChange(access, route.access) };
}

function accessChange(before: AccessSettings | null, after: AccessSettings | null): AccessChange {
  if (before === null || after === null) return { isPart: false, own: after };
  const own = Object.entries(after).filter(([key, value]) => value !== before[key as keyof AccessSettings]);
  return { isPart: true, own: Object.fromEntries(own) };
}

function changedAccess(before: AccessSettings | null, { isPart, own }: AccessChange): AccessSettings | null {
  if (!isPart) return own as AccessSettings | null;
  return Object.keys(own!).length === 0 ? before : { ...before!, ...own };
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
