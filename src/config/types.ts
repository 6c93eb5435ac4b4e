/**
 * The configuration as the rest of sluice sees it: checked, complete (every default filled in), normalised
 * (durations in milliseconds, sizes in bytes, absolute paths) and never changed after loading.
 */
import type { Address, TcpAddress } from '../core/address.ts';

export interface Config {
  readonly workers: WorkerSettings;
  readonly admin: AdminSettings;
  readonly log: LogSettings;
  readonly shutdown: ShutdownSettings;
  readonly drain: DrainSettings;
  /** Which clusters the built-in demo backends serve; null where they are not wanted. */
  readonly demo: DemoSettings | null;
  readonly listeners: readonly Listener[];
  readonly clusters: readonly Cluster[];
}

interface AdminSettings {
  readonly address: TcpAddress;
  /** Host names in lower case that requests may have, beside IP addresses, `localhost` and the name in `address`. */
  readonly hosts: readonly string[];
  /** Who shows it may change things (`POST`); null where nobody may. */
  readonly token: string | null;
}

/** Threads of each kind, where `auto` has been replaced by the number of available cores, and what they share. */
interface WorkerSettings {
  readonly l7: number;
  readonly l4: number;
  /** Bytes that may wait in the sessions of all workers together; `auto` is a quarter of the memory there is. */
  readonly bufferBudget: number;
  /** Silence that makes a worker stuck; 0 for never. */
  readonly stuckAfterMs: number;
}

interface ShutdownSettings {
  readonly graceMs: number;
  /** How long `/readyz` says 503 before a shutdown or a drain of everything begins. */
  readonly readyDelayMs: number;
}

/** How what is drained is ended. */
export interface DrainSettings {
  /** Sessions and tunnels a second over all workers. */
  readonly rate: number;
  readonly deadlineMs: number;
  /** The turn of each is put off by a random time up to this. */
  readonly jitterMs: number;
}

type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

interface LogSettings {
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty';
  /** Whether requests, refused handshakes, sessions and tunnels have lines. */
  readonly access: boolean;
  /** Absolute path of the file that the log goes to; null for standard output. */
  readonly file: string | null;
}

/** Names of clusters whose endpoints the demo listens on. */
export interface DemoSettings {
  readonly echo: string | null;
  readonly chat: string | null;
}

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

export interface Route {
  /** Label of the route in metrics and logs: as configured, else `route-1` by its place in the list. */
  readonly name: string;
  readonly match: RouteMatch;
  readonly action: RouteAction;
  readonly headers: RouteHeaders;
}

/** What a route changes in the headers of requests that go upstream, and of all its answers. */
export interface RouteHeaders {
  readonly request: HeaderChanges;
  readonly response: HeaderChanges;
}

/** Names are lower case. */
export interface HeaderChanges {
  /** In place of what was received. */
  readonly set: ReadonlyMap<string, string>;
  /** Beside what was received. */
  readonly add: ReadonlyMap<string, string>;
  readonly remove: readonly string[];
}

/** Every condition that is set must hold. Host, header and subprotocol names are lower case. */
export interface RouteMatch {
  /** `example.com` or `*.example.com` (one label or more in place of the star), without a port. */
  readonly host: string | null;
  readonly path: string | null;
  /** Matches on segment borders: `/chat` matches `/chat` and `/chat/x`, not `/chatter`. */
  readonly pathPrefix: string | null;
  /** Source of a regular expression in RE2 syntax, which `LinearExpression` takes. */
  readonly pathRegex: string | null;
  readonly headers: ReadonlyMap<string, string>;
  readonly query: ReadonlyMap<string, string>;
  /** One of the subprotocols that the client offers; compared as it stands. */
  readonly subprotocol: string | null;
}

export type RouteAction = ClusterAction | StaticAction | RespondAction | RedirectAction;

export interface ClusterAction {
  readonly kind: 'cluster';
  readonly cluster: string;
  /** Whether the route takes WebSocket handshakes only, plain requests also, or plain requests alone. */
  readonly upgrade: UpgradePolicy;
  readonly rewrite: Rewrite;
}

type UpgradePolicy = 'only' | 'also' | 'never';

/** What of a request changes before it goes upstream; null is left as it is. */
export interface Rewrite {
  /** In place of the client's Host. */
  readonly host: string | null;
  /** Prefix taken off the path. */
  readonly stripPrefix: string | null;
  /** In place of the path, with `$1`..`$9` for the groups of the route's pathRegex; not with a prefix to strip. */
  readonly path: string | null;
}

export interface StaticAction {
  readonly kind: 'static';
  /** Absolute path of a directory. */
  readonly root: string;
  /** File name served for a path that ends in a slash. */
  readonly index: string;
  /** Path below the root of the file that is served, with 200, where there is none; null for 404. */
  readonly fallback: string | null;
  /** Whether `file.br` and `file.gz` are sent in place of `file` to clients that take them. */
  readonly precompressed: boolean;
  /** Cache-Control of what is served; null for none. */
  readonly cacheControl: string | null;
}

export interface RespondAction {
  readonly kind: 'respond';
  readonly status: number;
  readonly body: string;
  readonly contentType: string;
}

