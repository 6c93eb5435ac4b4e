/** Warns of listeners that lead to themselves. */
import { formatAddress, isSameListener } from '../../core/address.ts';
import type { ClusterNames } from '../syntax/context.ts';
import type { Problems } from '../syntax/problems.ts';
import type { Located } from '../syntax/section.ts';
import type { Cluster } from '../types/cluster.ts';
import type { Listener } from '../types/listener.ts';
import { tunnelClusters } from './tunnel-clusters.ts';

/**
 * Warns of each listener that leads to a cluster with the listener's own address: its connections and requests
 * never arrive. A way through several listeners is no loop, because one may end TLS for another.
 */
export function warnOfLoops(
  listeners: readonly Located<Listener>[],
  clusters: readonly Cluster[],
  names: ClusterNames,
  problems: Problems,
): void {
  const byName = new Map(clusters.map((cluster) => [cluster.name, cluster]));
  for (const { path, value: listener } of listeners) {
    for (const name of clustersOf(listener)) {
      const endpoint = byName
        .get(name)
        ?.endpoints.find(
          ({ address }) => address.kind === 'tcp' && isSameListener(listener.address, address),
        );
      if (endpoint === undefined) continue;
      problems.warning(
        names.findUnnamed(name)?.path ?? [...path, 'address'],
        `the cluster "${name}" has the endpoint ${formatAddress(endpoint.address)}, which is the listener ` +
          `"${listener.name}" itself, so nothing arrives: write the address of the application`,
      );
    }
  }
}

/** Lists the distinct clusters that a listener leads to. */
function clustersOf(listener: Listener): ReadonlySet<string> {
  const routes = listener.mode === 'l7' ? listener.routes : [];
  return new Set([
    ...tunnelClusters(listener),
    ...routes.flatMap(({ action }) => (action.kind === 'cluster' ? [action.cluster] : [])),
  ]);
}
