import { isToken } from '../../core/tokens.ts';
import { portOf } from '../http/host-header.ts';
import { headerOf, joinedHeaderOf, type RequestHead } from '../http/request-head.ts';
import { CLIENT_CERT_HEADER } from './client-cert-header.ts';
import type { ClientIdentity, ConnectionFacts, ForwardedProto, ProxyReport } from './client-identity.ts';
import { nearestMembers } from './hops.ts';
import { addressOfNode } from './node-name.ts';

/** Headers with {@link PREFIX} that sluice sets itself. */
const SET: ReadonlySet<string> = new Set([
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-prefix',
  CLIENT_CERT_HEADER,
]);
const PREFIX = 'x-forwarded-';

/** Reports whether {@link forwardedHeaders} replaces or drops a client's header, named in lower case. */
export function isForwardingName(name: string): boolean {
  return name.startsWith(PREFIX) || name === 'x-real-ip' || name === 'x-request-id' || name === 'forwarded';
}

/** Returns sluice's element of Via: the received version, and a name (RFC 9110 section 7.6.3). */
export function viaElement(isHttp10 = false): string {
  return isHttp10 ? '1.0 sluice' : '1.1 sluice';
}

/** Headers about the client: X-Forwarded-* and X-Real-IP (`x`), `Forwarded` (RFC 7239), both, or none. */
type ForwardedStyle = 'x' | 'rfc7239' | 'both' | 'off';

/**
 * Creates X-Forwarded-For, -Proto, -Host, -Port, -Prefix, X-Real-IP and X-Request-Id, or `Forwarded` (RFC
 * 7239). Extends the headers of a trusted proxy, and forwards its other forwarding headers. Replaces or drops
 * those of any other peer.
 *
 * @param prefix path prefix that the route removes; '' for none
 * @param style headers to create, apart from X-Request-Id, which is always created
 * @returns name, value, name, value ... as sent upstream, in a new list
 */
export function forwardedHeaders(
  head: RequestHead,
  client: ClientIdentity,
  connection: ConnectionFacts,
  prefix: string,
  style: ForwardedStyle = 'x',
): string[] {
  const { report, requestId, proto } = client;
  if (style === 'off') return ['X-Request-Id', requestId];
  const headers: string[] = [];
  const hostHeader = headerOf(head, 'host') ?? '';
  const host = report?.host ?? hostHeader;
  if (style !== 'rfc7239') {
    const { peer } = connection;
    headers.push(
      'X-Forwarded-For',
      report === null || report.chain.length === 0 ? peer : `${report.chain.join(', ')}, ${peer}`,
      'X-Forwarded-Proto',
      proto,
    );
    // With a comma, the header would be a list whose first member the client chooses.
    if (host !== '' && !host.includes(',')) headers.push('X-Forwarded-Host', host);
    headers.push(
      'X-Forwarded-Port',
      report === null ? String(connection.port) : reportedPort(report, hostHeader, connection),
      'X-Real-IP',
      client.address,
    );
    const prefixes = (report === null ? '' : reportedPrefix(head)) + withoutSlash(prefix);
    if (prefixes !== '') headers.push('X-Forwarded-Prefix', prefixes);
  }
  headers.push('X-Request-Id', requestId);
  if (report !== null) addForwardedExtras(head, report, headers);
  if (style !== 'x') {
    const hops = report === null || report.forwardedAgrees ? [] : report.chain;
    const nearest = hops.length - (report?.depth ?? 0);
    const elements = hops.map((hop, index) => {
      const node = addressOfNode(hop) ?? 'unknown';
      return index === nearest ? forwardedElement(node, host, proto) : `for=${quotedNode(node)}`;
    });
    headers.push('Forwarded', [...elements, forwardedElement(connection.peer, host, proto)].join(', '));
  }
  return headers;
}

/** Returns the port that the client used: the reported port, the host's port, or the scheme's default. */
function reportedPort(report: ProxyReport, hostHeader: string, connection: ConnectionFacts): string {
  if (report.port !== null) return report.port;
  const own = String(connection.port);
  const isSecure = report.proto === 'https' || report.proto === 'wss';
  const named = portOf(report.host ?? hostHeader);
  // A proxy that sends our address as Host, as nginx does by default, hides the client's port.
  const isOwnAddress =
    report.proto !== null && isSecure !== connection.secure && report.host === null && named === own;
  if (named !== undefined && !isOwnAddress) return named;
  // If the proxy reports a scheme, our own port says nothing about the client.
  if (report.proto === null) return own;
  return isSecure ? '443' : '80';
}

/** An absolute path (RFC 3986 section 3.3) that cannot be read as another host. */
const PREFIX_PATH = /^\/(?!\/)(?:[\w.~!$&'()*+,;=:@/-]|%[\da-f]{2})*$/i;
/** Matches a dot segment, also one that appears after decoding escapes or removing path parameters. */
const DOT_SEGMENT = /(?:\/|%2f|%5c)(?:\.|%2e){1,2}(?:[/;]|%2f|%5c|$)/i;

/** Joins the prefixes that trusted proxies removed from the path. Returns '' if one of them is unsafe. */
function reportedPrefix(head: RequestHead): string {
  let joined = '';
  for (const member of nearestMembers(joinedHeaderOf(head, 'x-forwarded-prefix') ?? '')) {
    if (!PREFIX_PATH.test(member) || DOT_SEGMENT.test(member)) return '';
    joined += withoutSlash(member);
  }
  return joined;
}

/** Removes a trailing slash: the path after the prefix starts with one. */
function withoutSlash(prefix: string): string {
  return prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
}

/** Formats one hop (RFC 7239 section 4). An IPv6 address gets brackets and quotes (section 6). */
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

/** Adds a trusted proxy's forwarding headers that sluice does not set itself. */
function addForwardedExtras(head: RequestHead, { forwardedAgrees }: ProxyReport, headers: string[]): void {
  for (let index = 0; index < head.headers.length; index += 2) {
    const name = head.headers[index]!;
    const isExtra = name.startsWith(PREFIX) && !SET.has(name);
    if (isExtra || (forwardedAgrees && name === 'forwarded'))
      headers.push(head.names?.[index >> 1] ?? name, head.headers[index + 1]!);
  }
}
