/** Clusters: their endpoints, and how connections find one that is up. */
import type { Address } from '../../core/address.ts';

export type BalancerName =
  'round_robin' | 'least_connections' | 'random' | 'p2c' | 'source_ip' | 'consistent_hash';
type Masking = 'zero' | 'random';

/** The key of consistent_hash. The name of a header is in lower case. */
export type HashOn =
  { readonly kind: 'source_ip' } | { readonly kind: 'header' | 'cookie' | 'query'; readonly name: string };

/** The cookie that returns a client to its endpoint. */
export interface Sticky {
  readonly cookie: string;
  /** Time for which a client keeps the cookie; 0 until its browser is closed. */
  readonly ttlMs: number;
  /** Key that signs the cookie's value; null if the process makes its own. */
  readonly secret: string | null;
  readonly sameSite: 'lax' | 'strict' | 'none';
  /** When the cookie is Secure: always (`on`), or if the client uses TLS (`auto`). */
  readonly secure: 'auto' | 'on';
}

export interface Cluster {
  readonly name: string;
  readonly balancer: BalancerName;
  readonly hashOn: HashOn;
  /** Max connections of an endpoint of consistent_hash, as a multiple of its share; 0 for no bound. */
  readonly loadFactor: number;
  readonly sticky: Sticky | null;
  /** Max time of one dial of one endpoint, TLS included. */
  readonly connectTimeoutMs: number;
  /** Max other endpoints that are tried after a failed dial or handshake. */
  readonly retries: number;
  readonly retryBudget: RetryBudgetSettings;
  /** Max open connections over all workers; 0 for no limit. */
  readonly maxConnections: number;
  /** Min percentage of endpoints that are up. Below it, all endpoints are used; 0 for never. */
  readonly panicThreshold: number;
  /** Null to eject no endpoint. */
  readonly outlier: OutlierSettings | null;
  /** Time in which a new or recovered endpoint reaches its full share; 0 for at once. */
  readonly slowStartMs: number;
  readonly healthCheck: HealthCheck | null;
  /** Whether the connections of an endpoint that its probes find down are kept or closed. */
  readonly onDown: 'keep' | 'close';
  readonly resolve: ResolveSettings;
  readonly masking: Masking;
  /** Whether connections to endpoints, probes included, start with a PROXY header, and in which version. */
  readonly proxyProtocol: 'off' | 'v1' | 'v2';
  readonly tls: ClusterTls | null;
  readonly endpoints: readonly Endpoint[];
}

/** Max retries over all connections, besides the limit for one connection. */
interface RetryBudgetSettings {
  /** Retries for each hundred connections of the last ten seconds. */
  readonly percent: number;
  /** Retries per second that every worker may make regardless of traffic. */
  readonly minPerSecond: number;
}

/**
 * How an endpoint may fail. `connect`: a dial fails, TLS included. `reset`: the connection breaks after the upgrade or
 * request was sent and before it is answered. `handshake`: an upgrade is answered wrongly or too late. `5xx`: the status
 * of the answer.
 */
export type OutlierFailure = 'connect' | 'reset' | 'handshake' | '5xx';

/** When a failing endpoint is ejected, and for how long. */
export interface OutlierSettings {
  /** Failures that count. Clients can provoke all except `connect`, so these need `windowMs` and `minClients`. */
  readonly failures: readonly OutlierFailure[];
  /** Time within which failures and successes are compared. */
  readonly windowMs: number;
  /** Min number of client addresses that must have met failures. */
  readonly minClients: number;
  /** Failures in a row that eject an endpoint. */
  readonly consecutiveFailures: number;
  /** Length of the first ejection. The second in a row lasts twice as long, the third three times. */
  readonly ejectionMs: number;
  readonly maxEjectionMs: number;
  readonly maxEjectedPercent: number;
}

/** How an endpoint's health is probed. */
export interface HealthCheck {
  readonly type: 'tcp' | 'http' | 'websocket';
  readonly path: string;
  /** Host header of the probe; null for the endpoint's own host. */
  readonly host: string | null;
  /** Range of good statuses for type http, both ends included. */
  readonly status: { readonly min: number; readonly max: number };
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Good probes in a row that bring an endpoint up. */
  readonly rise: number;
  /** Bad probes in a row that take an endpoint down. */
  readonly fall: number;
}

/** How names of endpoints are looked up. */
export interface ResolveSettings {
  /** By the system (with its hosts file), by A and AAAA records, or by SRV records. */
  readonly type: 'system' | 'a' | 'srv';
  /** Max time until a name is looked up again. */
  readonly intervalMs: number;
  /** Addresses of DNS servers; empty for the system's. */
  readonly servers: readonly string[];
}

export interface ClusterTls {
  /** Name for SNI and verification; null for the endpoint's host if that is a name. */
  readonly serverName: string | null;
  /** PEM text of the trusted authorities; null for the system's. */
  readonly ca: string | null;
  readonly verify: boolean;
  /** PEM text of a client certificate. Null if and only if `key` is null. */
  readonly cert: string | null;
  readonly key: string | null;
}

export interface Endpoint {
  readonly address: Address;
  /** 1 or more: weight 2 gets twice the connections of weight 1. The addresses of a name share the weight. */
  readonly weight: number;
  /** Max open connections over all workers; 0 for no limit. */
  readonly maxConnections: number;
}