export interface RedirectAction {
  readonly kind: 'redirect';
  /** Target with `$1`..`$9` for the groups of the route's pathRegex. */
  readonly to: string;
  readonly status: 301 | 302 | 303 | 307 | 308;
}

export type BalancerName =
  'round_robin' | 'least_connections' | 'random' | 'p2c' | 'source_ip' | 'consistent_hash';
type Masking = 'zero' | 'random';

/** What of a client consistent_hash goes by; the name of a header is lower case. */
export type HashOn =
  { readonly kind: 'source_ip' } | { readonly kind: 'header' | 'cookie' | 'query'; readonly name: string };

/** A cookie that brings a client back to the endpoint that it had. */
export interface Sticky {
  readonly cookie: string;
  /** How long a client keeps it; 0 is until its browser is closed. */
  readonly ttlMs: number;
  /** Key of the cookie's value; null where the process makes one of its own. */
  readonly secret: string | null;
  readonly sameSite: 'lax' | 'strict' | 'none';
  /** When the cookie is Secure: always (`on`), or if the client uses TLS (`auto`). */
  readonly secure: 'auto' | 'on';
}

export interface Cluster {
  readonly name: string;
  readonly balancer: BalancerName;
  readonly hashOn: HashOn;
  /** No endpoint of consistent_hash gets more than so many times its share of the connections; 0 is no bound. */
  readonly loadFactor: number;
  readonly sticky: Sticky | null;
  /** For one dial (TCP, and TLS where the cluster has it) to one endpoint. */
  readonly connectTimeoutMs: number;
  /** Other endpoints tried when a dial or handshake fails. */
  readonly retries: number;
  readonly retryBudget: RetryBudgetSettings;
  /** Connections at once over all workers; 0 is no limit. */
  readonly maxConnections: number;
  /** Where less than so many percent of the endpoints are up, all are used; 0 is never. */
  readonly panicThreshold: number;
  /** Null where failing endpoints are not ejected. */
  readonly outlier: OutlierSettings | null;
  /** How long an endpoint that comes, or comes back, takes to get its full share; 0 is no time. */
  readonly slowStartMs: number;
  readonly healthCheck: HealthCheck | null;
  /** What happens to the connections of an endpoint that its probes have found down. */
  readonly onDown: 'keep' | 'close';
  readonly resolve: ResolveSettings;
  readonly masking: Masking;
  readonly tls: ClusterTls | null;
  readonly endpoints: readonly Endpoint[];
}

/** How many retries there may be, beside the bound for one connection. */
interface RetryBudgetSettings {
  /** For each hundred connections of the last ten seconds. */
  readonly percent: number;
  /** In every worker, however little traffic there is. */
  readonly minPerSecond: number;
}

/**
 * How an endpoint may fail: `connect` is a dial, TLS included; `reset` breaks an upgrade or request that has been sent,
 * before it is answered; `handshake` answers an upgrade wrongly or too late; `5xx` answers with such a status.
 */
export type OutlierFailure = 'connect' | 'reset' | 'handshake' | '5xx';

/** When an endpoint that fails gets no connections for a while. */
export interface OutlierSettings {
  /** Failures that count. Clients can provoke all but `connect`, which therefore need the two settings below. */
  readonly failures: readonly OutlierFailure[];
  /** Failures and successes within this time are compared. */
  readonly windowMs: number;
  /** Client addresses that must have met failures. */
  readonly minClients: number;
  /** So many failures in a row eject it. */
  readonly consecutiveFailures: number;
  /** For how long; twice as long the second time in a row, three times the third. */
  readonly ejectionMs: number;
  readonly maxEjectionMs: number;
  readonly maxEjectedPercent: number;
}

/** How an endpoint's health is probed. */
export interface HealthCheck {
  readonly type: 'tcp' | 'http' | 'websocket';
  readonly path: string;
  /** The Host header; null takes the endpoint's own. */
  readonly host: string | null;
  /** The statuses that an answer of type http may have, both included. */
  readonly status: { readonly least: number; readonly most: number };
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Good probes in a row that bring an endpoint up, and bad ones that take it down. */
  readonly rise: number;
  readonly fall: number;
}

/** How names of endpoints are looked up. */
export interface ResolveSettings {
  /** By the system (its hosts file included), by A and AAAA records, or by SRV records. */
  readonly type: 'system' | 'a' | 'srv';
  /** The longest time until a name is looked up again. */
  readonly intervalMs: number;
  /** Addresses of DNS servers; none takes the system's. */
  readonly servers: readonly string[];
}

export interface ClusterTls {
  /** Name for SNI and verification; null takes the endpoint's host where that is a name. */
  readonly serverName: string | null;
  /** PEM text of the authorities to trust; null takes the system's. */
  readonly ca: string | null;
  readonly verify: boolean;
  /** PEM text of a client certificate and its key, both or neither. */
  readonly cert: string | null;
  readonly key: string | null;
}

export interface Endpoint {
  readonly address: Address;
  /** 1 or more: weight 2 gets twice the connections of weight 1. The addresses of a name share its weight. */
  readonly weight: number;
  /** Connections at once over all workers; 0 is no limit. */
  readonly maxConnections: number;
}
