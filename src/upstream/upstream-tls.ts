import { createSecureContext, type SecureContext } from 'node:tls';
import { isIP } from 'node:net';
import type { ClusterTls } from '../config/types/cluster.ts';
import type { Address } from '../core/address.ts';

/** TLS settings of a cluster, made ready once for all its connections, and the sessions that can be resumed. */
export interface UpstreamTls {
  readonly context: SecureContext;
  readonly verify: boolean;
  /** The name to ask for and to verify; empty for none (an endpoint without a name, unverified). */
  serverName(address: Address): string;
  /** The last session ticket that an endpoint gave, by its label: resuming spares it a full handshake. */
  readonly sessions: Map<string, Buffer>;
}

/** Throws where the PEM texts cannot be used. */
export function upstreamTls(config: ClusterTls): UpstreamTls {
  const context = createSecureContext({
    ...(config.ca === null ? {} : { ca: config.ca }),
    ...(config.cert === null ? {} : { cert: config.cert }),
    ...(config.key === null ? {} : { key: config.key }),
    minVersion: 'TLSv1.2',
  });
  return {
    context,
    verify: config.verify,
    serverName: (address) => config.serverName ?? (address.kind === 'tcp' ? address.host : ''),
    sessions: new Map(),
  };
}

/** The name as SNI carries it: RFC 6066 section 3 has no IP addresses there. */
export function sniOf(serverName: string): string {
  return isIP(serverName) === 0 ? serverName : '';
}
