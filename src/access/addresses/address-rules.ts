import type { AccessSettings } from '../../config/types/access.ts';
import { AddressSet } from '../../core/address-set.ts';

/** Admits or refuses clients by address. */
export class AddressRules {
  readonly #deny: AddressSet;
  /** Null allows all. */
  readonly #allow: AddressSet | null;

  private constructor(deny: readonly string[], allow: readonly string[] | null) {
    this.#deny = AddressSet.of(deny);
    this.#allow = allow === null ? null : AddressSet.of(allow);
  }

  /** Returns the rules in the settings. Null if they admit every address. */
  static of(settings: Pick<AccessSettings, 'deny' | 'allow'> | null): AddressRules | null {
    if (settings === null || (settings.deny.length === 0 && settings.allow === null)) return null;
    return new AddressRules(settings.deny, settings.allow);
  }

  /**
   * Whether a client is admitted. `deny` takes precedence over `allow`. An unknown address is in no block.
   *
   * @param address as written by `normalizeIp`
   */
  admits(address: string): boolean {
    return !this.#deny.has(address) && (this.#allow === null || this.#allow.has(address));
  }
}
