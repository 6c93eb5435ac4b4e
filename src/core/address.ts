import { SocketAddress, isIP, isIPv4, isIPv6 } from 'node:net';

/** A host (a name or an IP address, IPv6 without brackets) and a port. Port 0 asks the kernel for a free one. */
export interface TcpAddress {
  readonly kind: 'tcp';
  readonly host: string;
  readonly port: number;
}

/** A UNIX domain socket. */
interface UnixAddress {
  readonly kind: 'unix';
  readonly path: string;
}

export type Address = TcpAddress | UnixAddress;

/** Max bytes of the path of a UNIX socket: Linux's `sun_path` without the NUL behind it (unix(7)). */
export const MAX_SOCKET_PATH_BYTES = 107;

/** Returns an address that is a name, which stands for any number of endpoints; null for any other address. */
export function nameIn(address: Address): TcpAddress | null {
  return address.kind === 'tcp' && isIP(address.host) === 0 ? address : null;
}

/** Tells whether a host stands for all interfaces of the machine. */
export function isAnyHost(host: string): boolean {
  return host === '::' || host === '0.0.0.0';
}

/** Tells whether a host is this machine itself: `localhost`, or a loopback address, IPv6 with or without brackets. */
export function isLoopbackHost(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (isIPv4(address)) return address.startsWith('127.');
  return address === 'localhost' || (isIPv6(address) && /^[0:]*:0*1$/.test(address));
}

/** Tells whether two sockets cannot listen on both addresses. Port 0 is new each time. `::` takes IPv4, too. */
export function overlap(a: TcpAddress, b: TcpAddress): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  const [hostA, hostB] = [canonical(a.host), canonical(b.host)];
  return hostA === hostB || includes(hostA, hostB) || includes(hostB, hostA);
}

function includes(wildcard: string, host: string): boolean {
  return wildcard === '::' || (wildcard === '0.0.0.0' && isIP(host) !== 6);
}

/** Writes a host in the one way that equal hosts share. The zone of an IPv6 address, such as `%eth0`, stays. */
function canonical(host: string): string {
  if (isIP(host) !== 6) return host.toLowerCase();
  const { address } = new SocketAddress({ address: host, family: 'ipv6' });
  const zone = host.indexOf('%');
  return zone < 0 ? address : address + host.slice(zone);
}

const HOST_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62}))*\.?$/;

/**
 * Reads `host:port`, `[ipv6]:port`, or `:port` for all interfaces (IPv6 and IPv4).
 *
 * @returns undefined if the text is not an address, or the port is above 65535
 */
export function parseTcpAddress(text: string): TcpAddress | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const port = Number(match[3]);
  if (port > 65535) return undefined;
  const [, bracketed, plain] = match;
  if (bracketed !== undefined) return isIPv6(bracketed) ? { kind: 'tcp', host: bracketed, port } : undefined;
  const host = plain === undefined || plain === '' ? '::' : plain;
  if (isIPv4(host) || host === '::') return { kind: 'tcp', host, port };
  // Digits and dots that are not an IPv4 address are a mistake, not a name.
  if (/^[\d.]+$/.test(host) || !HOST_NAME.test(host)) return undefined;
  return { kind: 'tcp', host, port };
}

/** Reads an address like {@link parseTcpAddress}, or `unix:/path`. */
export function parseAddress(text: string): Address | undefined {
  if (!text.startsWith('unix:')) return parseTcpAddress(text);
  const path = text.slice('unix:'.length);
  return path === '' ? undefined : { kind: 'unix', path };
}

/** Writes an address so that {@link parseAddress} reads it back. */
export function formatAddress(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return isIP(address.host) === 6 ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
