import type { Cluster as ClusterConfig, Endpoint as EndpointConfig } from '../../../src/config/types.ts';
import { formatAddress } from '../../../src/core/address.ts';
import { CONNECT_FAILURES, pageMetrics } from '../../../src/telemetry/names.ts';
import { PageLayout } from '../../../src/telemetry/page-layout.ts';
import { StatsPage, allocatePage } from '../../../src/telemetry/stats-page.ts';
import { Endpoint } from '../../../src/upstream/endpoint.ts';

/** A cluster `app` as several workers see it: the same endpoints, counted by each on a page of its own. */
export interface Workers {
  readonly pages: readonly StatsPage[];
  readonly all: readonly Float64Array[];
  /** For each worker its own objects of the endpoints. */
  readonly endpoints: readonly (readonly Endpoint[])[];
}

export function endpointConfigs(weights: readonly number[]): EndpointConfig[] {
  return weights.map((weight, index) => ({
    address: { kind: 'tcp', host: '192.0.2.1', port: 1 + index },
    weight,
  }));
}

export function clusterConfig(changes: Partial<ClusterConfig> = {}): ClusterConfig {
  return {
    name: 'app',
    balancer: 'round_robin',
    connectTimeoutMs: 1000,
    retries: 0,
    masking: 'zero',
    tls: null,
    endpoints: endpointConfigs([1]),
    ...changes,
  };
}

export function workers(count: number, configs: readonly EndpointConfig[]): Workers {
  const layout = new PageLayout();
  const cluster = 'app';
  layout.add(pageMetrics.clusterRetries, { cluster });
  layout.add(pageMetrics.endpointConnectDuration, { cluster });
  for (const { address } of configs) {
    const endpoint = formatAddress(address);
    layout.add(pageMetrics.endpointConnectionsActive, { cluster, endpoint });
    for (const reason of CONNECT_FAILURES) {
      layout.add(pageMetrics.endpointConnectFailures, { cluster, endpoint, reason });
    }
  }
  const pages = Array.from({ length: count }, () => new StatsPage(allocatePage(layout), layout));
  const all = pages.map((page) => page.values);
  return {
    pages,
    all,
    endpoints: pages.map((page) => configs.map((config) => new Endpoint(cluster, config, page, all))),
  };
}

/** Endpoints of these weights as one worker, the only one, sees them. */
export function endpointsOf(...weights: number[]): readonly Endpoint[] {
  return workers(1, endpointConfigs(weights)).endpoints[0]!;
}

/** Numbers from 0 to 1, the same for the same seed (a linear congruential generator of 32 bits). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
