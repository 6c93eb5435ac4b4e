/** Usage limits of listeners and routes. */

/**
 * A limit, counted separately for each key. A request without the key, such as a missing header, is not
 * limited.
 */
export interface LimitSettings {
  /** Name in metrics, logs and responses. Unique within its listener and routes. */
  readonly name: string;
  readonly key: LimitKey;
  /** Max concurrent sessions and requests per key, or tunnels at layer 4. Null for no limit. */
  readonly connections: number | null;
  /** Max upgrades, or connections at layer 4. Null for no limit. */
  readonly handshakes: RateLimit | null;
  /** Max requests other than upgrades. */
  readonly requests: RateLimit | null;
  /** Max WebSocket messages from clients. */
  readonly messages: RateLimit | null;
  /**
   * Max bytes from clients. Counts frame heads and control frames with `raw` and `net`, only payload with
   * `uws`.
   */
  readonly bytes: RateLimit | null;
  /** What happens to a session over the limit: `close` ends it, `slow` reads less from it. */
  readonly over: 'close' | 'slow';
  /** Whether the limit is counted in Redis, across machines. */
  readonly isShared: boolean;
  /** Max keys with a separate count. All further keys share one count. */
  readonly maxKeys: number;
}

/** A rate with its burst. */
export interface RateLimit {
  readonly perSecond: number;
  /** At least 1. */
  readonly burst: number;
}

/** The client property that a limit counts by. Header names are in lower case. */
export type LimitKey =
  | { readonly kind: 'address' | 'principal' | 'host' | 'route' }
  | { readonly kind: 'claim' | 'header' | 'cookie'; readonly name: string };

/** The Redis server that counts shared limits and distributes revocations. */
export interface RedisSettings {
  readonly url: string;
  /** Shared limits while the server does not answer: count in this process, or refuse. */
  readonly onFailure: 'local' | 'refuse';
  /** Prefix of all keys. */
  readonly prefix: string;
}

export interface RevocationSettings {
  /** Min time to keep a revocation. */
  readonly keepMs: number;
  /** Absolute path of the file that keeps revocations across restarts. Null to keep them in memory. */
  readonly file: string | null;
}
