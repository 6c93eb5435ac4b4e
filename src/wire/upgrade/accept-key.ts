import { hash } from 'node:crypto';

/** Appended to the key before hashing (RFC 6455 section 1.3). */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Returns the Sec-WebSocket-Accept value for a Sec-WebSocket-Key (RFC 6455 section 4.2.2). */
export function acceptKey(key: string): string {
  return hash('sha1', key + GUID, 'base64');
}

/** Reports whether a Sec-WebSocket-Key is the base64 of exactly 16 bytes (RFC 6455 section 4.1). */
export function isHandshakeKey(key: string): boolean {
  // The last of the 22 characters carries 2 bits, so it is A, Q, g or w.
  return /^[A-Za-z0-9+/]{21}[AQgw]==$/.test(key);
}
