/** Clusters: their endpoints, and the settings for reaching one that is up. */
import type { Address } from '../../core/address.ts';

export type BalancerName =
  'round_robin' | 'least_connections' | 'random' | 'p2c' | 'source_ip' | 'consistent_hash';
type Masking = 'zero' | 'random';

/** Key of consistent_hash. Header names are in lower case. */
export type HashOn =
  { readonly kind: 'source_ip' } | { readonly kind: 'header' | 'cookie' | 'query'; readonly name: string };

/** Cookie that returns a client to its endpoint. */
export interface Sticky {
  readonly cookie: string;
  /** Lifetime of the cookie. 0: until the browser is closed. */
  readonly ttlMs: number;
  /** Key that signs the cookie's value. Null: the process generates one. */
  readonly secret: string | null;
  readonly sameSite: 'lax' | 'strict' | 'none';
  /** When the cookie is Secure: always (`on`), or if the client uses TLS (`auto`). */
  readonly secure: 'auto' | 'on';
}

export interface Cluster {
  readonly name: string;
  readonly balancer: BalancerName;
  readonly hashOn: HashOn;
  /** Max connections of a consistent_hash endpoint, as a multiple of its share. 0 for no bound. */
  readonly loadFactor: number;
  readonly sticky: Sticky | null;
  /** Max time of one dial of one endpoint, including TLS. */
  readonly connectTimeoutMs: number;
  /** Max other endpoints to try after a failed dial or handshake. */
  readonly retries: number;
  readonly retryBudget: RetryBudgetSettings;
  /** Max open connections over all workers. 0 for no limit. */
  readonly maxConnections: number;
  /** Percentage of endpoints up below which all endpoints are used. 0 for never. */
  readonly panicThreshold: number;
  /** Null to eject no endpoint. */
  readonly outlier: OutlierSettings | null;
  /** Time until a new or recovered endpoint gets its full share. 0 gives it immediately. */
  readonly slowStartMs: number;
  readonly healthCheck: HealthCheck | null;
  /** Whether an endpoint's connections are kept or closed when its probes find it down. */
  readonly onDown: 'keep' | 'close';
  readonly resolve: ResolveSettings;
  readonly masking: Masking;
  /** PROXY protocol version for connections to endpoints, including probes. */
  readonly proxyProtocol: 'off' | 'v1' | 'v2';
  readonly tls: ClusterTls | null;
  readonly endpoints: readonly Endpoint[];
}

/** A cluster without its name and endpoints. */
export type ClusterSettings = Omit<Cluster, 'name' | 'endpoints'>;

/** Max retries over all connections, besides the limit per connection. */
interface RetryBudgetSettings {
  /** Retries per hundred connections of the last ten seconds. */
  readonly percent: number;
  /** Retries per second that each worker may make regardless of traffic. */
  readonly minPerSecond: number;
}

/**
 * Kinds of endpoint failures. `connect`: a dial fails, including TLS. `reset`: the connection breaks between
 * sending the upgrade or request and the response. `handshake`: the response to an upgrade is invalid or
 * late. `5xx`: status of the response.
 */
export type OutlierFailure = 'connect' | 'reset' | 'handshake' | '5xx';

/** When and for how long a failing endpoint is ejected. */
export interface OutlierSettings {
  /**
   * Failures that count. Clients can provoke all except `connect`, so the others need `windowMs` and
   * `minClients`.
   */
  readonly failures: readonly OutlierFailure[];
  /** Time window in which failures and successes are compared. */
  readonly windowMs: number;
  /** Min number of client addresses with failures. */
  readonly minClients: number;
  /** Consecutive failures that eject an endpoint. */
  readonly consecutiveFailures: number;
  /** Length of the first ejection. The second in a row lasts twice as long, the third three times as long. */
  readonly ejectionMs: number;
  readonly maxEjectionMs: number;
  readonly maxEjectedPercent: number;
}

/** Health check of endpoints. */
export interface HealthCheck {
  readonly type: 'tcp' | 'http' | 'websocket';
  readonly path: string;
  /** Host header of the probe. Null for the endpoint's own host. */
  readonly host: string | null;
  /** Inclusive range of passing statuses, for type http. */
  readonly status: { readonly min: number; readonly max: number };
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Consecutive passed probes that bring an endpoint up. */
  readonly rise: number;
  /** Consecutive failed probes that take an endpoint down. */
  readonly fall: number;
}

/** Resolution of endpoint names. */
export interface ResolveSettings {
  /**
   * `system`: the system's resolver, including its hosts file. `a`: A and AAAA records. `srv`: SRV records.
   */
  readonly type: 'system' | 'a' | 'srv';
  /** Max time until a name is resolved again. */
  readonly intervalMs: number;
  /** Addresses of DNS servers. Empty for the system's. */
  readonly servers: readonly string[];
}

export interface ClusterTls {
  /** Name for SNI and verification. Null for the endpoint's host if that is a name. */
  readonly serverName: string | null;
  /** PEM text of the trusted authorities. Null for the system's. */
  readonly ca: string | null;
  readonly verify: boolean;
  /** PEM text of a client certificate. Null if and only if `key` is null. */
  readonly cert: string | null;
  readonly key: string | null;
}

export interface Endpoint {
  readonly address: Address;
  /**
   * At least 1. Weight 2 gets twice the connections of weight 1. The addresses of a name share the weight.
   */
  readonly weight: number;
  /** Max open connections over all workers. 0 for no limit. */
  readonly maxConnections: number;
}

/** Absolute paths of a cluster's PEM and secret files. Null for those that it does not use. */
export interface ClusterFiles {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly stickySecret: string | null;
}
