/** Listeners of both modes, with the settings of their connections. */
import type { TcpAddress } from '../../core/address.ts';
import type { AccessSettings } from './access.ts';
import type { ErrorPageSettings } from './error-page.ts';
import type { LimitSettings } from './limits.ts';
import type { Route } from './route.ts';

export type Listener = L4Listener | L7Listener;

interface ListenerBase {
  readonly name: string;
  readonly address: TcpAddress;
  /** Max open connections over all workers. 0 for no limit. */
  readonly maxConnections: number;
  /**
   * CIDR blocks of the proxies in front whose PROXY headers, and at layer 7 forwarding headers, are trusted.
   */
  readonly trustedProxies: readonly string[];
  /**
   * Whether connections of trusted proxies start with a PROXY header. `required` closes all other
   * connections.
   */
  readonly proxyProtocol: 'off' | 'required' | 'optional';
  /** Null admits everyone. At layer 7, applies to requests without a route: see `Route.access`. */
  readonly access: AccessSettings | null;
  /** Limits of the whole listener. Routes may add their own. */
  readonly limits: readonly LimitSettings[];
  /** Server names of TLS connections that are tunnelled without decryption. */
  readonly passthrough: readonly PassthroughRule[];
}

/** Tunnels TLS connections with some server names to a cluster, without decryption. */
export interface PassthroughRule {
  /** In lower case. The star in `*.example.com` matches one or more labels, as in the hosts of routes. */
  readonly serverNames: readonly string[];
  readonly cluster: string;
}

/** Engine of tunnels: an epoll loop over system calls (Linux), or Node's sockets. */
export type L4Engine = 'raw' | 'net';

export interface L4Listener extends ListenerBase {
  readonly mode: 'l4';
  /** Cluster of connections that no rule of `passthrough` matches. Null closes them. */
  readonly cluster: string | null;
  /** `auto`: raw if this machine and the cluster allow it. The primary resolves `auto` for the workers. */
  readonly engine: 'auto' | L4Engine;
  /** Max idle time of a tunnel in both directions. 0 for never. */
  readonly idleTimeoutMs: number;
  /** Max idle time of a half-closed tunnel. 0 for no limit. */
  readonly halfCloseTimeoutMs: number;
}

/**
 * Engine of sessions and requests. `raw` and `net` are our own HTTP/1.x and stream relay, on system calls
 * (Linux) and on Node's sockets. `uws` is uWebSockets.js.
 */
export type L7Engine = 'raw' | 'net' | 'uws';

export interface L7Listener extends ListenerBase {
  readonly mode: 'l7';
  /**
   * `auto` depends on the listener's settings and the machine. The primary resolves `auto` for the workers.
   */
  readonly engine: 'auto' | L7Engine;
  readonly tls: ListenerTls | null;
  /** Max upgrade requests waiting for endpoints, over all workers. 0 for no limit. */
  readonly maxPendingHandshakes: number;
  /** Max upgrade requests queued while `maxPendingHandshakes` is reached. */
  readonly maxQueuedHandshakes: number;
  /**
   * Headers that tell endpoints about the client: X-Forwarded-* (`x`), `Forwarded` (`rfc7239`), both, or
   * none.
   */
  readonly forwarded: ForwardedStyle;
  /** Whether to add Via (RFC 9110 section 7.6.3) to requests and responses of clusters. */
  readonly via: boolean;
  /** Handling of request headers whose names contain an underscore. */
  readonly underscoreHeaders: UnderscoreHeaders;
  readonly paths: PathSettings;
  readonly websocket: WebSocketSettings;
  readonly http: HttpSettings;
  /** Pages of sluice's own error answers. Empty for short texts. */
  readonly errorPages: ErrorPageSettings;
  /** In file order: the first match wins. */
  readonly routes: readonly Route[];
}

export interface ListenerTls {
  /** At least one. The first serves clients whose server name matches none. */
  readonly certificates: readonly Certificate[];
  readonly minVersion: '1.2' | '1.3';
  /**
   * OpenSSL names separated by colons, in order of preference. Names of TLS 1.3 ciphers begin with `TLS_`.
   */
  readonly ciphers: string;
  /** Key exchange groups in OpenSSL's format (SSL_CTX_set1_groups_list), in order of preference. */
  readonly groups: string;
  /** Application protocols (RFC 7301) in order of preference. Empty disables the negotiation. */
  readonly alpn: readonly string[];
  /** Max time from the accepted connection to the end of the handshake, including a PROXY header. */
  readonly handshakeTimeoutMs: number;
  /** Null requests no client certificate. */
  readonly clientCertificates: ClientCertificateSettings | null;
  readonly tickets: TicketSettings;
}

