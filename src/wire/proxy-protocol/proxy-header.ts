/** The first bytes of version 1, and of version 2. No other protocol begins with them. */
export const PROXY_SIGNATURES = {
  v1: Buffer.from('PROXY '),
  v2: Buffer.from('\r\n\r\n\0\r\nQUIT\n'),
} as const;

/** The field of version 2 with the server name that the client has asked for (PP2_TYPE_AUTHORITY). */
export const AUTHORITY = 0x02;

/** One end of a TCP connection. */
export interface AddressAndPort {
  /** An IP address as `normalizeIp` writes it. */
  readonly address: string;
  readonly port: number;
}

/**
 * What a PROXY header tells of the connection that a proxy in front has accepted (HAProxy's `proxy-protocol.txt`, versions 1
 * and 2). Source and destination are null if the connection is the proxy's own (LOCAL), or if the proxy names no IP addresses
 * (UNKNOWN, UNSPEC, UNIX).
 */
export interface ProxyHeader {
  readonly source: AddressAndPort | null;
  readonly destination: AddressAndPort | null;
  /** The server name that the client asked for (PP2_TYPE_AUTHORITY); null without one. */
  readonly serverName: string | null;
  /** The id of an AWS VPC endpoint (type 0xEA, subtype 1); null without one. */
  readonly vpcEndpointId: string | null;
}

/** A PROXY header that has come whole. */
export interface FoundProxyHeader {
  readonly header: ProxyHeader;
  /** Bytes of the header: what follows is the client's. */
  readonly length: number;
}
