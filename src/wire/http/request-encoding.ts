import { isForwardingName } from '../forwarding/forwarded-headers.ts';
import type { HeaderEdits } from './header-edits.ts';
import { headerOf, joinedHeaderOf, listMembers, type RequestHead } from './request-head.ts';

/** Headers of a single connection (RFC 9110 section 7.6.1) or of the client's own handshake. */
const NOT_FORWARDED: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'content-length',
  'upgrade',
  'http2-settings',
  'expect',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-extensions',
  'sec-websocket-accept',
]);
/** Reports whether only sluice may send this header to endpoints. `name` is in lower case. */
export function isWrittenByProxy(name: string): boolean {
  return NOT_FORWARDED.has(name) || isForwardingName(name);
}

const NOTHING: ReadonlySet<string> = new Set();
/** Usual values of Connection, which name no header. */
const PLAIN_CONNECTION = /^(?:keep-alive|close|upgrade|keep-alive, *upgrade)$/i;

/** A request to an endpoint, apart from the client's headers. */
export interface UpstreamTarget {
  /** Path and query. */
  readonly target: string;
  /** Host for the endpoint; null keeps the client's, which must then exist. */
  readonly host: string | null;
  /** Forwarding headers: name, value, name, value ... */
  readonly forwarded: readonly string[];
  readonly edits: HeaderEdits;
}

/** How a request uses its connection to the endpoint. */
interface RequestTerms {
  /** Whether to close the connection after this request. */
  readonly close: boolean;
  /** Whether response trailers can reach the client, so that its `TE: trailers` is forwarded. */
  readonly takesTrailers: boolean;
}

/** The member of TE that asks for trailers. */
const TRAILERS = /(?:^|,)[ \t]*trailers[ \t]*(?:$|,)/i;

/** Framing of a request body: its length in bytes, chunks, or no body. */
export type RequestFraming = number | 'chunked' | null;

/**
 * Returns the header names that a request's Connection header removes. Host stays, so that a client cannot
 * hide it from the endpoint.
 */
function nominated(head: RequestHead): ReadonlySet<string> {
  const connection = joinedHeaderOf(head, 'connection');
  if (connection === undefined || PLAIN_CONNECTION.test(connection)) return NOTHING;
  const names = new Set<string>();
  for (const member of listMembers(connection)) names.add(member.toLowerCase());
  names.delete('host');
  return names;
}

/**
 * Writes the client's headers, except hop-by-hop headers, headers named in Connection, and headers that the
 * route drops. Keeps the client's spelling if it is known. The forwarding headers and the route's headers
 * follow.
 */
function endToEndLines(head: RequestHead, { host, forwarded, edits }: UpstreamTarget): string {
  const dropped = nominated(head);
  const { headers, names } = head;
  let text = host !== null && headerOf(head, 'host') === undefined ? `Host: ${host}\r\n` : '';
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]!;
    if (isWrittenByProxy(name) || dropped.has(name)) continue;
    if (edits.dropped.has(name)) continue;
    const value = name === 'host' && host !== null ? host : headers[index + 1]!;
    text += `${names === undefined ? name : names[index >> 1]!}: ${value}\r\n`;
  }
  // A route may also replace forwarding headers.
  const replaced = edits.dropped.size > 0;
  for (let index = 0; index < forwarded.length; index += 2) {
    const name = forwarded[index]!;
    if (!replaced || !edits.dropped.has(name.toLowerCase())) text += `${name}: ${forwarded[index + 1]!}\r\n`;
  }
  for (let index = 0; index < edits.added.length; index += 2) {
    text += `${edits.added[index]!}: ${edits.added[index + 1]!}\r\n`;
  }
  return text;
}

/**
 * Encodes the opening handshake for an endpoint (RFC 6455 section 4.1).
 *
 * @param key sluice's own Sec-WebSocket-Key
 * @param extensions extensions to offer; empty for none
 * @returns the bytes to write
 */
export function encodeUpgradeRequest(
  head: RequestHead,
  to: UpstreamTarget,
  key: string,
  extensions = '',
): Buffer {
  const offer = extensions === '' ? '' : `Sec-WebSocket-Extensions: ${extensions}\r\n`;
  const text = `GET ${to.target} HTTP/1.1\r\n${endToEndLines(head, to)}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n${offer}\r\n`;
  return Buffer.from(text, 'latin1');
}

/**
 * Encodes the head of a plain request for an endpoint.
 *
 * @param framing framing of the body for the endpoint
 * @returns text with one character per byte
 */
export function encodeRequest(
  head: RequestHead,
  to: UpstreamTarget,
  framing: RequestFraming,
  terms: RequestTerms,
): string {
  return `${head.method} ${to.target} HTTP/1.1\r\n${endToEndLines(head, to)}${framingLines(head, framing)}${connectionLines(head, terms)}\r\n`;
}

function framingLines(head: RequestHead, framing: RequestFraming): string {
  if (framing === null) return '';
  if (framing !== 'chunked') return `Content-Length: ${framing}\r\n`;
  const announced = joinedHeaderOf(head, 'trailer');
  return `Transfer-Encoding: chunked\r\n${announced === undefined ? '' : `Trailer: ${announced}\r\n`}`;
}

/**
 * Returns the lines of Connection and TE. TE applies to one connection, and Connection must name it (RFC 9110
 * section 10.1.4).
 */
function connectionLines(head: RequestHead, { close, takesTrailers }: RequestTerms): string {
  const asks = takesTrailers ? joinedHeaderOf(head, 'te') : undefined;
  if (asks === undefined || !TRAILERS.test(asks)) return close ? 'Connection: close\r\n' : '';
  return `TE: trailers\r\nConnection: ${close ? 'close, TE' : 'TE'}\r\n`;
}

/** Returns the body framing of a request that passed its checks. */
export function framingOf(head: RequestHead): RequestFraming {
  if (headerOf(head, 'transfer-encoding') !== undefined) return 'chunked';
  const length = headerOf(head, 'content-length');
  return length === undefined ? null : Number(length);
}
