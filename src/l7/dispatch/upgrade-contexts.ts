import { isDeepStrictEqual } from 'node:util';
import type { L7Listener, WebSocketSettings } from '../../config/types/listener.ts';
import type { Route } from '../../config/types/route.ts';
import { LiveSet } from '../../core/collections/live-set.ts';
import type { RefusedHandshakes } from '../access-log/refused-handshakes.ts';
import { RequestStats } from '../contract/listener-stats.ts';
import { SessionStats } from '../contract/session-stats.ts';
import { ContextRelays } from '../websocket/context-relays.ts';
import type { UpgradeContext } from '../websocket/upgrade-order.ts';
import type { L7Environment } from './l7-environment.ts';
import type { ListenerRoutes } from './listener-routes.ts';

type ContextEnvironment = Pick<
  L7Environment,
  'page' | 'clusters' | 'log' | 'journal' | 'taps' | 'wheel' | 'dialler' | 'bound' | 'random'
>;

/**
 * The contexts of a listener's upgrades and sessions under one configuration, one per route to a cluster that
 * has had requests. The next configuration takes over a context if nothing changes for its sessions.
 */
export class UpgradeContexts {
  /** By route name. */
  readonly #used = new Map<string, UpgradeContext>();
  readonly #listener: L7Listener;
  readonly #environment: ContextEnvironment;
  readonly #refusals: RefusedHandshakes;

  constructor(listener: L7Listener, environment: ContextEnvironment, refusals: RefusedHandshakes) {
    this.#listener = listener;
    this.#environment = environment;
    this.#refusals = refusals;
  }

  get all(): readonly UpgradeContext[] {
    return [...this.#used.values()];
  }

  has(context: UpgradeContext): boolean {
    return this.#used.get(context.route.name) === context;
  }

  /** Returns the context of a route to a cluster, created at its first use. */
  of(route: Route, cluster: string): UpgradeContext {
    let context = this.#used.get(route.name);
    if (context === undefined) {
      const terms = termsOf(this.#listener, cluster, this.#environment);
      context = createContext(this.#listener, route, terms, this.#environment, this.#refusals);
      this.#used.set(route.name, context);
    }
    return context;
  }

  /**
   * Takes over previous contexts whose sessions see no change. Must be called after the clusters have
   * changed, and before the first use.
   */
  inherit(previous: UpgradeContexts, routes: Pick<ListenerRoutes, 'leadsTo'>): void {
    // Thousands of contexts share few settings objects.
    const same = new Map<WebSocketSettings, boolean>();
    for (const [name, context] of previous.#used) {
      const { cluster, settings } = context;
      if (!routes.leadsTo(name, cluster.name)) continue;
      let isSame = same.get(settings);
      if (isSame === undefined) {
        isSame = isDeepStrictEqual(settings, this.#listener.websocket);
        same.set(settings, isSame);
      }
      if (isSame && fits(context, termsOf(this.#listener, cluster.name, this.#environment))) {
        this.#used.set(name, context);
      }
    }
  }
}

/** Settings of a context that its sessions depend on. */
type ContextTerms = Pick<
  UpgradeContext,
  'cluster' | 'settings' | 'randomMasks' | 'bodyIdleTimeoutMs' | 'keepAliveMs'
>;

function termsOf(
  { http, websocket }: L7Listener,
  cluster: string,
  { clusters }: ContextEnvironment,
): ContextTerms {
  const found = clusters.get(cluster)!;
  return {
    cluster: found,
    settings: websocket,
    randomMasks: found.config.masking === 'random',
    bodyIdleTimeoutMs: http.idleTimeoutMs,
    keepAliveMs: http.keepAliveMs,
  };
}

/** Whether a context has these terms. The caller has compared the settings. */
function fits(context: UpgradeContext, terms: ContextTerms): boolean {
  return (
    context.cluster === terms.cluster &&
    context.randomMasks === terms.randomMasks &&
    context.bodyIdleTimeoutMs === terms.bodyIdleTimeoutMs &&
    context.keepAliveMs === terms.keepAliveMs
  );
}

function createContext(
  { name: listener }: L7Listener,
  route: Route,
  terms: ContextTerms,
  { page, wheel, dialler, random, bound, log, journal, taps }: ContextEnvironment,
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
    journal,
    taps,
    relays: new ContextRelays({ settings, randomMasks, stats }),
    handshakeDuration: stats.handshakeDuration,
    pending: new LiveSet(),
    refusals,
    countCut: (reason) => requests.cut(reason),
  };
}
