/** The parts of a ClientHello (RFC 8446 section 4.1.2) that decide where a connection goes. */
export interface ClientHello {
  /**
   * The host name of the server name extension (RFC 6066 section 3), in lower case without a trailing dot; null without one.
   * With Encrypted Client Hello it is the outer name.
   */
  readonly serverName: string | null;
  /** The application protocols that the client offers (RFC 7301), in its order, one character for each byte. */
  readonly protocols: readonly string[];
}

/**
 * What refuses the server name of a ClientHello: a TLS record with the fatal alert `unrecognized_name` (RFC 6066 section 3,
 * RFC 8446 section 6). Clients of every version take it.
 */
export const UNRECOGNIZED_NAME: Buffer = Buffer.from([
  // An alert, in the version that answers to a ClientHello have until one is negotiated (TLS 1.2), of 2 bytes.
  0x15,
  0x03, 0x03, 0x00, 0x02,
  // Fatal, unrecognized_name.
  0x02, 0x70,
]);
