import { createConnection, type OnReadOpts, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls } from 'node:tls';
import type { Address } from '../core/address.ts';
import { codeOf } from '../core/errors.ts';
import type { ConnectFailure } from './endpoint.ts';
import { sniOf, type UpstreamTls } from './upstream-tls.ts';

/** How to open a connection to an endpoint. */
interface DialOptions {
  readonly tls: UpstreamTls | null;
  /** The endpoint's label: TLS sessions are resumed by it. */
  readonly label: string;
  /** Keep writing after the peer's FIN. */
  readonly allowHalfOpen: boolean;
  /** Reads go into one buffer of the caller's, by callback, instead of into `data` events. */
  readonly onread?: OnReadOpts;
}

/** Idle time after which TCP keep-alive probes begin. */
const KEEP_ALIVE_MS = 60_000;

/**
 * Begins to connect. The socket emits `connect` (plain) or `secureConnect` (TLS), or `error`; the caller must
 * listen to `error` in the same tick and has its own deadline.
 */
export function dial(address: Address, options: DialOptions): Socket {
  const target = address.kind === 'tcp' ? { host: address.host, port: address.port } : { path: address.path };
  const common = {
    ...target,
    allowHalfOpen: options.allowHalfOpen,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
    ...(options.onread === undefined ? {} : { onread: options.onread }),
  };
  if (options.tls === null) return createConnection(common);
  const { tls, label } = options;
  const name = tls.serverName(address);
  const session = tls.sessions.get(label);
  const socket = connectTls({
    ...common,
    secureContext: tls.context,
    rejectUnauthorized: tls.verify,
    servername: sniOf(name),
    // Node checks `servername`, which is empty for an IP address.
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
    ...(session === undefined ? {} : { session }),
  });
  socket.on('session', (ticket: Buffer) => tls.sessions.set(label, ticket));
  return socket;
}

/** OpenSSL's names for what it finds wrong with a certificate, and Node's own. */
const TLS_FAILURE =
  /^(?:ERR_TLS|ERR_SSL|ERR_OSSL|EPROTO$|CERT_|CRL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERROR_IN_CERT|INVALID_|PATH_LENGTH|HOSTNAME_MISMATCH)/;

/** The metric's reason for an error of a socket that was being connected. */
export function connectFailureOf(error: Error): ConnectFailure {
  const code = codeOf(error);
  switch (code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return 'refused';
    case 'ETIMEDOUT':
      return 'timeout';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'reset';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
    case 'ENETDOWN':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'unreachable';
    default:
      return TLS_FAILURE.test(code) ? 'tls' : 'other';
  }
}
