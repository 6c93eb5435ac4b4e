import { Malformed } from '../malformed.ts';
import { MAX_SERVER_NAME_BYTES, readServerName } from '../server-name.ts';
import type { ClientHello } from './client-hello.ts';

/** Bytes of the version and the random value. */
const FIXED_BYTES = 34;
const SSL_3_TO_TLS_1_3 = 3;
const MAX_SESSION_ID_BYTES = 32;

const SERVER_NAME = 0;
const HOST_NAME = 0;
const APPLICATION_PROTOCOLS = 16;

/** Max protocols in the result: a client could offer thousands. */
const MAX_PROTOCOLS = 32;

/**
 * Reads the body of a ClientHello (RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2). Refuses the
 * malformations that OpenSSL refuses. Skips all but two extensions, including GREASE (RFC 8701).
 */
export function parseClientHello(bytes: Buffer, start: number, end: number): ClientHello | Malformed {
  if (end - start <= FIXED_BYTES || bytes[start] !== SSL_3_TO_TLS_1_3) return new Malformed('bad version');
  const sessionId = start + FIXED_BYTES;
  const ciphers = vectorEnd(bytes, sessionId, end, 1);
  if (ciphers < 0 || bytes[sessionId]! > MAX_SESSION_ID_BYTES) return new Malformed('bad session id');
  const compression = vectorEnd(bytes, ciphers, end, 2);
  const cipherBytes = compression - ciphers - 2;
  if (compression < 0 || cipherBytes === 0 || cipherBytes % 2 !== 0)
    return new Malformed('bad cipher suites');
  const extensions = vectorEnd(bytes, compression, end, 1);
  if (extensions < 0 || bytes[compression] === 0) return new Malformed('bad compression methods');
  if (extensions === end) return { serverName: null, protocols: [] };
  if (vectorEnd(bytes, extensions, end, 2) !== end) return new Malformed('bad length of the extensions');
  return parseExtensions(bytes, extensions + 2, end);
}

function parseExtensions(bytes: Buffer, start: number, end: number): ClientHello | Malformed {
  let serverName: string | null | undefined;
  let protocols: readonly string[] | undefined;
  for (let at = start; at < end;) {
    const data = at + 4;
    const next = vectorEnd(bytes, at + 2, end, 2);
    if (next < 0) return new Malformed('extension past the end');
    const type = bytes.readUInt16BE(at);
    if (type === SERVER_NAME) {
      if (serverName !== undefined) return new Malformed('more than one server name');
      const name = parseServerName(bytes, data, next);
      if (name instanceof Malformed) return name;
      serverName = name;
    } else if (type === APPLICATION_PROTOCOLS) {
      if (protocols !== undefined) return new Malformed('more than one list of protocols');
      const list = parseProtocols(bytes, data, next);
      if (list instanceof Malformed) return list;
      protocols = list;
    }
    at = next;
  }
  return { serverName: serverName ?? null, protocols: protocols ?? [] };
}

/**
 * Reads the server name extension (RFC 6066 section 3). Like OpenSSL, requires exactly one name of type
 * `host_name`, of at most 255 bytes, without zero bytes. Returns null for a name that is not a DNS name.
 */
function parseServerName(bytes: Buffer, start: number, end: number): string | null | Malformed {
  const isOneHostName =
    vectorEnd(bytes, start, end, 2) === end &&
    start + 2 < end &&
    bytes[start + 2] === HOST_NAME &&
    vectorEnd(bytes, start + 3, end, 2) === end;
  if (!isOneHostName) return new Malformed('bad server name');
  const name = start + 5;
  if (end - name > MAX_SERVER_NAME_BYTES) return new Malformed('server name over 255 bytes');
  if (bytes.subarray(name, end).includes(0)) return new Malformed('zero byte in the server name');
  return readServerName(bytes, name, end);
}

/** Reads the protocols extension (RFC 7301 section 3.1). */
function parseProtocols(bytes: Buffer, start: number, end: number): readonly string[] | Malformed {
  const protocols: string[] = [];
  let at = start + 2;
  if (vectorEnd(bytes, start, end, 2) !== end || at === end) return new Malformed('bad list of protocols');
  while (at < end) {
    const next = vectorEnd(bytes, at, end, 1);
    if (next < 0 || next === at + 1) return new Malformed('bad list of protocols');
    if (protocols.length < MAX_PROTOCOLS) protocols.push(bytes.toString('latin1', at + 1, next));
    at = next;
  }
  return protocols;
}

/**
 * Returns the offset after a vector (RFC 8446 section 3.4); -1 if it exceeds the end.
 *
 * @param at offset of its length field, which may also exceed the end
 */
function vectorEnd(bytes: Buffer, at: number, end: number, lengthBytes: 1 | 2): number {
  if (at + lengthBytes > end) return -1;
  const length = lengthBytes === 1 ? bytes[at]! : bytes.readUInt16BE(at);
  const next = at + lengthBytes + length;
  return next > end ? -1 : next;
}
