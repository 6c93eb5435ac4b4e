/**
 * A TLS record with the fatal alert `unrecognized_name` (RFC 6066 section 3, RFC 8446 section 6). Clients take it in answer to
 * a ClientHello of every version.
 */
export const UNRECOGNIZED_NAME: Buffer = Buffer.from([
  // An alert, in the version that answers to a ClientHello have until one is negotiated (TLS 1.2), of 2 bytes.
  0x15,
  0x03, 0x03, 0x00, 0x02,
  // Fatal, unrecognized_name.
  0x02, 0x70,
]);
