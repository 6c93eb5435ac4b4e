import { isForwardingName } from './forwarded.ts';
import { joinedHeaderOf, listMembers, type RequestHead } from './request-head.ts';

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

/**
 * Names that a request's own Connection header may take out of it, less the ones that must not be removed that
 * way: whoever could, would hide from the endpoint what the proxy relies on.
 */
function nominated(head: RequestHead): ReadonlySet<string> {
  const names = new Set<string>();
  for (const member of listMembers(joinedHeaderOf(head, 'connection'))) names.add(member.toLowerCase());
  names.delete('host');
  return names;
}

/**
 * The opening handshake that goes to the endpoint (RFC 6455 section 4.1): the client's headers less hop-by-hop
 * ones, those that its Connection header names, and names with an underscore (which some servers confuse with
 * a hyphen); then the forwarding headers and a key of our own.
 *
 * @param target path and query
 * @returns the bytes to write
 */
export function encodeUpgradeRequest(
  head: RequestHead,
  target: string,
  forwarded: readonly string[],
  key: string,
): Buffer {
  const dropped = nominated(head);
  let text = `GET ${target} HTTP/1.1\r\n`;
  const { headers } = head;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]!;
    if (NOT_FORWARDED.has(name) || isForwardingName(name) || dropped.has(name) || name.includes('_'))
      continue;
    text += `${name}: ${headers[index + 1]!}\r\n`;
  }
  for (let index = 0; index < forwarded.length; index += 2) {
    text += `${forwarded[index]!}: ${forwarded[index + 1]!}\r\n`;
  }
  text += `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`;
  // Not latin1: it would fold characters above U+00FF into control characters.
  return Buffer.from(text, 'utf8');
}
