/** Listeners of both modes, and what each of them sets for its connections. */
import type { TcpAddress } from '../../core/address.ts';
import type { Route } from './route.ts';

export type Listener = L4Listener | L7Listener;

interface ListenerBase {
  readonly name: string;
  readonly address: TcpAddress;
  /** Connections at once over all workers; 0 is no limit. */
  readonly maxConnections: number;
}

/** What carries tunnels: an epoll loop over system calls (Linux), or Node's sockets. */
export type L4Engine = 'raw' | 'net';

export interface L4Listener extends ListenerBase {
  readonly mode: 'l4';
  readonly cluster: string;
  /** `auto` is raw where this machine and the cluster allow it; the primary replaces it for the workers. */
  readonly engine: 'auto' | L4Engine;
  /** A tunnel on which nothing crosses for so long is closed; 0 is never. */
  readonly idleTimeoutMs: number;
  /** Max time without a byte in a tunnel that one side has half-closed; 0 for no limit. */
  readonly halfCloseTimeoutMs: number;
}

export interface L7Listener extends ListenerBase {
  readonly mode: 'l7';
  readonly tls: ListenerTls | null;
  /** Upgrades that may be under way with endpoints at once, over all workers; 0 is no limit. */
  readonly maxPendingHandshakes: number;
  /** And how many more may wait, where there is a limit. */
  readonly maxQueuedHandshakes: number;
  /** CIDR blocks of the proxies in front whose X-Forwarded-* headers are believed. */
  readonly trustedProxies: readonly string[];
  /** What endpoints are told of the client: X-Forwarded-* (x), `Forwarded` (rfc7239), both, or nothing. */
  readonly forwarded: ForwardedStyle;
  /** Whether Via (RFC 9110 section 7.6.3) is added to requests and responses of clusters. */
  readonly via: boolean;
  /** What happens to request headers whose names have an underscore. */
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
}

export interface Certificate {
  /** Absolute paths of PEM files. */
  readonly cert: string;
  readonly key: string;
  /** Of the contents of both files: another where a certificate has been renewed under the same names. */
  readonly digest: string;
  /** DNS names of the certificate, lower case, wildcards (`*.example.com`) included. */
  readonly serverNames: readonly string[];
}

export type Compression = 'off' | 'shared';

export interface WebSocketSettings {
  /** From the client's request to 101. */
  readonly handshakeTimeoutMs: number;
  readonly maxMessageSize: number;
  /** A session on which nothing arrives from either side, pongs included, for so long is closed; 0 is never. */
  readonly idleTimeoutMs: number;
  /** 0 is none; spread by 10% so that sessions opened together do not end together. */
  readonly maxLifetimeMs: number;
  /** Above so many bytes waiting for the client its upstream is paused. */
  readonly downstreamBuffer: number;
  /** Above so many bytes waiting for the endpoint the session is closed with 1013. */
  readonly upstreamBuffer: number;
  readonly compression: Compression;
  /** The close code that a client gets when its endpoint is lost: 1011 or 1014. */
  readonly endpointLostCode: number;
}

/** What is done about paths that endpoints read in several ways. */
export interface PathSettings {
  /** Whether a path is refused if it would take a route with another effect under another reading. */
  readonly ambiguous: 'refuse' | 'pass';
  /** Whether each run of slashes becomes one, for routes and endpoints. */
  readonly mergeSlashes: boolean;
  /** `%2F` and `%5C`: left alone, made a slash, or refused. */
  readonly escapedSlashes: 'keep' | 'decode' | 'refuse';
  /** From `;` to the end of a segment: left alone, cut, or refused. */
  readonly pathParameters: 'keep' | 'strip' | 'refuse';
}

export type UnderscoreHeaders = 'drop' | 'pass' | 'refuse';

type ForwardedStyle = 'x' | 'rfc7239' | 'both' | 'off';

/** Of requests that go to clusters. */
export interface HttpSettings {
  /** From the end of a client's request to the head of its endpoint's response. */
  readonly requestTimeoutMs: number;
  /** A request or response under way of which nothing moves for so long is cut; 0 is never. */
  readonly idleTimeoutMs: number;
  /** Bytes that a request may bring along; 0 is no limit. */
  readonly maxBodySize: number;
  /** Min rate of a request's body from the tenth second on, in bytes per second; 0 for no minimum. */
  readonly minBodyRate: number;
  /** How long a connection to an endpoint is kept for the next request; 0 is not at all. */
  readonly keepAliveMs: number;
}
