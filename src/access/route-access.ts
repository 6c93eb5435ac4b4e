import type { AccessSettings } from '../config/types/access.ts';
import { AddressRules } from './addresses/address-rules.ts';
import type { RevocationList } from './contract/access-services.ts';
import type { CredentialMethod } from './contract/credential-method.ts';
import type { LimitGuard } from './contract/limit-guard.ts';
import type { Principal } from './contract/principal.ts';
import { OriginRules } from './origins/origin-rules.ts';

/**
 * Max jitter as a fraction of the grace period. It spreads the ends of sessions whose tokens expire in the
 * same minute.
 */
const MAX_JITTER = 0.1;

/** Access rules and limits of one route. */
export class RouteAccess {
  /** Null admits every address. */
  readonly addresses: AddressRules | null;
  /** Null admits upgrades from every origin. */
  readonly origins: OriginRules | null;
  /** A client must pass all of them, in this order. */
  readonly methods: readonly CredentialMethod[];
  /** Null if the route has no limits. */
  readonly limits: LimitGuard | null;
  readonly revocations: RevocationList;
  readonly #closesAtExpiry: boolean;
  readonly #graceMs: number;
  readonly #leewayMs: number;
  readonly #random: () => number;

  /**
   * @param settings null to admit everyone
   * @param methods credential methods from the settings
   * @param random returns a number in [0, 1)
   */
  constructor(
    settings: AccessSettings | null,
    methods: readonly CredentialMethod[],
    limits: LimitGuard | null,
    revocations: RevocationList,
    random = Math.random,
  ) {
    const jwt = settings?.jwt ?? null;
    this.addresses = AddressRules.of(settings);
    const origins = settings?.origins ?? null;
    this.origins = origins === null ? null : new OriginRules(origins);
    this.methods = methods;
    this.limits = limits;
    this.revocations = revocations;
    this.#closesAtExpiry = jwt?.atExpiry === 'close';
    this.#graceMs = jwt?.graceMs ?? 0;
    this.#leewayMs = jwt?.leewayMs ?? 0;
    this.#random = random;
  }

  /**
   * Returns when a session of this principal ends, in milliseconds since 1970. Infinity for never. A token
   * admitted only by the leeway stays valid until the leeway ends. Otherwise its session would end at once,
   * and the client would reconnect.
   *
   * @param now milliseconds since 1970
   */
  endOf({ expiresAt }: Principal, now: number): number {
    if (!this.#closesAtExpiry || expiresAt === Infinity) return Infinity;
    const expiry = expiresAt > now ? expiresAt : expiresAt + this.#leewayMs;
    return Math.round(expiry + this.#graceMs * (1 + MAX_JITTER * this.#random()));
  }
}
