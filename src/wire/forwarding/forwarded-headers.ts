import { portOf } from '../http/host-header.ts';
import { headerOf, isToken, joinedHeaderOf, type RequestHead } from '../http/request-head.ts';
import type { ClientConnection, ClientIdentity, ForwardedProto, ProxyReport } from './client-identity.ts';
import { nearestMembers } from './hops.ts';
import { addressOfNode } from './node-name.ts';

/** Headers with {@link PREFIX} that the proxy sets itself. */
const SET: ReadonlySet<string> = new Set([
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-prefix',
]);
const PREFIX = 'x-forwarded-';

/**
 * Whether {@link forwardedHeaders} alone decides what becomes of a client's header of this (lower-case) name.
 */
export function isForwardingName(name: string): boolean {
  return name.startsWith(PREFIX) || name === 'x-real-ip' || name === 'x-request-id' || name === 'forwarded';
}

/**
 * Returns what the proxy adds to Via: the version in which it received the message, and its own name (RFC 9110 section
 * 7.6.3).
 */
export function viaElement(isHttp10 = false): string {
  return isHttp10 ? '1.0 sluice' : '1.1 sluice';
}

/** Which headers tell endpoints about the client: X-Forwarded-* and X-Real-IP, `Forwarded` of RFC 7239, both, neither. */
type ForwardedStyle = 'x' | 'rfc7239' | 'both' | 'off';

/**
 * Makes X-Forwarded-For, -Proto, -Host, -Port, -Prefix, X-Real-IP and X-Request-Id, or `Forwarded` (RFC 7239). If the
 * peer is a trusted proxy, its own are believed and added to, and others of the kind go on. Otherwise all of them are
 * replaced or dropped.
 *
 * @param prefix what the route takes off the path, or ''
 * @param style which of them are made; X-Request-Id always is
 * @returns name, value, name, value ... as they go upstream
 */
export function forwardedHeaders(
  head: RequestHead,
  client: ClientIdentity,
  connection: ClientConnection,
  prefix: string,
  style: ForwardedStyle = 'x',
): readonly string[] {
  const { told, requestId, proto } = client;
  if (style === 'off') return ['X-Request-Id', requestId];
  const headers: string[] = [];
  const hostHeader = headerOf(head, 'host') ?? '';
  const host = told?.host ?? hostHeader;
  if (style !== 'rfc7239') {
    const { address: peer } = connection;
    headers.push(
      'X-Forwarded-For',
      told === null || told.chain.length === 0 ? peer : `${told.chain.join(', ')}, ${peer}`,
      'X-Forwarded-Proto',
      proto,
    );
    // Readers would take it for a list, and the client could choose its first member.
    if (!host.includes(',')) headers.push('X-Forwarded-Host', host);
    headers.push(
      'X-Forwarded-Port',
      told === null ? String(connection.port) : toldPort(told, hostHeader, connection),
      'X-Real-IP',
      client.address,
    );
    const prefixes = (told === null ? '' : toldPrefix(head)) + withoutSlash(prefix);
    if (prefixes !== '') headers.push('X-Forwarded-Prefix', prefixes);
  }
  headers.push('X-Request-Id', requestId);
  if (told !== null) carryOn(head, told, headers);
  if (style !== 'x') {
    const hops = told === null || told.forwardedAgrees ? [] : told.chain;
    const nearest = hops.length - (told?.depth ?? 0);
    const elements = hops.map((hop, index) => {
      const node = addressOfNode(hop) ?? 'unknown';
      return index === nearest ? forwardedElement(node, host, proto) : `for=${quotedNode(node)}`;
    });
    headers.push('Forwarded', [...elements, forwardedElement(connection.address, host, proto)].join(', '));
  }
  return headers;
}

/** Returns the port that the client used: a trusted proxy's word, the port of the host, or the scheme's usual one. */
function toldPort(told: ProxyReport, hostHeader: string, connection: ClientConnection): string {
  if (told.port !== null) return told.port;
  const own = String(connection.port);
  const isSecure = told.proto === 'https' || told.proto === 'wss';
  const named = portOf(told.host ?? hostHeader);
  // A proxy that asks for us by our own address (as nginx does by default) says nothing about the client's port.
  const isOwnAddress =
    told.proto !== null && isSecure !== connection.secure && told.host === null && named === own;
  if (named !== undefined && !isOwnAddress) return named;
  // Our own port says nothing about a client whose scheme comes from outside.
  if (told.proto === null) return own;
  return isSecure ? '443' : '80';
}

/** An absolute path of RFC 3986's characters (section 3.3) that cannot be taken for another host. */
const PREFIX_PATH = /^\/(?!\/)(?:[\w.~!$&'()*+,;=:@/-]|%[\da-f]{2})*$/i;
/** A dot segment, also to who decodes escapes or cuts parameters first. */
const DOT_SEGMENT = /(?:\/|%2f|%5c)(?:\.|%2e){1,2}(?:[/;]|%2f|%5c|$)/i;

/** Joins what trusted proxies have taken off the path. */
function toldPrefix(head: RequestHead): string {
  let joined = '';
  for (const member of nearestMembers(joinedHeaderOf(head, 'x-forwarded-prefix') ?? '')) {
    if (!PREFIX_PATH.test(member) || DOT_SEGMENT.test(member)) return '';
    joined += withoutSlash(member);
  }
  return joined;
}

/** Takes off the slash at the end of a prefix: the path behind it begins with one. */
function withoutSlash(prefix: string): string {
  return prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
}

/** One hop as RFC 7239 section 4 writes it; an IPv6 address stands in brackets and quotes (section 6). */
function forwardedElement(address: string, host: string, proto: ForwardedProto): string {
  const quotedHost = isToken(host) ? host : `"${host.replace(/["\\]/g, '\\$&')}"`;
  const parts = [`for=${quotedNode(address === '' ? 'unknown' : address)}`];
  if (host !== '') parts.push(`host=${quotedHost}`);
  parts.push(`proto=${proto}`);
  return parts.join(';');
}

function quotedNode(address: string): string {
  return address.includes(':') ? `"[${address}]"` : address;
}

/** Adds a trusted proxy's headers that the proxy does not set itself. */
function carryOn(head: RequestHead, { forwardedAgrees }: ProxyReport, headers: string[]): void {
  for (let index = 0; index < head.headers.length; index += 2) {
    const name = head.headers[index]!;
    const isExtra = name.startsWith(PREFIX) && !SET.has(name);
    if (isExtra || (forwardedAgrees && name === 'forwarded')) headers.push(name, head.headers[index + 1]!);
  }
}
