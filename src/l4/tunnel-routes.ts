import { isDeepStrictEqual } from 'node:util';
import type { LimitGuards } from '../access/contract/limit-guard.ts';
import type { L4Listener } from '../config/types/listener.ts';
import { LiveSet } from '../core/collections/live-set.ts';
import type { StatsPage } from '../telemetry/stats-page.ts';
import { ServerNames } from '../transport/server-names.ts';
import type { ClusterLookup } from '../upstream/cluster-lookup.ts';
import type { Cluster } from '../upstream/cluster.ts';
import { TunnelStats } from './tunnel-stats.ts';
import type { TunnelContext, TunnelSettings } from './tunnel.ts';

/** State shared by the tunnels of one worker. */
export interface TunnelEnvironment extends Pick<TunnelContext, 'wheel' | 'log' | 'journal' | 'taps'> {
  readonly page: StatsPage;
  /** Values of every worker's stats page. */
  readonly pages: readonly Float64Array[];
  readonly clusters: Pick<ClusterLookup, 'get'>;
  readonly limits: LimitGuards;
}

/**
 * A listener's tunnel settings, of either layer. `cluster` serves connections without a matching rule. Null
 * serves none.
 */
type TunnelRules = TunnelSettings & Pick<L4Listener, 'cluster' | 'passthrough'>;

/** Destinations of a listener's tunnels under one configuration. */
export class TunnelRoutes {
  /** One for each cluster. */
  readonly contexts: readonly TunnelContext[];
  readonly #names: ServerNames<TunnelContext>;
  readonly #others: TunnelContext | null;

  /** @param previous the routes to reuse unchanged contexts from; null without any */
  constructor(rules: TunnelRules, environment: TunnelEnvironment, previous: TunnelRoutes | null) {
    const contexts = new Map<string, TunnelContext>();
    const contextOf = (cluster: string): TunnelContext => {
      let context = contexts.get(cluster);
      if (context === undefined) {
        const made = createContext(rules, environment.clusters.get(cluster)!, environment);
        context = previous?.contexts.find((each) => isSame(each, made)) ?? made;
        contexts.set(cluster, context);
      }
      return context;
    };
    this.#names = new ServerNames(
      rules.passthrough.flatMap(({ serverNames, cluster }) =>
        serverNames.map((name) => [name, contextOf(cluster)] as const),
      ),
    );
    this.#others = rules.cluster === null ? null : contextOf(rules.cluster);
    this.contexts = [...contexts.values()];
  }

  /**
   * Returns the context of a new tunnel. Null if no tunnel leads there.
   *
   * @param serverName from the client's ClientHello; null without one
   */
  find(serverName: string | null): TunnelContext | null {
    return this.#names.find(serverName) ?? this.#others;
  }

  /**
   * Whether new tunnels lead to the cluster of an older context, so that its tunnels may continue. The server
   * name does not matter: it only chose the endpoint.
   */
  covers({ cluster }: TunnelContext): boolean {
    return this.contexts.some((context) => context.cluster === cluster);
  }
}

function createContext(
  { name, idleTimeoutMs, halfCloseTimeoutMs }: TunnelRules,
  cluster: Cluster,
  { page, pages, wheel, log, journal, taps }: TunnelEnvironment,
): TunnelContext {
  return {
    config: { name, idleTimeoutMs, halfCloseTimeoutMs },
    cluster,
    stats: new TunnelStats(page, pages, name, cluster.name),
    wheel,
    log,
    journal,
    taps,
    tunnels: new LiveSet(),
  };
}

/** Whether two contexts serve tunnels in the same way, so that the older one can stay. */
function isSame(a: TunnelContext, b: TunnelContext): boolean {
  return a.cluster === b.cluster && isDeepStrictEqual(a.config, b.config);
}
