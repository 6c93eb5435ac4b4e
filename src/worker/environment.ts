import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/types/config.ts';
import { TimerWheel } from '../core/timing/timer-wheel.ts';
import type { ClusterState } from '../protocol/cluster-state.ts';
import type { EndpointFailure, FromWorker } from '../protocol/from-worker.ts';
import type { Generation, WorkerStart } from '../protocol/to-worker.ts';
import { lowestDescriptor } from '../sys/descriptors/lowest-descriptor.ts';
import type { Logger } from '../telemetry/logger.ts';
import { pageMetrics } from '../telemetry/metrics/page-metrics.ts';
import { findSlot, type SlotLookup, type SlotTable } from '../telemetry/page-layout.ts';
import { StatsPage } from '../telemetry/stats-page.ts';
import { allocateCursor } from '../upstream/balancers/shared-cursor.ts';
import { Cluster, type ClusterHome } from '../upstream/cluster.ts';
import { DescriptorGate } from '../upstream/descriptor-gate.ts';
import { AccessLink } from './access/access-link.ts';
import { WorkerLimits } from './access/worker-limits.ts';
import { ClusterBook } from './clusters/cluster-book.ts';
import { TicketKeyRings } from './ticket-key-rings.ts';

/** What the listeners of a worker share under one generation. */
export interface Environment {
  readonly config: Config;
  readonly generation: number;
  readonly page: StatsPage;
  /** The values of all workers' pages, this one's included. The list changes when workers come or go. */
  readonly pages: Float64Array[];
  readonly wheel: TimerWheel;
  readonly log: Logger;
  /** Writes the access lines; null without an access log. */
  readonly access: Logger | null;
  /** What the worker knows of clients. The same object in all generations. */
  readonly clients: AccessLink;
  readonly limits: WorkerLimits;
  /** By listener: memory of its `LineWindow`, which all workers share. */
  readonly lineWindows: ReadonlyMap<string, SharedArrayBuffer>;
  /** The same object in all generations. */
  readonly ticketKeys: TicketKeyRings;
  /** By name. A cluster is the same object in all generations that have it. */
  readonly clusters: ClusterBook;
  readonly home: ClusterHome;
  /** The same object in all generations. */
  readonly descriptors: DescriptorGate;
}

/** Makes the first environment of a worker. @throws if a cluster cannot be set up */
export function createEnvironment(
  start: WorkerStart,
  log: Logger,
  say: (message: FromWorker) => void,
): Environment {
  const { config, generation } = start;
  const page = new StatsPage(start.pages[start.page]!, lookupIn(start.series));
  const pages = start.pages.map((buffer) => new Float64Array(buffer));
  const onEndpointFailed = (failure: EndpointFailure): void => say({ type: 'endpoint_failed', failure });
  const descriptors = new DescriptorGate(start.descriptorPlan, pages, lowestDescriptor(), log);
  descriptors.clientSlots = clientSlots(config, page);
  const wheel = new TimerWheel(performance.now());
  const home = { page, pages, secret: start.secret, onEndpointFailed, descriptors };
  return {
    config,
    generation,
    page,
    pages,
    wheel,
    log,
    access: accessLog(config, log),
    clients: new AccessLink(start, say),
    limits: WorkerLimits.first(start.limitTables, page, wheel, say),
    lineWindows: start.lineWindows,
    ticketKeys: new TicketKeyRings(start.ticketKeys),
    clusters: new ClusterBook(
      new Map(
        config.clusters.map((cluster) => [
          cluster.name,
          new Cluster(cluster, stateOf(start, cluster.name), home),
        ]),
      ),
      config.clusters,
    ),
    home,
    descriptors,
  };
}

/** A prepared environment. */
interface NextEnvironment {
  readonly environment: Environment;
  /** Brings it into force: changes the clusters that both environments have, and retires those that it lacks. */
  readonly commit: () => void;
}

/** Prepares the environment of the next generation. @throws if a cluster cannot be set up, and has changed nothing */
export function nextEnvironment(current: Environment, next: Generation): NextEnvironment {
  const { generation, config, series, lineWindows } = next;
  const { pages, wheel, log, clients, ticketKeys, descriptors } = current;
  const page = new StatsPage(current.page.values.buffer as SharedArrayBuffer, lookupIn(series));
  const home = { ...current.home, page };
  const commits: (() => void)[] = [];
  const clusters = new Map<string, Cluster>();
  for (const cluster of config.clusters) {
    const known = current.clusters.get(cluster.name);
    clusters.set(cluster.name, known ?? new Cluster(cluster, stateOf(next, cluster.name), home));
    if (known !== undefined && !isDeepStrictEqual(known.config, cluster)) {
      commits.push(known.prepare(cluster, stateOf(next, cluster.name), page));
    }
  }
  const gone = [...current.clusters.all].filter(({ name }) => !clusters.has(name));
  const access = accessLog(config, log);
  ticketKeys.prepare(next.ticketKeys);
  return {
    environment: {
      config,
      generation,
      page,
      pages,
      wheel,
      log,
      access,
      clients,
      limits: current.limits.next(next.limitTables, page),
      lineWindows,
      ticketKeys,
      clusters: new ClusterBook(clusters, config.clusters),
      home,
      descriptors,
    },
    commit: () => {
      log.level = config.log.level;
      descriptors.clientSlots = clientSlots(config, page);
      ticketKeys.commit();
      for (const commit of commits) commit();
      for (const cluster of gone) cluster.retire();
    },
  };
}

function stateOf({ clusters }: Generation, name: string): ClusterState {
  const known = clusters.find(({ cluster }) => cluster === name);
  return known ?? { cluster: name, cursor: allocateCursor(), endpoints: [] };
}

function clientSlots({ listeners }: Config, page: StatsPage): readonly number[] {
  return listeners.map(({ name }) => page.slot(pageMetrics.connectionsActive, { listener: name }));
}

function accessLog({ log: { access, level } }: Config, log: Logger): Logger | null {
  return access && level !== 'silent' ? log : null;
}

function lookupIn(table: SlotTable): SlotLookup {
  return { slot: (metric, labels) => findSlot(table, metric, labels) };
}
