import type {
  Cluster as ClusterConfig,
  Endpoint as EndpointConfig,
} from '../../../src/config/types/cluster.ts';
import type { Config } from '../../../src/config/types/config.ts';
import { formatAddress } from '../../../src/core/address.ts';
import type { ClusterState, EndpointState } from '../../../src/protocol/cluster-state.ts';
import { layoutOf } from '../../../src/protocol/stats-layout.ts';
import { StatsPage, allocatePage } from '../../../src/telemetry/stats-page.ts';
import { allocateCursor, SharedCursor } from '../../../src/upstream/balancers/shared-cursor.ts';
import type { ClusterLookup } from '../../../src/upstream/cluster-lookup.ts';
import { Cluster, type ClusterContext } from '../../../src/upstream/cluster.ts';
import { Endpoint } from '../../../src/upstream/endpoint.ts';

/**
 * A cluster `app` as several workers see it: the same endpoints, which each worker counts on a separate page.
 */
export interface Workers {
  readonly pages: readonly StatsPage[];
  readonly all: readonly Float64Array[];
  /** Each worker's objects for the endpoints. */
  readonly endpoints: readonly (readonly Endpoint[])[];
}

export function endpointConfigs(weights: readonly number[]): EndpointConfig[] {
  return weights.map((weight, index) => ({
    address: { kind: 'tcp', host: '192.0.2.1', port: 1 + index },
    weight,
    maxConnections: 0,
  }));
}

/** Returns a cluster with the defaults of the loader, but without retries and outlier detection. */
export function clusterConfig(changes: Partial<ClusterConfig> = {}): ClusterConfig {
  return {
    name: 'app',
    balancer: 'round_robin',
    hashOn: { kind: 'source_ip' },
    loadFactor: 1.25,
    sticky: null,
    connectTimeoutMs: 1000,
    retries: 0,
    retryBudget: { percent: 20, minPerSecond: 10 },
    maxConnections: 0,
    panicThreshold: 50,
    outlier: null,
    slowStartMs: 0,
    healthCheck: null,
    onDown: 'keep',
    resolve: { type: 'system', intervalMs: 10_000, servers: [] },
    masking: 'zero',
    proxyProtocol: 'off',
    tls: null,
    endpoints: endpointConfigs([1]),
    ...changes,
  };
}

/** Returns the primary's initial state of an endpoint. */
export function endpointState(
  { address, weight, maxConnections }: EndpointConfig,
  changes: Partial<EndpointState> = {},
): EndpointState {
  const label = formatAddress(address);
  return {
    label,
    slot: null,
    server: address,
    addresses: [address],
    weight,
    priority: 0,
    maxConnections,
    health: 'up',
    warmLeftMs: 0,
    ...changes,
  };
}

export function clusterState({ name, endpoints }: Pick<ClusterConfig, 'name' | 'endpoints'>): ClusterState {
  return {
    cluster: name,
    cursor: allocateCursor(),
    endpoints: endpoints.map((endpoint) => endpointState(endpoint)),
  };
}

/** Returns the context of a worker's cluster that reports failures to nobody. */
export function contextOf({ pages, all }: Workers, changes: Partial<ClusterContext> = {}): ClusterContext {
  return {
    page: pages[0]!,
    pages: all,
    descriptors: { mayDial: () => true },
    secret: 'a secret of the process',
    onEndpointFailed: () => undefined,
    ...changes,
  };
}

/** Makes all clusters of a configuration. */
export function clusterLookup(
  configs: readonly ClusterConfig[],
  clusterContext: ClusterContext,
): ClusterLookup {
  const clusters = new Map(
    configs.map((each) => [each.name, new Cluster(each, clusterState(each), clusterContext)]),
  );
  return { get: (name) => clusters.get(name), hashHeader: () => null };
}

export function workers(count: number, configs: readonly EndpointConfig[]): Workers {
  const cluster = clusterConfig({ endpoints: configs });
  // The layout uses only these parts of the configuration.
  const layout = layoutOf({ listeners: [], clusters: [cluster] } as unknown as Config, []);
  const pages = Array.from({ length: count }, () => new StatsPage(allocatePage(layout), layout));
  const all = pages.map((page) => page.values);
  return {
    pages,
    all,
    endpoints: pages.map((page) =>
      configs.map((config) => new Endpoint(cluster.name, endpointState(config), page, all)),
    ),
  };
}

/** Makes endpoints of these weights for a single worker. */
export function endpointsOf(...weights: number[]): readonly Endpoint[] {
  return workers(1, endpointConfigs(weights)).endpoints[0]!;
}

/** Makes a cursor that starts at the first endpoint, or at one that `random` chooses. */
export function cursorOf(random: () => number = () => 0): SharedCursor {
  return new SharedCursor(allocateCursor(random));
}
