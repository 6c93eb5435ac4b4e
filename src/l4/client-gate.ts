import { AddressRules } from '../access/addresses/address-rules.ts';
import type { LimitGuard, LimitGuards } from '../access/contract/limit-guard.ts';
import type { Listener } from '../config/types/listener.ts';
import type { AdmitResult } from '../transport/entry.ts';

const NOT_ALLOWED = { reason: 'access', detail: "the address rules refuse the client's address" } as const;

/**
 * Admits clients of tunnels by address: first by the listener's address rules, then by its limits per
 * address.
 */
export class ClientGate {
  readonly #rules: AddressRules | null;
  readonly #limits: LimitGuard | null;

  private constructor(rules: AddressRules | null, limits: LimitGuard | null) {
    this.#rules = rules;
    this.#limits = limits;
  }

  /** Returns the gate of a listener. Null if every client is admitted. */
  static of(
    { name, access, limits }: Pick<Listener, 'name' | 'access' | 'limits'>,
    guards: LimitGuards,
  ): ClientGate | null {
    const rules = AddressRules.of(access);
    const set = guards.guardFor(name, limits);
    return rules === null && set === null ? null : new ClientGate(rules, set);
  }

  /** Admits or refuses a client. @param address in the form of `normalizeIp` */
  admit(address: string): AdmitResult {
    if (this.#rules?.admits(address) === false) return NOT_ALLOWED;
    if (this.#limits === null) return null;
    const holds = this.#limits.open();
    const refusal = this.#limits.enterConnection(address, holds);
    if (refusal === null) return holds;
    return { reason: 'rate', detail: `limit "${refusal.limit}": ${refusal.detail}` };
  }
}
