/** Addresses of listeners as a client writes them. */
import type { L7Listener } from '../config/types/listener.ts';
import { formatAddress, isAnyHost, type TcpAddress } from '../core/address.ts';

/**
 * Returns the host and port that a client can use. A wildcard address becomes localhost.
 *
 * @param host the host name of requests. Null, or a name with a star, for the address itself
 */
export function clientAddress(address: TcpAddress, host: string | null): string {
  if (host !== null && !host.startsWith('*')) return `${host}:${address.port}`;
  return formatAddress(isAnyHost(address.host) ? { ...address, host: 'localhost' } : address);
}

/** Returns the URL of a listener. If every route needs a host, its host is the first of them without a star. */
export function clientUrl({ tls, address, routes }: L7Listener): string {
  const hosts = routes.flatMap(({ match }) => match.hosts);
  const isForAll = routes.some(({ match }) => match.hosts.length === 0);
  const host = isForAll ? undefined : hosts.find((name) => !name.startsWith('*'));
  return `http${tls === null ? '' : 's'}://${clientAddress(address, host ?? null)}/`;
}
