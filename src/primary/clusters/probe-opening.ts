import { isDeepStrictEqual } from 'node:util';
import type { Cluster as ClusterConfig } from '../../config/types/cluster.ts';
import { upstreamTls, type UpstreamTls } from '../../upstream/upstream-tls.ts';
import { writeProxyHeader } from '../../wire/proxy-protocol/proxy-header-writer.ts';

/** How the connections of a cluster's probes begin. */
export interface ProbeOpening {
  readonly tls: UpstreamTls | null;
  /** The PROXY header of a connection of the proxy's own; null for none. */
  readonly preface: Buffer | null;
}

/** Returns how the connections of a cluster's probes begin. */
export function openingOf({ tls, proxyProtocol }: ClusterConfig): ProbeOpening {
  return {
    tls: tls === null ? null : upstreamTls(tls),
    preface: proxyProtocol === 'off' ? null : writeProxyHeader(proxyProtocol, null),
  };
}

/** Tells whether the settings that change what probes find are the same. */
export function isProbedAlike(one: ClusterConfig, other: ClusterConfig): boolean {
  return isDeepStrictEqual(probingOf(one), probingOf(other));
}

function probingOf({ healthCheck, tls, proxyProtocol }: ClusterConfig): unknown {
  return { healthCheck, tls, proxyProtocol };
}
