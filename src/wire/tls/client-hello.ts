/** The parts of a ClientHello (RFC 8446 section 4.1.2) that select a route. */
export interface ClientHello {
  /**
   * Host name from the server name extension (RFC 6066 section 3), in lower case without a trailing dot; null
   * without one. With Encrypted Client Hello, the outer name.
   */
  readonly serverName: string | null;
  /** Application protocols offered by the client (RFC 7301), in order, with one character per byte. */
  readonly protocols: readonly string[];
}

/**
 * The reply that refuses a server name: a TLS record with the fatal alert `unrecognized_name` (RFC 6066
 * section 3, RFC 8446 section 6). Clients of every version accept it.
 */
export const UNRECOGNIZED_NAME: Buffer = Buffer.from([
  // An alert of 2 bytes. Until a version is negotiated, records carry the version TLS 1.2.
  0x15, 0x03, 0x03, 0x00, 0x02,
  // Fatal, unrecognized_name.
  0x02, 0x70,
]);
