import type { BalancerName, Cluster as ClusterConfig } from '../config/types.ts';
import { pageMetrics } from '../telemetry/names.ts';
import type { Histogram, StatsPage } from '../telemetry/stats-page.ts';
import { Attempts } from './attempts.ts';
import type { Balancer } from './balancer.ts';
import { LeastConnections } from './balancers/least-connections.ts';
import { RoundRobin } from './balancers/round-robin.ts';
import { Endpoint } from './endpoint.ts';
import { upstreamTls, type UpstreamTls } from './upstream-tls.ts';

/** A named group of endpoints, as one worker sees it. */
export class Cluster {
  readonly name: string;
  readonly config: ClusterConfig;
  /** TLS towards the endpoints, or null for plain TCP. */
  readonly tls: UpstreamTls | null;
  readonly connectDuration: Histogram;
  readonly #balancer: Balancer;
  readonly #values: Float64Array;
  readonly #retriesSlot: number;

  /** @param all the values of every worker's page, this one's included */
  constructor(config: ClusterConfig, page: StatsPage, all: readonly Float64Array[]) {
    this.name = config.name;
    this.config = config;
    this.tls = config.tls === null ? null : upstreamTls(config.tls);
    this.connectDuration = page.histogram(pageMetrics.endpointConnectDuration, { cluster: config.name });
    const endpoints = config.endpoints.map((endpoint) => new Endpoint(config.name, endpoint, page, all));
    this.#balancer = createBalancer(config.balancer, endpoints);
    this.#values = page.values;
    this.#retriesSlot = page.slot(pageMetrics.clusterRetries, { cluster: config.name });
  }

  /** The endpoints to try for one new connection. */
  attempts(): Attempts {
    return new Attempts(this, this.#balancer, this.config.retries);
  }

  countRetry(): void {
    this.#values[this.#retriesSlot]! += 1;
  }
}

function createBalancer(name: BalancerName, endpoints: readonly Endpoint[]): Balancer {
  switch (name) {
    case 'round_robin':
      return new RoundRobin(endpoints);
    case 'least_connections':
      return new LeastConnections(endpoints);
  }
}
