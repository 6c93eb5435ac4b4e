import { createHmac } from 'node:crypto';
import type { Sticky } from '../config/types/cluster.ts';
import type { Endpoint } from './endpoint.ts';

const SAME_SITE = { lax: 'Lax', strict: 'Strict', none: 'None' } as const;

/**
 * Cookie that returns a client to the same endpoint. Its value is a MAC of the endpoint's address under the
 * secret. A client cannot forge the value or read the address from it. All workers compute the same value,
 * and with a configured secret all proxies do. A lookup in the table of values verifies it.
 */
export class StickyCookie {
  readonly #config: Sticky;
  readonly #cluster: string;
  readonly #secret: string;
  #byValue: ReadonlyMap<string, Endpoint> = new Map();
  #values: ReadonlyMap<Endpoint, string> = new Map();

  /** @param processSecret used if no secret is configured */
  constructor(config: Sticky, cluster: string, processSecret: string) {
    this.#config = config;
    this.#cluster = cluster;
    this.#secret = config.secret ?? processSecret;
  }

  update(endpoints: readonly Endpoint[]): void {
    const known = this.#values;
    this.#values = new Map(
      endpoints.map((endpoint) => [endpoint, known.get(endpoint) ?? this.#valueOf(endpoint.label)]),
    );
    this.#byValue = new Map(Array.from(this.#values, ([endpoint, value]) => [value, endpoint]));
  }

  /** Returns the endpoint of a cookie value. Null if the value is unknown. */
  endpointOf(value: string): Endpoint | null {
    return this.#byValue.get(value) ?? null;
  }

  /**
   * Returns the Set-Cookie header (RFC 6265 section 4.1) that binds a client to this endpoint. Null if the
   * client already has the cookie and `ttl` is 0, so it needs no renewal.
   *
   * @param shown cookie values that the client sent
   * @param secure whether the client uses TLS, to this proxy or to a proxy in front
   */
  headerFor(endpoint: Endpoint, shown: readonly string[], secure: boolean): string | null {
    const { cookie, ttlMs, sameSite } = this.#config;
    const value = this.#values.get(endpoint);
    if (value === undefined || (ttlMs === 0 && shown.includes(value))) return null;
    const age = ttlMs === 0 ? '' : `; Max-Age=${Math.ceil(ttlMs / 1000)}`;
    const security = secure || this.#config.secure === 'on' ? '; Secure' : '';
    return `${cookie}=${value}; Path=/; HttpOnly; SameSite=${SAME_SITE[sameSite]}${security}${age}`;
  }

  #valueOf(label: string): string {
    const mac = createHmac('sha256', this.#secret).update(`${this.#cluster}\n${label}`).digest();
    return mac.subarray(0, 16).toString('base64url');
  }
}
