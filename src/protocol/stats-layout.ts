/** The blocks of a configuration: the layout of every worker's stats page. */
import { tunnelClusters } from '../config/schema/tunnel-clusters.ts';
import type { Cluster } from '../config/types/cluster.ts';
import type { Config } from '../config/types/config.ts';
import type { LimitSettings } from '../config/types/limits.ts';
import type { L7Listener, Listener } from '../config/types/listener.ts';
import { formatAddress, nameIn } from '../core/address.ts';
import { pageShapes } from '../telemetry/metrics/page-shapes.ts';
import { PageLayout } from '../telemetry/page-layout.ts';

/** Builds the layout. The same configuration and worker names give the same layout in every thread. */
export function layoutOf(config: Config, workers: readonly string[]): PageLayout {
  const layout = new PageLayout();
  layout.addBlock(pageShapes.process, {});
  for (const worker of workers) layout.addBlock(pageShapes.worker, { worker });
  for (const cluster of config.clusters) addCluster(layout, cluster);
  for (const listener of config.listeners) {
    const labels = { listener: listener.name };
    layout.addBlock(pageShapes.listener, labels);
    for (const { name: limit } of limitsOf(listener)) layout.addBlock(pageShapes.limit, { ...labels, limit });
    if (listener.mode === 'l7') addL7Listener(layout, listener);
    for (const cluster of tunnelClusters(listener))
      layout.addBlock(pageShapes.tunnels, { ...labels, cluster });
  }
  return layout;
}

/** Returns the limits of a listener and of its routes. */
function limitsOf(listener: Listener): readonly LimitSettings[] {
  if (listener.mode === 'l4') return listener.limits;
  return [...listener.limits, ...listener.routes.flatMap(({ limits }) => limits)];
}

function addCluster(layout: PageLayout, { name: cluster, endpoints }: Cluster): void {
  layout.addBlock(pageShapes.cluster, { cluster });
  for (const { address } of endpoints) {
    if (nameIn(address) !== null) continue;
    layout.addBlock(pageShapes.endpoint, { cluster, endpoint: formatAddress(address) });
  }
}

function addL7Listener(layout: PageLayout, { name: listener, routes }: L7Listener): void {
  layout.addBlock(pageShapes.l7Listener, { listener });
  for (const { name: route, action } of routes) {
    layout.addBlock(pageShapes.route, { listener, route });
    if (action.kind !== 'cluster') continue;
    const { cluster } = action;
    layout.addBlock(pageShapes.sessions, { listener, route, cluster });
    layout.addBlock(pageShapes.handshakes, { listener, cluster });
  }
  // For requests that no route takes.
  layout.addBlock(pageShapes.route, { listener, route: 'none' });
}
