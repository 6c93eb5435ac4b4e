import { isDeepStrictEqual } from 'node:util';
import type { Cluster as ClusterConfig } from '../../config/types/cluster.ts';
import { upstreamTls, type UpstreamTls } from '../../upstream/upstream-tls.ts';
import { writeProxyHeader } from '../../wire/proxy-protocol/proxy-header-writer.ts';

/** How the connections of a cluster's probes start. */
export interface ProbeOpening {
  readonly tls: UpstreamTls | null;
  /** PROXY header for connections of the proxy itself; null for none. */
  readonly preface: Buffer | null;
}

/** Returns how the connections of a cluster's probes start. */
export function openingOf({ tls, proxyProtocol }: ClusterConfig): ProbeOpening {
  return {
    tls: tls === null ? null : upstreamTls(tls),
    preface: proxyProtocol === 'off' ? null : writeProxyHeader(proxyProtocol, null),
  };
}

/** Whether the settings that affect the results of probes are equal. */
export function isProbedAlike(one: ClusterConfig, other: ClusterConfig): boolean {
  return isDeepStrictEqual(probingOf(one), probingOf(other));
}

function probingOf({ healthCheck, tls, proxyProtocol }: ClusterConfig): unknown {
  return { healthCheck, tls, proxyProtocol };
}
