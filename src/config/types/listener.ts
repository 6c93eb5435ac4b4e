/** Listeners of both modes, and what each of them sets for its connections. */
import type { TcpAddress } from '../../core/address.ts';
import type { AccessSettings } from './access.ts';
import type { LimitSettings } from './limits.ts';
import type { Route } from './route.ts';

export type Listener = L4Listener | L7Listener;

interface ListenerBase {
  readonly name: string;
  readonly address: TcpAddress;
  /** Max open connections over all workers; 0 for no limit. */
  readonly maxConnections: number;
  /** CIDR blocks of the proxies in front whose PROXY headers are believed, and at layer 7 their forwarding headers. */
  readonly trustedProxies: readonly string[];
  /** Whether connections of trusted proxies start with a PROXY header. `required` closes all other connections. */
  readonly proxyProtocol: 'off' | 'required' | 'optional';
  /** Null to let everybody in. At layer 7, this is for requests that no route takes: see `Route.access`. */
  readonly access: AccessSettings | null;
  /** Limits of the whole listener. Routes have more. */
  readonly limits: readonly LimitSettings[];
  /** Server names of TLS connections that are tunnelled undecrypted. */
  readonly passthrough: readonly PassthroughRule[];
}

/** Where TLS connections with some server names are tunnelled, undecrypted. */
export interface PassthroughRule {
  /** In lower case. `*.example.com` stands for one label or more in place of the star, as hosts of routes do. */
  readonly serverNames: readonly string[];
  readonly cluster: string;
}

/** The engine of tunnels: an epoll loop over system calls (Linux), or Node's sockets. */
export type L4Engine = 'raw' | 'net';

export interface L4Listener extends ListenerBase {
  readonly mode: 'l4';
  /** Takes what no rule of `passthrough` takes. Null to close it. */
  readonly cluster: string | null;
  /** `auto` is raw if this machine and the cluster allow it. The primary replaces `auto` for the workers. */
  readonly engine: 'auto' | L4Engine;
  /** Time without a byte in either direction after which a tunnel is closed; 0 for never. */
  readonly idleTimeoutMs: number;
  /** Max time without a byte in a tunnel that one side has half-closed; 0 for no limit. */
  readonly halfCloseTimeoutMs: number;
}

/**
 * The engine of sessions and requests: our own HTTP/1.x and stream relay on system calls (`raw`, Linux) or Node's sockets
 * (`net`), or uWebSockets.js (`uws`).
 */
export type L7Engine = 'raw' | 'net' | 'uws';

export interface L7Listener extends ListenerBase {
  readonly mode: 'l7';
  /** `auto` is chosen by what the listener needs and the machine has. The primary replaces `auto` for the workers. */
  readonly engine: 'auto' | L7Engine;
  readonly tls: ListenerTls | null;
  /** Max upgrade requests under way with endpoints, over all workers; 0 for no limit. */
  readonly maxPendingHandshakes: number;
  /** Max upgrade requests that wait while that limit is reached. */
  readonly maxQueuedHandshakes: number;
  /** The headers that tell endpoints about the client: X-Forwarded-* (x), `Forwarded` (rfc7239), both, or none. */
  readonly forwarded: ForwardedStyle;
  /** Whether Via (RFC 9110 section 7.6.3) is added to requests and responses of clusters. */
  readonly via: boolean;
  /** The treatment of request headers with an underscore in their name. */
  readonly underscoreHeaders: UnderscoreHeaders;
  readonly paths: PathSettings;
  readonly websocket: WebSocketSettings;
  readonly http: HttpSettings;
  /** In the order of the file: the first match wins. */
  readonly routes: readonly Route[];
}

export interface ListenerTls {
  /** At least one; the first answers clients whose server name fits none. */
  readonly certificates: readonly Certificate[];
  readonly minVersion: '1.2' | '1.3';
  /** Names of OpenSSL, separated by colons, the preferred first; those of TLS 1.3 begin with `TLS_`. */
  readonly ciphers: string;
  /** Groups for the key exchange in OpenSSL's form (SSL_CTX_set1_groups_list), the preferred first. */
  readonly groups: string;
  /** The application protocols that clients may choose (RFC 7301), the preferred first. Empty to choose none. */
  readonly alpn: readonly string[];
  /** Max time from the accepted connection to the end of the handshake, a PROXY header included. */
  readonly handshakeTimeoutMs: number;
  /** Null to ask for no client certificate. */
  readonly clientCertificates: ClientCertificateSettings | null;
  readonly tickets: TicketSettings;
}

