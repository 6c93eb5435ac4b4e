/** Max bytes of a server name, as OpenSSL has it (TLSEXT_MAXLEN_host_name). */
export const MAX_SERVER_NAME_BYTES = 255;

const DOT = 0x2e;

/**
 * Reads a server name that a client has sent (RFC 6066 section 3).
 *
 * @returns the name in lower case without a dot at its end; null for bytes that are no DNS name: none, an empty label, or any
 *   character but letters, digits, `-` and `_`. Such a name fits no rule and no certificate, as with nginx
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
