/** The configuration as workers receive it: whole at the start, then only changes. */
import type { AccessSettings } from '../config/types/access.ts';
import type { Config } from '../config/types/config.ts';
import type { Listener } from '../config/types/listener.ts';
import type { Route } from '../config/types/route.ts';
import { compactRoute } from './compact-route.ts';

/** A configuration for workers. Its clusters travel as `ClusterRecord`s. */
export type WorkerConfig = Omit<Config, 'clusters'>;

/** Difference between two sets of access settings. Their lists of addresses can be long. */
interface AccessChange {
  /** Whether keys that `own` lacks come from the other settings. If false, `own` is complete. */
  readonly isPart: boolean;
  readonly own: Partial<AccessSettings> | null;
}

/** A route that the receiver does not have. */
interface NewRoute {
  /** The route without its access settings. */
  readonly route: Route;
  /** Difference from the access settings of the listener. */
  readonly access: AccessChange;
}

/** Difference between two listeners of the same name. */
interface ListenerChange {
  /** The listener without routes and access settings; also without trusted proxies if `keepsProxies`. */
  readonly listener: Listener;
  /** Difference from the access settings of the old listener. */
  readonly access: AccessChange;
  /** Whether the trusted proxies of the old listener stay. */
  readonly keepsProxies: boolean;
  /** Each route: its index among the routes of the old listener, or the route itself if it is new. */
  readonly routes: readonly (number | NewRoute)[];
}

/** Difference between a configuration and its predecessor. */
export interface ConfigChange extends Omit<WorkerConfig, 'listeners'> {
  readonly listeners: readonly ListenerChange[];
}

/** Returns the name and routes of a listener. Layer 4 listeners have no routes. */
export function routesOf(listener: Listener): { readonly name: string; readonly routes: readonly Route[] } {
  return { name: listener.name, routes: listener.mode === 'l7' ? listener.routes : [] };
}

/** Builds the whole configuration for a worker that starts. */
export function workerConfig({ clusters, ...config }: Config): WorkerConfig {
  return {
    ...config,
    listeners: config.listeners.map((listener) =>
      withRoutes(listener, routesOf(listener).routes.map(compactRoute)),
    ),
  };
}

/**
 * Computes the difference between two configurations. Routes, access settings and lists of proxies count as
 * unchanged only if they are the same objects in both.
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
      const sent = { ...listener, access: null, ...(keepsProxies && { trustedProxies: [] }) };
      const change = accessChange(old?.access ?? null, access);
      return { listener: withRoutes(sent, []), access: change, keepsProxies, routes };
    }),
  };
}

/** Applies a {@link configChange}. Unchanged parts stay the same objects. */
export function changedConfig(before: WorkerConfig, change: ConfigChange): WorkerConfig {
  const known = new Map(before.listeners.map((listener) => [listener.name, listener]));
  return {
    ...change,
    listeners: change.listeners.map((sent) => {
      const { listener, routes } = sent;
      const old = known.get(listener.name);
      const own = old === undefined ? [] : routesOf(old).routes;
      const access = changedAccess(old?.access ?? null, sent.access);
      const trustedProxies =
        old !== undefined && sent.keepsProxies ? old.trustedProxies : listener.trustedProxies;
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

/**
 * Returns a function that finds the index of a route. It tries `likely` first: most routes keep their index.
 */
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
