import { isIP } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { ClusterTls } from '../config/types/cluster.ts';
import type { Address } from '../core/address.ts';

/** The TLS context of a cluster, shared by its connections, and the sessions that can be resumed. */
export interface UpstreamTls {
  readonly context: SecureContext;
  readonly verify: boolean;
  /** The name to ask for and to verify; empty for none (an endpoint without a name, unverified). */
  serverName(address: Address): string;
  /** The last session ticket of each endpoint, by its label: a resumed session saves a full handshake. */
  readonly sessions: Map<string, TlsSession>;
}

/** A session that can be resumed. */
interface TlsSession {
  /** The name that was verified. Node does not verify the name of a resumed session. */
  readonly name: string;
  readonly ticket: Buffer;
}

/** Makes the TLS context of a cluster. Throws if the PEM texts cannot be used. */
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

/** Returns the name for SNI; empty for an IP address, which SNI cannot carry (RFC 6066 section 3). */
export function sniOf(serverName: string): string {
  return isIP(serverName) === 0 ? serverName : '';
}
