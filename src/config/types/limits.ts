/** How much clients may use of a listener or a route. */

/**
 * A limit, which holds for each key by itself. A request without the key (the header, for example) is not
 * limited.
 */
export interface LimitSettings {
  /** Name in metrics, logs and answers: unique within its listener and routes. */
  readonly name: string;
  readonly key: LimitKey;
  /** Max sessions and requests of the key at once, at layer 4 tunnels; null for no limit. */
  readonly connections: number | null;
  /** Max upgrades, at layer 4 connections; null for no limit. */
  readonly handshakes: RateLimit | null;
  /** Max requests that are no upgrades. */
  readonly requests: RateLimit | null;
  /** Max WebSocket messages that clients send. */
  readonly messages: RateLimit | null;
  /** Max bytes that clients send: on `raw` and `net` with heads and control frames, else payload. */
  readonly bytes: RateLimit | null;
  /** What happens to a session that sends more: `close` ends it, `slow` reads less from it. */
  readonly over: 'close' | 'slow';
  /** Whether the limit is counted in Redis, over all machines. */
  readonly isShared: boolean;
  /** Max keys that are counted apart. Others share one count. */
  readonly maxKeys: number;
}

/** A rate, and how much may come at once. */
export interface RateLimit {
  readonly perSecond: number;
  /** At least 1. */
  readonly burst: number;
}

/** What a limit tells clients apart by. Names of headers are in lower case. */
export type LimitKey =
  | { readonly kind: 'address' | 'principal' | 'host' | 'route' }
  | { readonly kind: 'claim' | 'header' | 'cookie'; readonly name: string };

/** The Redis server that counts shared limits, and spreads revocations. */
export interface RedisSettings {
  readonly url: string;
  /** What shared limits do while the server does not answer: count in this process, or refuse. */
  readonly onFailure: 'local' | 'refuse';
  /** Prefix of all keys. */
  readonly prefix: string;
}

export interface RevocationSettings {
  /** Min time for which a revocation is kept. */
  readonly keepMs: number;
  /** Absolute path of the file that keeps revocations over a restart; null to keep them in memory. */
  readonly file: string | null;
}
