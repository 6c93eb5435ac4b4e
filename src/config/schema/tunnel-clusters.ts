/** Checks the clusters of tunnels. */
import type { ClusterNames } from '../syntax/context.ts';
import type { Problems } from '../syntax/problems.ts';
import type { Located } from '../syntax/section.ts';
import type { Cluster } from '../types/cluster.ts';
import type { Listener } from '../types/listener.ts';

/**
 * Adds an error for each raw listener whose tunnels lead to a cluster with TLS, which only the engine net
 * supports. Warns of `passthrough` to a cluster with TLS: the endpoint gets the client's TLS inside the
 * proxy's.
 */
export function checkTunnelClusters(
  listeners: readonly Located<Listener>[],
  clusters: readonly Cluster[],
  names: ClusterNames,
  problems: Problems,
): void {
  const withTls = new Set(clusters.flatMap(({ name, tls }) => (tls === null ? [] : [name])));
  for (const { path, value } of listeners) {
    const { engine, passthrough } = value;
    for (const [index, { cluster }] of passthrough.entries()) {
      if (!withTls.has(cluster)) continue;
      const unnamed = names.findUnnamed(cluster);
      problems.warning(
        unnamed === null ? [...path, 'passthrough', index, 'cluster'] : [...unnamed.path, 'tls'],
        `the cluster "${cluster}" has tls, so its endpoints get the client's TLS inside the proxy's: ` +
          'use a cluster without tls if they end TLS once',
      );
    }
    const cluster = tunnelClusters(value).find((name) => withTls.has(name));
    if (engine !== 'raw' || cluster === undefined) continue;
    problems.valueError(
      [...path, 'engine'],
      `"raw" does not support TLS to the endpoints of tunnels, and the cluster "${cluster}" has tls: write auto or net`,
    );
  }
}

/** Lists the distinct clusters that tunnels of a listener lead to. */
export function tunnelClusters(listener: Listener): readonly string[] {
  const clusters = new Set(listener.passthrough.map(({ cluster }) => cluster));
  if (listener.mode === 'l4' && listener.cluster !== null) clusters.add(listener.cluster);
  return [...clusters];
}
