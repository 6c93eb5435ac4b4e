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
