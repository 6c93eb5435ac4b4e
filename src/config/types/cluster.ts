/** Clusters: their endpoints, and how connections find one that is up. */
import type { Address } from '../../core/address.ts';

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
  readonly status: { readonly min: number; readonly max: number };
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
