import { isDeepStrictEqual } from 'node:util';
import type { Cluster as ClusterConfig } from '../../config/types/cluster.ts';
import type { ClusterState } from '../../protocol/cluster-state.ts';
import type { EndpointFailure } from '../../protocol/from-worker.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { pageMetrics } from '../../telemetry/metrics/page-metrics.ts';
import { membershipOf } from '../../upstream/membership.ts';
import type { Broadcast } from '../workers/broadcast.ts';
import type { WorkerPages } from '../workers/worker-pages.ts';
import { ClusterMonitor } from './cluster-monitor.ts';
import type { EndpointRecord } from './endpoint-record.ts';
import type { MonitorOwner } from './monitor-owner.ts';
import { createMonitorTools } from './monitor-tools.ts';
import type { Successes } from './outlier-detector.ts';

/** Default rate at which connections are evicted. */
const DEFAULT_EVICTIONS_PER_SECOND = 100;

/** Functions of the workers and operators that clusters use. */
interface ClusterWorkers {
  readonly broadcast: Pick<Broadcast, 'publish' | 'evict'>;
  readonly pages: Pick<WorkerPages, 'directory' | 'sums'>;
  /** Reports an event to operators. */
  readonly report: MonitorOwner['report'];
}

/** A cluster whose connections are evicted. A `ClusterMonitor` is one. */
interface EvictedCluster {
  readonly config: Pick<ClusterConfig, 'name'>;
}

/** A prepared change of the clusters. */
interface ClusterChange {
  /** Resolves with all states after the lookups and probes of new endpoints. */
  ready(): Promise<readonly ClusterState[]>;
  commit(): void;
  abort(): void;
}

/** Monitors all clusters, and sends their state to the workers. */
export class ClusterMonitors {
  /** By name of the cluster, in the order of the configuration. */
  #all: ReadonlyMap<string, ClusterMonitor>;
  readonly #workers: ClusterWorkers;
  readonly #owner: MonitorOwner;
  readonly #evictionCounts = new Map<string, number>();

