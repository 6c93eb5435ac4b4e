import { isDeepStrictEqual } from 'node:util';
import type { L7Listener } from '../../config/types/listener.ts';
import type { Route } from '../../config/types/route.ts';
import { LiveSet } from '../../core/collections/live-set.ts';
import type { RefusedHandshakes } from '../access-log/refused-handshakes.ts';
import { RequestStats } from '../contract/listener-stats.ts';
import { SessionStats } from '../contract/session-stats.ts';
import { ContextRelays } from '../websocket/context-relays.ts';
import type { UpgradeContext } from '../websocket/upgrade-order.ts';
import type { L7Environment } from './l7-environment.ts';

type ContextEnvironment = Pick<
  L7Environment,
  'config' | 'page' | 'clusters' | 'log' | 'access' | 'wheel' | 'dialler' | 'bound' | 'random'
>;

/**
 * The contexts of a listener's upgrades and sessions under one configuration: one for each route to a cluster. A context
 * lives on under the next configuration if nothing changes for its sessions.
 */
export class UpgradeContexts {
  readonly #contexts = new Map<string, UpgradeContext>();
  readonly #listener: L7Listener;

  /** @param previous the contexts of the configuration before; null for the first */
  constructor(
    listener: L7Listener,
    environment: ContextEnvironment,
    refusals: RefusedHandshakes,
    previous: UpgradeContexts | null,
  ) {
    this.#listener = listener;
    for (const route of listener.routes) {
      if (route.action.kind !== 'cluster') continue;
      const key = keyOf(route, route.action.cluster);
      const terms = termsOf(listener, route.action.cluster, environment);
      const known = previous === null ? undefined : previous.#contexts.get(key);
      const context =
        known !== undefined && fits(known, terms)
          ? known
          : createContext(listener, route, terms, environment, refusals);
      this.#contexts.set(key, context);
    }
  }

  get all(): readonly UpgradeContext[] {
    return [...this.#contexts.values()];
  }

  /** Returns the context of a route to a cluster. */
  of(route: Route, cluster: string): UpgradeContext {
    return this.#contexts.get(keyOf(route, cluster))!;
  }

  /** Whether a route of this configuration, whatever its name, replaces the one behind an older context. */
  covers({ route, cluster }: UpgradeContext): boolean {
    return this.#listener.routes.some(
      ({ name, match, action }) =>
        action.kind === 'cluster' &&
        action.cluster === cluster.name &&
        (name === route.name || isDeepStrictEqual(match, route.match)),
    );
  }
}

/** Settings of a context that its sessions depend on. */
type ContextTerms = Pick<
  UpgradeContext,
  'cluster' | 'settings' | 'randomMasks' | 'access' | 'bodyIdleTimeoutMs' | 'keepAliveMs'
>;

function termsOf(
  { http, websocket }: L7Listener,
  cluster: string,
  { config, clusters, access }: ContextEnvironment,
): ContextTerms {
  // The cluster itself may still have its configuration before.
  const { masking } = config.clusters.find(({ name }) => name === cluster)!;
  return {
    cluster: clusters.get(cluster)!,
    settings: websocket,
    randomMasks: masking === 'random',
    access,
    bodyIdleTimeoutMs: http.idleTimeoutMs,
    keepAliveMs: http.keepAliveMs,
  };
}

function fits(context: UpgradeContext, terms: ContextTerms): boolean {
  return (
    context.cluster === terms.cluster &&
    context.randomMasks === terms.randomMasks &&
    context.access === terms.access &&
    context.bodyIdleTimeoutMs === terms.bodyIdleTimeoutMs &&
    context.keepAliveMs === terms.keepAliveMs &&
    isDeepStrictEqual(context.settings, terms.settings)
  );
}

function createContext(
  { name: listener }: L7Listener,
  route: Route,
  terms: ContextTerms,
  { page, wheel, dialler, random, bound, log }: ContextEnvironment,
  refusals: RefusedHandshakes,
): UpgradeContext {
  const { settings, randomMasks } = terms;
  const stats = new SessionStats(page, listener, route.name, terms.cluster.name);
  const requests = new RequestStats(page, listener, route.name);
  return {
    ...terms,
    listener,
    route,
    wheel,
    dialler,
    random,
    bound,
    log,
    relays: new ContextRelays({ settings, randomMasks, stats }),
    handshakeDuration: stats.handshakeDuration,
    pending: new LiveSet(),
    refusals,
    countCut: (reason) => requests.cut(reason),
  };
}

function keyOf(route: Route, cluster: string): string {
  return `${route.name}\u0000${cluster}`;
}
