import { SocketAddress, isIP, isIPv4, isIPv6 } from 'node:net';

/**
 * A host (a name or an IP address, IPv6 without brackets) and a port. Port 0 asks the kernel for a free one.
 */
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

/** Max bytes of a UNIX socket's path: Linux's `sun_path` without its final NUL (unix(7)). */
export const MAX_SOCKET_PATH_BYTES = 107;

/** Returns an address if its host is a name, which may resolve to many endpoints; otherwise null. */
export function namedAddress(address: Address): TcpAddress | null {
  return address.kind === 'tcp' && isIP(address.host) === 0 ? address : null;
}

/** Reports whether a host stands for all interfaces of the machine. */
export function isAnyHost(host: string): boolean {
  return host === '::' || host === '0.0.0.0';
}

/** Reports whether a host is this machine: `localhost` or a loopback address, with or without brackets. */
export function isLoopbackHost(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (isIPv4(address)) return address.startsWith('127.');
  return address === 'localhost' || (isIPv6(address) && /^[0:]*:0*1$/.test(address));
}

/** Reports whether two addresses cannot both be listened on. Port 0 is always free. `::` includes IPv4. */
export function overlap(a: TcpAddress, b: TcpAddress): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  const [hostA, hostB] = [canonical(a.host), canonical(b.host)];
  return hostA === hostB || includes(hostA, hostB) || includes(hostB, hostA);
}

/**
 * Reports whether a connection of this machine to an address reaches a listening address. False for other names
 * and addresses of the machine, which are not known here.
 */
export function isSameListener(listening: TcpAddress, dialled: TcpAddress): boolean {
  if (listening.port !== dialled.port || listening.port === 0) return false;
  const [host, target] = [canonical(listening.host), canonical(dialled.host)];
  if (host === target) return true;
  if (!isLoopbackHost(target)) return false;
  return includes(host, target) || (target === 'localhost' && ['127.0.0.1', '::1'].includes(host));
}

function includes(wildcard: string, host: string): boolean {
  return wildcard === '::' || (wildcard === '0.0.0.0' && isIP(host) !== 6);
}

/** Returns a canonical form of a host. Keeps an IPv6 zone, such as `%eth0`. */
function canonical(host: string): string {
  if (isIP(host) !== 6) return host.toLowerCase();
  const { address } = new SocketAddress({ address: host, family: 'ipv6' });
  const zone = host.indexOf('%');
  return zone < 0 ? address : address + host.slice(zone);
}

const HOST_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62}))*\.?$/;

/**
 * Parses `host:port`, `[ipv6]:port`, or `:port` for all interfaces (IPv6 and IPv4).
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

/** Parses an address like {@link parseTcpAddress}, or `unix:/path`. */
export function parseAddress(text: string): Address | undefined {
  if (!text.startsWith('unix:')) return parseTcpAddress(text);
  const path = text.slice('unix:'.length);
  return path === '' ? undefined : { kind: 'unix', path };
}

/** Formats an address so that {@link parseAddress} can parse it. */
export function formatAddress(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return isIP(address.host) === 6 ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