  constructor(
    clusters: readonly ClusterConfig[],
    workers: ClusterWorkers,
    log: Logger,
    tools = createMonitorTools(),
  ) {
    this.#workers = workers;
    const { broadcast, pages, report } = workers;
    this.#owner = {
      log,
      tools,
      report,
      publish: (config, state) => broadcast.publish(config, state),
      successes: (cluster, label) => this.#successes(cluster, label),
      leaseSeries: (cluster, label) => pages.directory.lend({ cluster, endpoint: label }, pages.sums),
      returnSeries: (cluster, label) => pages.directory.returnBlock({ cluster, endpoint: label }),
      wentDown: (config, record) => {
        if (config.onDown === 'close')
          this.evictAll({ config }, record, DEFAULT_EVICTIONS_PER_SECOND, 'endpoint down');
      },
    };
    this.#all = new Map(clusters.map((config) => [config.name, this.#create(config)]));
  }

  get all(): readonly ClusterMonitor[] {
    return [...this.#all.values()];
  }

  #create(config: ClusterConfig, previous?: ClusterMonitor | null): ClusterMonitor {
    const owner = this.#owner;
    return new ClusterMonitor({ config, owner, ...(previous !== undefined && { previous }) });
  }

  /**
   * Prepares other configurations. An unchanged cluster keeps its monitor and its state object. Endpoints
   * that stay keep their health, ejections and counts.
   *
   * Nothing is published before the commit. The commit must happen in the turn in which the workers commit,
   * because a worker knows the endpoints of only one configuration.
   */
  prepare(configs: readonly ClusterConfig[]): ClusterChange {
    const before = this.#all;
    const all = new Map<string, ClusterMonitor>();
    const made: ClusterMonitor[] = [];
    for (const config of configs) {
      const known = before.get(config.name) ?? null;
      let monitor = known;
      if (monitor === null || !isSame(monitor.config, config)) {
        monitor = this.#create(config, known);
        made.push(monitor);
      }
      all.set(config.name, monitor);
    }
    return {
      ready: async () => {
        await Promise.all(made.map((monitor) => monitor.ready()));
        return Array.from(all.values(), (monitor) => monitor.state());
      },
      commit: () => {
        this.#all = all;
        for (const monitor of made) monitor.commit();
        for (const [name, monitor] of before) if (all.get(name) !== monitor) monitor.stop();
      },
      abort: () => {
        for (const monitor of made) monitor.stop();
      },
    };
  }

  /** Resolves after the first lookup of every name and the first probe of every endpoint. */
  async ready(): Promise<void> {
    await Promise.all(this.all.map((monitor) => monitor.ready()));
  }

  readonly states = (): readonly ClusterState[] => this.all.map((monitor) => monitor.state());

  readonly endpointFailed = (failure: EndpointFailure): void => {
    this.find(failure.cluster)?.endpointFailed(failure);
  };

  find(cluster: string): ClusterMonitor | undefined {
    return this.#all.get(cluster);
  }

  /** Counts the open connections of an endpoint over all workers. */
  active(cluster: string, label: string): number {
    return this.#sum(pageMetrics.endpointConnectionsActive, cluster, label);
  }

  /** Number of connections evicted from a cluster since the start. */
  evictions(cluster: string): number {
    return this.#evictionCounts.get(cluster) ?? 0;
  }

  /**
   * Evicts the connections that an endpoint has beyond its share by weight, so that their clients reconnect
   * to others.
   *
   * @returns the number of evicted connections, by endpoint label
   */
  rebalance(monitor: ClusterMonitor, perSecond = DEFAULT_EVICTIONS_PER_SECOND): Record<string, number> {
    const { name, panicThreshold } = monitor.config;
    const candidates = monitor.records.map((record) => ({
      record,
      health: record.health,
      priority: record.facts.priority,
    }));
    // Only these are eligible when the clients reconnect.
    const members = membershipOf(candidates, panicThreshold).eligible.map(({ record }) => ({
      record,
      active: this.active(name, record.facts.label),
    }));
    const total = members.reduce((sum, { active }) => sum + active, 0);
    const weights = members.reduce((sum, { record }) => sum + record.facts.weight, 0);
    const excesses = members
      .map(({ record, active }) => ({
        record,
        excess: active - Math.ceil((total * record.facts.weight) / weights),
      }))
      .filter(({ excess }) => excess > 0);
    const sum = excesses.reduce((all, { excess }) => all + excess, 0);
    for (const { record, excess } of excesses) {
      this.#evict(monitor, record, excess, (perSecond * excess) / sum, 'rebalanced');
    }
    return Object.fromEntries(excesses.map(({ record, excess }) => [record.facts.label, excess]));
  }

  /** Evicts all connections of an endpoint. Returns their number. */
  evictAll(monitor: EvictedCluster, record: EndpointRecord, perSecond: number, reason: string): number {
    const count = this.active(monitor.config.name, record.facts.label);
    if (count > 0) this.#evict(monitor, record, count, perSecond, reason);
    return count;
  }

  stop(): void {
    for (const monitor of this.all) monitor.stop();
  }

  /** Returns counts that are summed on access: most callers need only one of them. */
  #successes(cluster: string, label: string): Successes {
    const sum = (metric: (typeof pageMetrics)['endpointConnects']): number =>
      this.#sum(metric, cluster, label);
    return {
      get dials() {
        return sum(pageMetrics.endpointDials);
      },
      get answers() {
        return sum(pageMetrics.endpointConnects);
      },
      get serverErrors() {
        return sum(pageMetrics.endpointServerErrors);
      },
    };
  }

  #evict(
    { config: { name: cluster } }: EvictedCluster,
    { facts: { label: endpoint } }: EndpointRecord,
    count: number,
    perSecond: number,
    reason: string,
  ): void {
    if (!this.#workers.broadcast.evict({ cluster, endpoint, count, perSecond, reason })) return;
    this.#evictionCounts.set(cluster, this.evictions(cluster) + count);
  }

  #sum(metric: (typeof pageMetrics)['endpointConnects'], cluster: string, endpoint: string): number {
    const { directory, sums } = this.#workers.pages;
    // A cluster of a configuration that is not yet in force has no series.
    const slot = directory.find(metric, { cluster, endpoint });
    return slot === undefined ? 0 : sums.at(slot);
  }
}

/** Whether two configurations are equal. Clusters that a reload left unchanged are the same object. */
function isSame(one: ClusterConfig, other: ClusterConfig): boolean {
  return one === other || isDeepStrictEqual(one, other);
}
