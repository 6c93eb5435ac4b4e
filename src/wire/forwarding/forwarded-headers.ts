import type { ClientConnection, ClientIdentity } from './client-identity.ts';
import { headerOf, isToken, joinedHeaderOf, listMembers, type RequestHead } from '../request-head.ts';

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

/**
 * Makes X-Forwarded-For, -Proto, -Host, -Port, X-Real-IP and X-Request-Id. If the peer is a trusted proxy, its own are
 * believed and added to, and others of the kind (X-Forwarded-Prefix) and `Forwarded` (RFC 7239) go on. Otherwise all
 * of them are replaced or dropped.
 *
 * @param style which of them are made; the request id always is
 * @returns name, value, name, value ... as they go upstream
 */
export function forwardedHeaders(
  head: RequestHead,
  client: ClientIdentity,
  connection: ClientConnection,
  style: ForwardedStyle = 'x',
): readonly string[] {
  const { believed, requestId, proto } = client;
  if (style === 'off') return ['X-Request-Id', requestId];
  /** What a trusted proxy says; empty where it says nothing. */
  const told = (name: string): string => (believed ? (headerOf(head, name) ?? '') : '');
  const chain = believed ? listMembers(joinedHeaderOf(head, 'x-forwarded-for')) : [];
  const headers: string[] = [];
  const host = told('x-forwarded-host') || (headerOf(head, 'host') ?? '');
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
      client.address,
    );
  }
  headers.push('X-Request-Id', requestId);
  if (believed) carryOn(head, headers);
  if (style !== 'x') headers.push('Forwarded', forwardedElement(connection.address, host, proto));
  return headers;
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
