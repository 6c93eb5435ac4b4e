/**
 * The bytes in which a PostgreSQL client asks for TLS before its ClientHello (PostgreSQL documentation, "Message
 * Flow", "SSL Session Encryption" and "Message Formats").
 */

/** SSLRequest: its length, and the code 80877103. */
export const TLS_REQUEST = Buffer.from('0000000804d2162f', 'hex');
/** GSSENCRequest: the code 80877104. A client that prefers GSSAPI sends it first. */
const GSS_REQUEST = Buffer.from('0000000804d21630', 'hex');

/** Answer that admits TLS. */
export const TLS_ADMITTED = Buffer.from('S');
/** Answer to a request for something else. The client then asks for TLS on the same connection. */
export const NOT_SUPPORTED = Buffer.from('N');

/**
 * Reads a request for encryption in `bytes[start, end)`.
 *
 * @returns false if the bytes are something else; null if more are needed
 */
export function readTlsRequest(bytes: Buffer, start: number, end: number): 'tls' | 'gss' | false | null {
  const length = Math.min(end - start, TLS_REQUEST.length);
  const begins = (request: Buffer): boolean => bytes.compare(request, 0, length, start, start + length) === 0;
  const isTls = begins(TLS_REQUEST);
  if (!isTls && !begins(GSS_REQUEST)) return false;
  if (length < TLS_REQUEST.length) return null;
  return isTls ? 'tls' : 'gss';
}
