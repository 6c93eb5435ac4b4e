/**
 * Writes PROXY headers (HAProxy's `proxy-protocol.txt`, versions 1 and 2). Like HAProxy, maps an IPv4 address
 * into IPv6 if the other address is IPv6.
 */
import { bytesOfIp, formatIp } from '../ip-address.ts';
import { MAX_SERVER_NAME_BYTES } from '../server-name.ts';
import { AUTHORITY, PROXY_SIGNATURES, type AddressAndPort } from './proxy-header.ts';

/** The ends of a client's connection, as an endpoint sees them. */
export interface ConnectionEnds {
  /** The client's address. */
  readonly source: AddressAndPort;
  /** The address that the client connected to. */
  readonly destination: AddressAndPort;
  /** Server name that the client requested; null if unknown. Version 1 cannot carry it. */
  readonly serverName: string | null;
}

const VERSION_2_LOCAL = 0x20;
const VERSION_2_PROXY = 0x21;
const FAMILY_UNSPEC = 0x00;
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;
/** Prefix of IPv4-mapped IPv6 addresses (RFC 4291 section 2.5.5.2). */
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
const UNKNOWN_IPV4 = Uint8Array.of(0, 0, 0, 0);

/**
 * Writes the header that precedes all bytes of a connection to an endpoint. An unreadable address becomes
 * 0.0.0.0: with `UNKNOWN` or `LOCAL`, the endpoint would take the connection for sluice's own.
 *
 * @param ends null for sluice's own connections, such as probes: `UNKNOWN` in version 1, `LOCAL` in version 2
 */
export function writeProxyHeader(version: 'v1' | 'v2', ends: ConnectionEnds | null): Buffer {
  return version === 'v1' ? writeVersion1(ends) : writeVersion2(ends);
}

function writeVersion1(ends: ConnectionEnds | null): Buffer {
  if (ends === null) return Buffer.from('PROXY UNKNOWN\r\n', 'latin1');
  const { source, destination } = ends;
  const [from, to] = addressPair(ends);
  const family = from.length === 4 ? 'TCP4' : 'TCP6';
  const line = `PROXY ${family} ${textOf(from)} ${textOf(to)} ${source.port} ${destination.port}\r\n`;
  return Buffer.from(line, 'latin1');
}

function writeVersion2(ends: ConnectionEnds | null): Buffer {
  if (ends === null) return Buffer.from([...PROXY_SIGNATURES.v2, VERSION_2_LOCAL, FAMILY_UNSPEC, 0, 0]);
  const [from, to] = addressPair(ends);
  const name = Buffer.from(ends.serverName ?? '', 'utf8');
  // A longer name is not a DNS name.
  const isNamed = name.length > 0 && name.length <= MAX_SERVER_NAME_BYTES;
  const addressBytes = from.length + to.length + 4;
  const length = addressBytes + (isNamed ? 3 + name.length : 0);
  const signature = PROXY_SIGNATURES.v2;
  const header = Buffer.allocUnsafe(signature.length + 4 + length);
  header.set(signature);
  let at = header.writeUInt8(VERSION_2_PROXY, signature.length);
  at = header.writeUInt8(from.length === 4 ? TCP_OVER_IPV4 : TCP_OVER_IPV6, at);
  at = header.writeUInt16BE(length, at);
  header.set(from, at);
  header.set(to, at + from.length);
  at = header.writeUInt16BE(ends.source.port, at + from.length + to.length);
  at = header.writeUInt16BE(ends.destination.port, at);
  if (isNamed) {
    at = header.writeUInt8(AUTHORITY, at);
    at = header.writeUInt16BE(name.length, at);
    header.set(name, at);
  }
  return header;
}

/** Returns both addresses in one family: 4 bytes each, or 16 each. */
function addressPair({ source, destination }: ConnectionEnds): readonly [Uint8Array, Uint8Array] {
  const from = bytesOfIp(source.address) ?? UNKNOWN_IPV4;
  const to = bytesOfIp(destination.address) ?? UNKNOWN_IPV4;
  return from.length === to.length ? [from, to] : [mapped(from), mapped(to)];
}

function mapped(address: Uint8Array): Uint8Array {
  return address.length === 4 ? Uint8Array.of(...MAPPED, ...address) : address;
}

/** Formats an address. Unlike in logs, IPv4 mapped into IPv6 keeps its prefix: the line says `TCP6`. */
function textOf(address: Uint8Array): string {
  const text = formatIp(address);
  return address.length === 16 && !text.includes(':') ? `::ffff:${text}` : text;
}