/** Authentication of clients by certificate. */
export interface ClientCertificateSettings {
  /** Absolute path of a PEM file with the trusted authorities. */
  readonly ca: string;
  /** The file's text. */
  readonly caPem: string;
  /**
   * Whether a client without a certificate is refused. A client with an invalid certificate is always
   * refused.
   */
  readonly isRequired: boolean;
  /** Absolute path of a PEM file with revocation lists. Null for none. */
  readonly crl: string | null;
  /** The file's text. Null if and only if `crl` is null. */
  readonly crlPem: string | null;
  /** Whether endpoints get X-Forwarded-Client-Cert. */
  readonly forward: boolean;
  /** Digest of the contents of the files. */
  readonly digest: string;
}

/** Keys of session tickets (RFC 5077): generated and rotated by the process, or read from a file. */
export type TicketSettings =
  | { readonly kind: 'rotate'; readonly rotateMs: number }
  | {
      readonly kind: 'file';
      /** Absolute path. */
      readonly keyFile: string;
      /** Base64 of 80 bytes each. The first encrypts, all decrypt. Secret. */
      readonly keys: readonly string[];
    };

export interface Certificate {
  /** Absolute paths of PEM files. */
  readonly cert: string;
  readonly key: string;
  /** Texts of both files. A restarted worker serves the loaded texts, even if the files have changed. */
  readonly certPem: string;
  /** Secret. */
  readonly keyPem: string;
  /** DNS names of the certificate in lower case, including wildcards (`*.example.com`). */
  readonly serverNames: readonly string[];
  /** First URI of the certificate, such as its holder's SPIFFE ID. Null without one. */
  readonly uri: string | null;
}

/**
 * Handling of a client's extension offer. `passthrough`: the endpoint gets it and decides. `off`: the
 * endpoint does not get it. `shared`: the engine `uws` compresses towards the client.
 */
export type Compression = 'passthrough' | 'off' | 'shared';

export interface WebSocketSettings {
  /** Max time from the client's request to the 101. */
  readonly handshakeTimeoutMs: number;
  /** Max bytes of a message: on the wire, or after inflation with the engine `uws`. */
  readonly maxMessageSize: number;
  /** Max time of a session without a frame from either side, including pongs. 0 for never. */
  readonly idleTimeoutMs: number;
  /** Max lifetime, spread by 10 % so that sessions opened together do not end together. 0 for no limit. */
  readonly maxLifetimeMs: number;
  /** Max bytes waiting for the client. Above it, reading from the endpoint pauses. Engine `uws` only. */
  readonly downstreamBuffer: number;
  /** Max bytes waiting for the endpoint. Above it, the session is closed with 1013. Engine `uws` only. */
  readonly upstreamBuffer: number;
  readonly compression: Compression;
  /** Close code for a client whose endpoint is lost: 1011 or 1014. */
  readonly endpointLostCode: number;
}

/** Handling of paths that endpoints may read differently. */
export interface PathSettings {
  /** Whether to refuse a path if another reading of it would match a route with a different effect. */
  readonly ambiguous: 'refuse' | 'pass';
  /** Whether to merge runs of slashes into one, for routes and endpoints. */
  readonly mergeSlashes: boolean;
  /** `%2F` and `%5C` are kept, decoded to a slash, or refused. */
  readonly escapedSlashes: 'keep' | 'decode' | 'refuse';
  /** The part of a segment after `;` is kept, stripped, or refused. */
  readonly pathParameters: 'keep' | 'strip' | 'refuse';
}

export type UnderscoreHeaders = 'drop' | 'pass' | 'refuse';

type ForwardedStyle = 'x' | 'rfc7239' | 'both' | 'off';

/** Settings of HTTP/1.x connections and of requests to clusters. */
export interface HttpSettings extends ClientHttpSettings {
  /** Max time from the end of a request to the head of its response. */
  readonly requestTimeoutMs: number;
  /** Max idle time of a request or response in progress. 0 for never. */
  readonly idleTimeoutMs: number;
  /** Max bytes of a request body. 0 for no limit. */
  readonly maxBodySize: number;
  /** Min bytes per second of a request body, from the tenth second on. 0 for no minimum. */
  readonly minBodyRate: number;
  /** Time to keep an idle connection to an endpoint for another request. 0 closes it at once. */
  readonly keepAliveMs: number;
}

/** HTTP/1.x settings of client connections. The engine `uws` has its own limits instead. */
interface ClientHttpSettings {
  /** Max time from the first byte of a connection or request to the end of the request head. */
  readonly headerTimeoutMs: number;
  /** Max bytes of a request head. */
  readonly maxHeaderSize: number;
  /** Max header lines of a request. */
  readonly maxHeaders: number;
  /** Time to keep an idle client connection for another request. 0 closes it after each response. */
  readonly clientKeepAliveMs: number;
  /** Max requests per connection. 0 for no limit. */
  readonly maxRequestsPerConnection: number;
  /**
   * Max time from the end of a request head, or from an early response, to the end of its body. 0 for no
   * limit.
   */
  readonly bodyTimeoutMs: number;
}
