import { isWrittenByProxy } from '../../../wire/http/request-encoding.ts';
import { headerOf, joinedHeaderOf, listMembers } from '../../../wire/http/request-head.ts';
import type { AccessRequest } from '../../contract/access-request.ts';

/**
 * Headers that ask for a part or a form of the resource. With them, a server could answer 304 or 206, or
 * compress a refusal.
 */
const RESOURCE_HEADERS: ReadonlySet<string> = new Set([
  'host',
  'accept-encoding',
  'content-encoding',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
  'range',
]);
/** Headers that only the proxy may send, because the server trusts them. */
const PROXY_ONLY_PREFIXES = ['x-original-', 'sec-websocket-'] as const;

/**
 * Returns the headers of the authentication request: the client's end-to-end headers and a description of the
 * request. The description follows Traefik's ForwardAuth (X-Forwarded-*) and nginx's auth_request
 * (X-Original-*).
 *
 * @param answered headers that the server's response sets, in lower case; the client's values are dropped
 * @returns name, value, name, value ...
 */
export function authRequestHeaders(request: AccessRequest, answered: ReadonlySet<string>): string[] {
  const { head, client } = request;
  const dropped = nominated(request);
  const headers: string[] = [];
  for (let index = 0; index < head.headers.length; index += 2) {
    const name = head.headers[index]!;
    // Many servers treat both spellings as one header.
    const hyphened = name.replaceAll('_', '-');
    if (isWithheld(hyphened) || dropped.has(name)) continue;
    if (answered.has(hyphened)) continue;
    headers.push(name, head.headers[index + 1]!);
  }
  const uri = uriOf(request);
  const host = client.report?.host ?? headerOf(head, 'host') ?? '';
  const scheme = client.secure ? 'https' : 'http';
  headers.push('Accept-Encoding', 'identity');
  headers.push('X-Forwarded-Method', head.method, 'X-Original-Method', head.method);
  headers.push('X-Forwarded-Proto', scheme);
  // With a comma, it would be a list whose first member the client controls.
  if (host !== '' && !host.includes(',')) headers.push('X-Forwarded-Host', host);
  headers.push('X-Forwarded-Uri', uri, 'X-Original-URI', uri, 'X-Original-URL', `${scheme}://${host}${uri}`);
  headers.push('X-Forwarded-For', client.address, 'X-Real-IP', client.address);
  headers.push('X-Request-Id', client.requestId);
  return headers;
}

/**
 * Returns path and query as endpoints receive them. For `/public/../admin`, a server could judge another path
 * than endpoints serve.
 */
function uriOf({ path, head: { query, hasEmptyQuery } }: AccessRequest): string {
  return query === '' && hasEmptyQuery !== true ? path : `${path}?${query}`;
}

function isWithheld(name: string): boolean {
  if (isWrittenByProxy(name) || RESOURCE_HEADERS.has(name)) return true;
  return PROXY_ONLY_PREFIXES.some((prefix) => name.startsWith(prefix));
}

/** Returns the headers listed in the client's Connection header. Endpoints do not receive them either. */
function nominated({ head }: AccessRequest): ReadonlySet<string> {
  const names = listMembers(joinedHeaderOf(head, 'connection')).map((name) => name.toLowerCase());
  return new Set(names);
}