/** How clients prove who they are by a certificate. */
export interface ClientCertificateSettings {
  /** Absolute path of a PEM file with the trusted authorities. */
  readonly ca: string;
  /** The file's text. */
  readonly caPem: string;
  /** Whether a client without a certificate is refused. One with a bad certificate is refused in any case. */
  readonly isRequired: boolean;
  /** Absolute path of a PEM file with revocation lists; null for none. */
  readonly crl: string | null;
  /** The file's text. Null if and only if `crl` is null. */
  readonly crlPem: string | null;
  /** Whether endpoints get X-Forwarded-Client-Cert. */
  readonly forward: boolean;
  /** Digest of the contents of the files. */
  readonly digest: string;
}

/** The keys of session tickets (RFC 5077): made by the process and replaced at an interval, or read from a file. */
export type TicketSettings =
  | { readonly kind: 'rotate'; readonly rotateMs: number }
  | {
      readonly kind: 'file';
      /** Absolute path. */
      readonly keyFile: string;
      /** Base64 of 80 bytes each. The first encrypts, all decrypt. They are secret. */
      readonly keys: readonly string[];
    };

export interface Certificate {
  /** Absolute paths of PEM files. */
  readonly cert: string;
  readonly key: string;
  /** The texts of both files. A worker that restarts serves what was loaded, whatever the files have become. */
  readonly certPem: string;
  /** It is secret. */
  readonly keyPem: string;
  /** DNS names of the certificate in lower case, wildcards (`*.example.com`) included. */
  readonly serverNames: readonly string[];
  /** The first URI of the certificate, such as the SPIFFE ID of its holder; null without one. */
  readonly uri: string | null;
}

/**
 * What becomes of a client's offer of extensions. `passthrough`: the endpoint gets it, and decides. `off`: the endpoint
 * does not get it. `shared`: the engine `uws` compresses towards the client.
 */
export type Compression = 'passthrough' | 'off' | 'shared';

export interface WebSocketSettings {
  /** Max time from the client's request to the 101. */
  readonly handshakeTimeoutMs: number;
  /** Max bytes of a message: on the wire, or inflated with the engine `uws`. */
  readonly maxMessageSize: number;
  /** Time without a frame from either side, pongs included, after which a session is closed; 0 for never. */
  readonly idleTimeoutMs: number;
  /** Max lifetime, spread by 10% so that sessions opened together do not end together; 0 for no limit. */
  readonly maxLifetimeMs: number;
  /** Max bytes that wait for the client: above that, reading from the endpoint pauses. Engine `uws` only. */
  readonly downstreamBuffer: number;
  /** Max bytes that wait for the endpoint: above that, the session is closed with 1013. Engine `uws` only. */
  readonly upstreamBuffer: number;
  readonly compression: Compression;
  /** The close code that a client gets when its endpoint is lost: 1011 or 1014. */
  readonly endpointLostCode: number;
}

/** The treatment of paths that endpoints read in several ways. */
export interface PathSettings {
  /** Whether a path is refused if another reading of it takes a route with another effect. */
  readonly ambiguous: 'refuse' | 'pass';
  /** Whether each run of slashes becomes one, for routes and endpoints. */
  readonly mergeSlashes: boolean;
  /** `%2F` and `%5C` are kept, decoded to a slash, or refused. */
  readonly escapedSlashes: 'keep' | 'decode' | 'refuse';
  /** The part of a segment from `;` on is kept, cut off, or refused. */
  readonly pathParameters: 'keep' | 'strip' | 'refuse';
}

export type UnderscoreHeaders = 'drop' | 'pass' | 'refuse';

type ForwardedStyle = 'x' | 'rfc7239' | 'both' | 'off';

/** Settings of HTTP/1.x connections, and of requests that go to clusters. */
export interface HttpSettings extends ClientHttpSettings {
  /** Max time from the end of a request to the head of its response. */
  readonly requestTimeoutMs: number;
  /** Time without a byte after which a request or response under way is cut; 0 for never. */
  readonly idleTimeoutMs: number;
  /** Max bytes of a request's body; 0 for no limit. */
  readonly maxBodySize: number;
  /** Min rate of a request's body from the tenth second on, in bytes per second; 0 for no minimum. */
  readonly minBodyRate: number;
  /** Time for which an idle connection to an endpoint is kept for the next request; 0 to close it at once. */
  readonly keepAliveMs: number;
}

/** The client's side of HTTP/1.x. The engine `uws` has limits of its own instead. */
interface ClientHttpSettings {
  /** Max time from the first byte of a connection or request to the end of the request's head. */
  readonly headerTimeoutMs: number;
  /** Max bytes of a request's head. */
  readonly maxHeaderSize: number;
  /** Max header lines of a request. */
  readonly maxHeaders: number;
  /** Time for which an idle connection of a client is kept for the next request; 0 to close it behind each answer. */
  readonly clientKeepAliveMs: number;
  /** Max requests of one connection; 0 for no limit. */
  readonly maxRequestsPerConnection: number;
  /** Max time from the end of a request's head, or from an early answer, to the end of its body; 0 for no limit. */
  readonly bodyTimeoutMs: number;
}
