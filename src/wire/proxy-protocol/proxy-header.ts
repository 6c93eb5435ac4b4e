/** The first bytes of versions 1 and 2. No other protocol starts with them. */
export const PROXY_SIGNATURES = {
  v1: Buffer.from('PROXY '),
  v2: Buffer.from('\r\n\r\n\0\r\nQUIT\n'),
} as const;

/** Field of version 2 with the server name that the client requested (PP2_TYPE_AUTHORITY). */
export const AUTHORITY = 0x02;

/** One end of a TCP connection. */
export interface AddressAndPort {
  /** IP address, as formatted by `normalizeIp`. */
  readonly address: string;
  readonly port: number;
}

/**
 * Facts from a PROXY header about the connection that a proxy in front accepted (HAProxy's
 * `proxy-protocol.txt`, versions 1 and 2). Source and destination are null if the connection is the proxy's
 * own (LOCAL), or if the header has no IP addresses (UNKNOWN, UNSPEC, UNIX).
 */
export interface ProxyHeader {
  readonly source: AddressAndPort | null;
  readonly destination: AddressAndPort | null;
  /** Server name that the client requested (PP2_TYPE_AUTHORITY); null without one. */
  readonly serverName: string | null;
  /** ID of an AWS VPC endpoint (type 0xEA, subtype 1); null without one. */
  readonly vpcEndpointId: string | null;
}

/** A complete PROXY header. */
export interface FoundProxyHeader {
  readonly header: ProxyHeader;
  /** Bytes of the header. The client's bytes follow. */
  readonly length: number;
}
