import { isIP } from 'node:net';
import { UsageError } from '../../src/core/errors.ts';

/** The server under load. */
export interface Target {
  readonly protocol: 'ws' | 'wss' | 'tcp' | 'tls';
  /** Name or address. IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Path and query; `/` for a raw connection. */
  readonly path: string;
}

const DEFAULT_PORTS = { ws: 80, wss: 443, tcp: null, tls: null } as const;

/**
 * Parses the URL of a target.
 *
 * @throws UsageError with a one-line message that shows a valid form
 */
export function parseTarget(text: string): Target {
  const match = /^(wss?|tcp|tls):\/\//i.exec(text);
  if (match === null) {
    throw new UsageError(`${text}: write a URL that begins with ws://, wss://, tcp:// or tls://`);
  }
  if (!URL.canParse(text)) throw new UsageError(`${text}: not a URL`);
  const url = new URL(text);
  const protocol = match[1]!.toLowerCase() as Target['protocol'];
  if (url.username !== '' || url.password !== '') {
    throw new UsageError('a user in the URL is not sent: write -H "Authorization: Basic ..."');
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (host === '') throw new UsageError(`${text}: the URL has no host`);
  const port = url.port === '' ? DEFAULT_PORTS[protocol] : Number(url.port);
  if (port === null || port === 0)
    throw new UsageError(`${text}: write the port, as in ${protocol}://${host}:7000`);
  const raw = !isWebSocket(protocol);
  if (raw && (!['', '/'].includes(url.pathname) || url.search !== '')) {
    throw new UsageError(`${text}: a ${protocol} connection has no path`);
  }
  return {
    protocol,
    host,
    port,
    path: raw ? '/' : `${url.pathname === '' ? '/' : url.pathname}${url.search}`,
  };
}

/** Returns whether the protocol carries WebSocket frames. */
export function isWebSocket(protocol: Target['protocol']): boolean {
  return protocol === 'ws' || protocol === 'wss';
}

/** Returns whether the protocol begins with TLS. */
export function isEncrypted(protocol: Target['protocol']): boolean {
  return protocol === 'wss' || protocol === 'tls';
}

/** Returns the Host header, with the port unless it is the protocol's default. */
export function hostHeader(target: Target): string {
  const host = isIP(target.host) === 6 ? `[${target.host}]` : target.host;
  return target.port === DEFAULT_PORTS[target.protocol] ? host : `${host}:${target.port}`;
}

/** Formats a target as a URL in normal form. */
export function formatTarget(target: Target): string {
  const path = isWebSocket(target.protocol) ? target.path : '';
  return `${target.protocol}://${hostHeader(target)}${path}`;
}
