import type { AccessSettings } from '../../config/types/access.ts';
import { AddressSet } from '../../core/address-set.ts';

/** Which clients are let in by their addresses. */
export class AddressRules {
  readonly #deny: AddressSet;
  /** Null for all. */
  readonly #allow: AddressSet | null;

  private constructor(deny: readonly string[], allow: readonly string[] | null) {
    this.#deny = AddressSet.of(deny);
    this.#allow = allow === null ? null : AddressSet.of(allow);
  }

  /** Returns the rules of settings; null if they let every address in. */
  static of(settings: Pick<AccessSettings, 'deny' | 'allow'> | null): AddressRules | null {
    if (settings === null || (settings.deny.length === 0 && settings.allow === null)) return null;
    return new AddressRules(settings.deny, settings.allow);
  }

  /**
   * Whether a client is let in. Denied blocks win. A client whose address is unknown is in no block.
   *
   * @param address as `normalizeIp` writes it
   */
  admits(address: string): boolean {
    return !this.#deny.has(address) && (this.#allow === null || this.#allow.has(address));
  }
}
