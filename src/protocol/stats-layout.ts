/** The time series of a configuration: the layout of every worker's stats page. */
import { tunnelClusters } from '../config/schema/tunnel-clusters.ts';
import type { Cluster } from '../config/types/cluster.ts';
import type { Config } from '../config/types/config.ts';
import type { LimitSettings } from '../config/types/limits.ts';
import type { L7Listener, Listener } from '../config/types/listener.ts';
import { formatAddress } from '../core/address.ts';
import {
  ACCEPT_FAILURES,
  ACCESS_REFUSALS,
  BOUND_CLOSES,
  CLOSE_CODES,
  CLOSE_SIDES,
  CLUSTER_LIMITS,
  DIRECTIONS,
  GATE_REFUSALS,
  HANDSHAKE_FAILURES,
  LIMIT_KINDS,
  REJECT_REASONS,
  REQUEST_REFUSALS,
  RESPONSE_CUTS,
  SHED_REASONS,
  STATUS_CLASSES,
  TUNNEL_CLOSES,
  UNUSED_REASONS,
} from '../telemetry/metrics/label-values.ts';
import { pageMetrics, threadMetrics } from '../telemetry/metrics/page-metrics.ts';
import { PageLayout } from '../telemetry/page-layout.ts';
import { endpointSeries, nameOf } from './series.ts';

/** Builds the layout. The same configuration and worker names give the same layout in every thread. */
export function layoutOf(config: Config, workers: readonly string[]): PageLayout {
  const layout = new PageLayout();
  for (const worker of workers) {
    for (const metric of Object.values(threadMetrics)) layout.add(metric, { worker });
  }
  for (const direction of DIRECTIONS) {
    layout.add(pageMetrics.bufferedBytes, { direction });
    layout.add(pageMetrics.paused, { direction });
    layout.add(pageMetrics.bufferOverflows, { direction });
  }
  layout.add(pageMetrics.unfinishedBytes, {});
  layout.add(pageMetrics.boundActive, {});
  for (const reason of BOUND_CLOSES) layout.add(pageMetrics.boundCloses, { reason });
  layout.add(pageMetrics.connectionsEnding, {});
  for (const reason of SHED_REASONS) layout.add(pageMetrics.sessionsShed, { reason });
  for (const cluster of config.clusters) addCluster(layout, cluster);
  for (const listener of config.listeners) {
    const labels = { listener: listener.name };
    layout.add(pageMetrics.connectionsActive, labels);
    layout.add(pageMetrics.connections, labels);
    for (const reason of REJECT_REASONS) layout.add(pageMetrics.connectionsRejected, { ...labels, reason });
    for (const reason of ACCEPT_FAILURES) layout.add(pageMetrics.acceptFailures, { ...labels, reason });
    for (const { name } of limitsOf(listener)) addLimit(layout, listener.name, name);
    if (listener.mode === 'l7') addL7Listener(layout, listener);
    for (const cluster of tunnelClusters(listener)) addTunnels(layout, { ...labels, cluster });
  }
  return layout;
}

function addTunnels(
  layout: PageLayout,
  labels: { readonly listener: string; readonly cluster: string },
): void {
  layout.add(pageMetrics.tunnelsActive, labels);
  layout.add(pageMetrics.tunnels, labels);
  for (const reason of TUNNEL_CLOSES) layout.add(pageMetrics.tunnelCloses, { ...labels, reason });
  for (const direction of DIRECTIONS) layout.add(pageMetrics.tunnelBytes, { ...labels, direction });
}

/** Returns the limits of a listener and of its routes. */
function limitsOf(listener: Listener): readonly LimitSettings[] {
  if (listener.mode === 'l4') return listener.limits;
  return [...listener.limits, ...listener.routes.flatMap(({ limits }) => limits)];
}

function addLimit(layout: PageLayout, listener: string, limit: string): void {
  for (const kind of LIMIT_KINDS) layout.add(pageMetrics.limitRefusals, { listener, limit, kind });
  layout.add(pageMetrics.limitOverflows, { listener, limit });
}

function addCluster(layout: PageLayout, { name: cluster, endpoints }: Cluster): void {
  for (const direction of DIRECTIONS) {
    layout.add(pageMetrics.messages, { cluster, direction });
    layout.add(pageMetrics.bytes, { cluster, direction });
  }
  for (const side of CLOSE_SIDES) {
    for (const code of CLOSE_CODES) layout.add(pageMetrics.closes, { cluster, side, code });
  }
  layout.add(pageMetrics.endpointConnectDuration, { cluster });
  layout.add(pageMetrics.clusterRetries, { cluster });
  layout.add(pageMetrics.clusterConnectionsActive, { cluster });
  for (const reason of CLUSTER_LIMITS) layout.add(pageMetrics.clusterRejections, { cluster, reason });
  for (const endpoint of endpoints) {
    if (nameOf(endpoint) !== null) continue;
    for (const { metric, labels } of endpointSeries(cluster, formatAddress(endpoint.address))) {
      layout.add(metric, labels);
    }
  }
}

function addL7Listener(layout: PageLayout, listener: L7Listener): void {
  for (const reason of UNUSED_REASONS) {
    layout.add(pageMetrics.connectionsUnused, { listener: listener.name, reason });
  }
  for (const reason of HANDSHAKE_FAILURES) {
    layout.add(pageMetrics.handshakeFailures, { listener: listener.name, reason });
  }
  for (const reason of REQUEST_REFUSALS) {
    layout.add(pageMetrics.httpRefusals, { listener: listener.name, reason });
  }
  for (const reason of ACCESS_REFUSALS) {
    layout.add(pageMetrics.accessRefusals, { listener: listener.name, reason });
  }
  for (const reason of RESPONSE_CUTS) {
    layout.add(pageMetrics.httpCuts, { listener: listener.name, reason });
  }
  for (const route of listener.routes) {
    const labels = { listener: listener.name, route: route.name };
    for (const code of STATUS_CLASSES) layout.add(pageMetrics.httpRequests, { ...labels, code });
    layout.add(pageMetrics.httpDuration, labels);
    layout.add(pageMetrics.httpRequestsActive, labels);
    if (route.action.kind !== 'cluster') continue;
    const { cluster } = route.action;
    layout.add(pageMetrics.sessionsActive, { ...labels, cluster });
    layout.add(pageMetrics.sessions, { ...labels, cluster });
    const both = { listener: listener.name, cluster };
    layout.add(pageMetrics.handshakesPending, both);
    layout.add(pageMetrics.handshakesQueued, both);
    for (const reason of GATE_REFUSALS) layout.add(pageMetrics.handshakesTurnedAway, { ...both, reason });
    layout.add(pageMetrics.handshakeDuration, both);
    layout.add(pageMetrics.sessionDuration, both);
  }
  // For requests that no route takes.
  for (const code of STATUS_CLASSES) {
    layout.add(pageMetrics.httpRequests, { listener: listener.name, route: 'none', code });
  }
  layout.add(pageMetrics.httpDuration, { listener: listener.name, route: 'none' });
  layout.add(pageMetrics.httpRequestsActive, { listener: listener.name, route: 'none' });
}
