import { isForwardingName } from '../forwarding/forwarded-headers.ts';
import type { HeaderEdits } from './header-edits.ts';
import { headerOf, joinedHeaderOf, listMembers, type RequestHead } from './request-head.ts';

/** Headers that belong to one connection (RFC 9110 section 7.6.1) or to the client's own handshake. */
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
/** Whether endpoints get a header of this (lower-case) name from the proxy alone, or not at all. */
export function isWrittenByProxy(name: string): boolean {
  return NOT_FORWARDED.has(name) || isForwardingName(name);
}

const NOTHING: ReadonlySet<string> = new Set();
/** What nearly every Connection header says, and what names no header. */
const PLAIN_CONNECTION = /^(?:keep-alive|close|upgrade|keep-alive, *upgrade)$/i;

/** How a request goes to an endpoint, beside the headers that the client sent. */
export interface UpstreamTarget {
  /** Path and query. */
  readonly target: string;
  /** The Host that the endpoint gets; null for the client's. */
  readonly host: string | null;
  /** name, value, name, value ... */
  readonly forwarded: readonly string[];
  readonly edits: HeaderEdits;
}

/** How the body of a request is framed: bytes, chunks, or not at all. */
export type RequestFraming = number | 'chunked' | null;

/**
 * Names that a request's own Connection header may take out of it, less the ones that must not be removed that
 * way: whoever could, would hide from the endpoint what the proxy relies on.
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
 * The client's headers less hop-by-hop ones, those that its Connection header names, and what the route drops; then the
 * forwarding headers and the route's own.
 */
function endToEndLines(head: RequestHead, { host, forwarded, edits }: UpstreamTarget): string {
  const dropped = nominated(head);
  const { headers } = head;
  let text = '';
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]!;
    if (isWrittenByProxy(name) || dropped.has(name)) continue;
    if (edits.dropped.has(name)) continue;
    text += `${name}: ${name === 'host' && host !== null ? host : headers[index + 1]!}\r\n`;
  }
  // A route may replace what we say, too.
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
 * The opening handshake that goes to the endpoint (RFC 6455 section 4.1), with a key of our own.
 *
 * @returns the bytes to write
 */
export function encodeUpgradeRequest(head: RequestHead, to: UpstreamTarget, key: string): Buffer {
  const text = `GET ${to.target} HTTP/1.1\r\n${endToEndLines(head, to)}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`;
  // Not latin1: it would fold characters above U+00FF into control characters.
  return Buffer.from(text, 'utf8');
}

/**
 * The head of a plain request that goes to the endpoint.
 *
 * @param framing of the body, which is framed anew
 * @param close whether the connection is to end with this request
 * @returns text to be written as UTF-8
 */
export function encodeRequest(
  head: RequestHead,
  to: UpstreamTarget,
  framing: RequestFraming,
  close: boolean,
): string {
  const body =
    framing === null
      ? ''
      : framing === 'chunked'
        ? 'Transfer-Encoding: chunked\r\n'
        : `Content-Length: ${framing}\r\n`;
  return `${head.method} ${to.target} HTTP/1.1\r\n${endToEndLines(head, to)}${body}${close ? 'Connection: close\r\n' : ''}\r\n`;
}

/** Returns the framing of the body of a request that has been checked. */
export function framingOf(head: RequestHead): RequestFraming {
  if (headerOf(head, 'transfer-encoding') !== undefined) return 'chunked';
  const length = headerOf(head, 'content-length');
  return length === undefined ? null : Number(length);
}
