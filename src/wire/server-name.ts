/** Max bytes of a server name, as in OpenSSL (TLSEXT_MAXLEN_host_name). */
export const MAX_SERVER_NAME_BYTES = 255;

const DOT = 0x2e;

/**
 * Reads a server name sent by a client (RFC 6066 section 3). Only letters, digits, `-` and `_` are allowed in
 * its labels, which must not be empty. Other names match no rule and no certificate, as in nginx.
 *
 * @returns the name in lower case without a trailing dot; null if it is empty or not a DNS name
 */
export function readServerName(bytes: Buffer, start: number, end: number): string | null {
  const last = end > start && bytes[end - 1] === DOT ? end - 1 : end;
  if (last === start || last - start > MAX_SERVER_NAME_BYTES) return null;
  let labelLength = 0;
  for (let at = start; at < last; at++) {
    const byte = bytes[at]!;
    if (byte === DOT) {
      if (labelLength === 0) return null;
      labelLength = 0;
    } else if (isNameByte(byte)) {
      labelLength++;
    } else {
      return null;
    }
  }
  return labelLength === 0 ? null : bytes.toString('latin1', start, last).toLowerCase();
}

function isNameByte(byte: number): boolean {
  return (
    (byte >= 0x61 && byte <= 0x7a) ||
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2d ||
    (byte >= 0x41 && byte <= 0x5a) ||
    byte === 0x5f
  );
}
