import { isIP } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { ClusterTls } from '../config/types/cluster.ts';
import type { Address } from '../core/address.ts';

/** TLS context of a cluster, shared by its connections, with its resumable sessions. */
export interface UpstreamTls {
  readonly context: SecureContext;
  readonly verify: boolean;
  /** Returns the name for SNI and verification. Empty for none: an unverified endpoint without a name. */
  serverName(address: Address): string;
  /** Last session ticket of each endpoint, keyed by label. Resumption saves a full handshake. */
  readonly sessions: Map<string, TlsSession>;
}

/** A resumable session. */
interface TlsSession {
  /** The verified name. Node does not verify the name when it resumes a session. */
  readonly name: string;
  readonly ticket: Buffer;
}

/** Creates the TLS context of a cluster. Throws if the PEM data is invalid. */
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

/** Returns the name for SNI. Empty for an IP address, which SNI cannot carry (RFC 6066 section 3). */
export function sniOf(serverName: string): string {
  return isIP(serverName) === 0 ? serverName : '';
}
