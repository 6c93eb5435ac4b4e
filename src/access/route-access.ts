import type { AccessSettings } from '../config/types/access.ts';
import { AddressRules } from './addresses/address-rules.ts';
import type { RevocationList } from './contract/access-services.ts';
import type { CredentialMethod } from './contract/credential-method.ts';
import type { LimitGuard } from './contract/limit-guard.ts';
import type { Principal } from './contract/principal.ts';
import { OriginRules } from './origins/origin-rules.ts';

/**
 * Max jitter as a fraction of the grace period: tokens that expire in one minute do not end their sessions
 * together.
 */
const MAX_JITTER = 0.1;

/** Who may use one route, and how much. */
export class RouteAccess {
  /** Null if every address may. */
  readonly addresses: AddressRules | null;
  /** Null if upgrades of every origin may. */
  readonly origins: OriginRules | null;
  /** All of them must pass, in this order. */
  readonly methods: readonly CredentialMethod[];
  /** Null without limits. */
  readonly limits: LimitGuard | null;
  readonly revocations: RevocationList;
  readonly #closesAtExpiry: boolean;
  readonly #graceMs: number;
  readonly #leewayMs: number;
  readonly #random: () => number;

  /**
   * @param settings null to let everybody in
   * @param methods those of the settings
   * @param random returns a number from 0 to 1
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
   * Returns when a session of a principal ends, in milliseconds since 1970; Infinity for never. A token that only the leeway
   * has let in counts until the leeway is over: else its session would end at once, and the client come again.
   *
   * @param now milliseconds since 1970
   */
  endOf({ expiresAt }: Principal, now: number): number {
    if (!this.#closesAtExpiry || expiresAt === Infinity) return Infinity;
    const expiry = expiresAt > now ? expiresAt : expiresAt + this.#leewayMs;
    return Math.round(expiry + this.#graceMs * (1 + MAX_JITTER * this.#random()));
  }
}
