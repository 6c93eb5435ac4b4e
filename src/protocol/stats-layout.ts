/** The blocks of a configuration, in the layout of every worker's stats page. */
import { tunnelClusters } from '../config/schema/tunnel-clusters.ts';
import type { Cluster } from '../config/types/cluster.ts';
import type { Config } from '../config/types/config.ts';
import type { LimitSettings } from '../config/types/limits.ts';
import type { Listener } from '../config/types/listener.ts';
import type { Route } from '../config/types/route.ts';
import { formatAddress, namedAddress } from '../core/address.ts';
import { pageShapes } from '../telemetry/metrics/page-shapes.ts';
import { PageLayout, type BlockName } from '../telemetry/page-layout.ts';
import type { BlockChange } from '../telemetry/series-directory.ts';
import { routesOf } from './config-change.ts';

/** A configuration and the names of its workers. */
export interface LayoutInput {
  readonly config: Config;
  readonly workers: readonly string[];
}

/** Builds the layout. Equal configurations and worker names give equal layouts in every thread. */
export function layoutOf(config: Config, workers: readonly string[]): PageLayout {
  const layout = new PageLayout();
  for (const { shape, labels } of blocksOf({ config, workers })) layout.addBlock(shape, labels);
  return layout;
}

/** Lists the blocks of a configuration. A block appears once for each part that needs it. */
export function blocksOf({ config, workers }: LayoutInput): BlockName[] {
  const names = blocksBesideParts(workers, config.listeners);
  for (const cluster of config.clusters) names.push(...blocksOfCluster(cluster));
  for (const { name, routes } of config.listeners.map(routesOf)) {
    for (const route of routes) names.push(...blocksOfRoute(name, route));
  }
  return names;
}

/**
 * Lists the blocks that differ between two configurations. Clusters and routes that are the same objects cost
 * almost nothing.
 */
export function blockChange(before: LayoutInput, after: LayoutInput): BlockChange {
  const added = blocksBesideParts(after.workers, after.config.listeners);
  const removed = blocksBesideParts(before.workers, before.config.listeners);
  const clusters = differenceOf(before.config.clusters, after.config.clusters);
  added.push(...clusters.added.flatMap(blocksOfCluster));
  removed.push(...clusters.removed.flatMap(blocksOfCluster));
  const old = new Map(before.config.listeners.map((listener) => [listener.name, routesOf(listener).routes]));
  for (const { name, routes } of after.config.listeners.map(routesOf)) {
    const difference = differenceOf(old.get(name) ?? [], routes);
    old.delete(name);
    added.push(...difference.added.flatMap((route) => blocksOfRoute(name, route)));
    removed.push(...difference.removed.flatMap((route) => blocksOfRoute(name, route)));
  }
  for (const [name, routes] of old) removed.push(...routes.flatMap((route) => blocksOfRoute(name, route)));
  return { added, removed };
}

function differenceOf<T>(before: readonly T[], after: readonly T[]): { added: T[]; removed: T[] } {
  let start = 0;
  while (start < before.length && before[start] === after[start]) start++;
  let end = 0;
  const max = Math.min(before.length, after.length) - start;
  while (end < max && before.at(-1 - end) === after.at(-1 - end)) end++;
  const old = new Set(before.slice(start, before.length - end));
  const added = after.slice(start, after.length - end).filter((part) => !old.delete(part));
  return { added, removed: [...old] };
}

/** Lists the blocks of the process, its workers and its listeners. They are few in any configuration. */
function blocksBesideParts(workers: readonly string[], listeners: readonly Listener[]): BlockName[] {
  return [
    { shape: pageShapes.process, labels: {} },
    ...workers.map((worker) => ({ shape: pageShapes.worker, labels: { worker } })),
    ...listeners.flatMap(blocksOfListener),
  ];
}

function blocksOfListener(listener: Listener): BlockName[] {
  const labels = { listener: listener.name };
  const names: BlockName[] = [
    { shape: pageShapes.listener, labels },
    ...blocksOfLimits(labels, listener.limits),
  ];
  if (listener.mode === 'l7') {
    names.push({ shape: pageShapes.l7Listener, labels });
    // For requests that match no route.
    names.push({ shape: pageShapes.route, labels: { ...labels, route: 'none' } });
  }
  for (const cluster of tunnelClusters(listener)) {
    names.push({ shape: pageShapes.tunnels, labels: { ...labels, cluster } });
  }
  return names;
}

function blocksOfLimits(
  labels: { readonly listener: string },
  limits: readonly LimitSettings[],
): BlockName[] {
  return limits.map(({ name: limit }) => ({ shape: pageShapes.limit, labels: { ...labels, limit } }));
}

function blocksOfRoute(listener: string, { name: route, action, limits }: Route): BlockName[] {
  const names: BlockName[] = [
    ...blocksOfLimits({ listener }, limits),
    { shape: pageShapes.route, labels: { listener, route } },
  ];
  if (action.kind !== 'cluster') return names;
  const { cluster } = action;
  names.push({ shape: pageShapes.sessions, labels: { listener, route, cluster } });
  names.push({ shape: pageShapes.handshakes, labels: { listener, cluster } });
  return names;
}

function blocksOfCluster({ name: cluster, endpoints }: Cluster): BlockName[] {
  const names: BlockName[] = [{ shape: pageShapes.cluster, labels: { cluster } }];
  for (const { address } of endpoints) {
    if (namedAddress(address) !== null) continue;
    names.push({ shape: pageShapes.endpoint, labels: { cluster, endpoint: formatAddress(address) } });
  }
  return names;
}
