import { isIP } from 'node:net';
import { headerOf, isToken, joinedHeaderOf, listMembers, type RequestHead } from './request-head.ts';

/** What the connection itself tells of the client. */
interface ClientConnection {
  /** The peer's IP address as text. */
  readonly address: string;
  /** The port of the listener. */
  readonly port: number;
  readonly secure: boolean;
}

/** What of {@link PREFIX} is set by us in any case. */
const SET: ReadonlySet<string> = new Set([
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
]);
const PREFIX = 'x-forwarded-';

/**
 * Whether a (lower-case) name is one that {@link forwardedHeaders} answers for: a client's own such headers are
 * dropped or carried on by it, and by nothing else.
 */
export function isForwardingName(name: string): boolean {
  return name.startsWith(PREFIX) || name === 'x-real-ip' || name === 'x-request-id' || name === 'forwarded';
}

/** Which headers tell the endpoint of the client: X-Forwarded-* and X-Real-IP, `Forwarded` of RFC 7239, both, neither. */
type ForwardedStyle = 'x' | 'rfc7239' | 'both' | 'off';

/** What an endpoint and the log are told of where a request came from. */
interface Forwarded {
  /** X-Real-IP: the nearest address that is not one of ours. */
  readonly clientAddress: string;
  readonly requestId: string;
  /** name, value, name, value ... as they go upstream. */
  readonly headers: readonly string[];
}

const REQUEST_ID = /^[\w.:/+=-]{1,128}$/;

/**
 * Makes X-Forwarded-For, -Proto, -Host, -Port, X-Real-IP and X-Request-Id. Those that the client sent are
 * believed, and added to, only where the peer is a trusted proxy, which may also send others of the kind
 * (X-Forwarded-Prefix) and `Forwarded` (RFC 7239); else they are replaced, and the others dropped.
 *
 * @param trusted says of an address whether it is a proxy of ours
 * @param newRequestId called where no trusted proxy has given the request an id
 * @param style which of them are made; the request id always is
 */
export function forwardedHeaders(
  head: RequestHead,
  connection: ClientConnection,
  trusted: (address: string) => boolean,
  newRequestId: () => string,
  style: ForwardedStyle = 'x',
): Forwarded {
  const believe = trusted(connection.address);
  /** What a trusted proxy says; empty where it says nothing. */
  const told = (name: string): string => (believe ? (headerOf(head, name) ?? '') : '');
  const chain = believe ? listMembers(joinedHeaderOf(head, 'x-forwarded-for')) : [];
  const offeredId = told('x-request-id');
  const requestId = REQUEST_ID.test(offeredId) ? offeredId : newRequestId();
  const clientAddress = nearestForeign(chain, connection.address, trusted);
  if (style === 'off') return { clientAddress, requestId, headers: ['X-Request-Id', requestId] };
  const headers: string[] = [];
  const host = told('x-forwarded-host') || (headerOf(head, 'host') ?? '');
  const proto = told('x-forwarded-proto') || (connection.secure ? 'https' : 'http');
  if (style !== 'rfc7239') {
    headers.push(
      'X-Forwarded-For',
      chain.length === 0 ? connection.address : [...chain, connection.address].join(', '),
      'X-Forwarded-Proto',
      proto,
      'X-Forwarded-Host',
      host,
      'X-Forwarded-Port',
      told('x-forwarded-port') || String(connection.port),
      'X-Real-IP',
      clientAddress,
    );
  }
  headers.push('X-Request-Id', requestId);
  if (believe) carryOn(head, headers);
  if (style !== 'x') headers.push('Forwarded', forwardedElement(connection.address, host, proto));
  return { clientAddress, requestId, headers };
}

/** One hop as RFC 7239 section 4 writes it; an IPv6 address stands in brackets and quotes (section 6). */
function forwardedElement(address: string, host: string, proto: string): string {
  const node = address === '' ? 'unknown' : address.includes(':') ? `"[${address}]"` : address;
  const quotedHost = isToken(host) ? host : `"${host.replace(/["\\]/g, '\\$&')}"`;
  const parts = [`for=${node}`];
  if (host !== '') parts.push(`host=${quotedHost}`);
  if (isToken(proto)) parts.push(`proto=${proto}`);
  return parts.join(';');
}

/** Adds what a trusted proxy says beyond what we say ourselves. */
function carryOn(head: RequestHead, headers: string[]): void {
  for (let index = 0; index < head.headers.length; index += 2) {
    const name = head.headers[index]!;
    if ((name.startsWith(PREFIX) && !SET.has(name) && !name.includes('_')) || name === 'forwarded') {
      headers.push(name, head.headers[index + 1]!);
    }
  }
}

/** Walks the chain from the near end over addresses of ours; what is behind the first stranger is hearsay. */
function nearestForeign(
  chain: readonly string[],
  peer: string,
  trusted: (address: string) => boolean,
): string {
  let nearest = peer;
  for (let index = chain.length - 1; index >= 0 && trusted(nearest); index--) {
    const next = chain[index]!;
    if (isIP(next) === 0) break;
    nearest = next;
  }
  return nearest;
}
