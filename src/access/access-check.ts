import { copyOfText } from '../core/copy.ts';
import type { RequestHead } from '../wire/http/request-head.ts';
import { CheckedAdmission } from './admission/checked-admission.ts';
import { connectionPrincipal } from './admission/connection-principal.ts';
import type { AccessRequest } from './contract/access-request.ts';
import type { Admission } from './contract/admission.ts';
import {
  isPending,
  type CheckOwner,
  type Decision,
  type Granted,
  type PendingCheck,
  type Refused,
} from './contract/credential-method.ts';
import type { LimitHolds, LimitRefusal } from './contract/limit-guard.ts';
import type { Principal } from './contract/principal.ts';
import { refusedAsRevoked } from './contract/revoked.ts';
import type { RouteAccess } from './route-access.ts';

/** Why a request is refused: failed access rules or an exceeded limit. */
export type AccessRefusal = ({ readonly by: 'access' } & Refused) | ({ readonly by: 'limit' } & LimitRefusal);

const ADDRESS_REFUSED: AccessRefusal = {
  by: 'access',
  granted: false,
  status: 403,
  reason: 'address',
  detail: 'the address is not allowed',
  headers: [],
  body: null,
};

/** An admitted request. */
export interface Entry {
  readonly admission: Admission;
  /** The head for endpoints, without credentials that they must not see. */
  readonly head: RequestHead;
  /** Headers for endpoints: name, value, name, value ... */
  readonly forwarded: readonly string[];
  /** The subprotocol in the response if the endpoint chooses none. Null for none. */
  readonly subprotocol: string | null;
}

/** Receives the result of a credential check that was not decided at once. */
export interface AccessCheckOwner {
  /** Called when all credentials are valid. {@link AccessCheck.finish} is next. */
  credentialsAccepted(): void;
  refused(refusal: AccessRefusal): void;
}

/**
 * Checks one request in three steps: address, limits by address, and origin; credentials; limits by
 * principal. A step that refuses releases the places that earlier steps took.
 */
export class AccessCheck implements CheckOwner {
  readonly #access: RouteAccess;
  readonly #request: AccessRequest;
  readonly #holds: LimitHolds | null;
  readonly #forwarded: string[] = [];
  #head: RequestHead;
  #principal: Principal | null = null;
  #subprotocol: string | null = null;
  /** Index of the next credential method. */
  #next = 0;
  #pending: PendingCheck | null = null;
  #owner: AccessCheckOwner | null = null;

  constructor(access: RouteAccess, request: AccessRequest) {
    this.#access = access;
    this.#request = request;
    this.#head = request.head;
    this.#holds = access.limits?.open() ?? null;
  }

  /** Checks the address, the limits by address, and the origin. Returns null if they pass. */
  begin(): AccessRefusal | null {
    const { addresses, limits, origins } = this.#access;
    const { client } = this.#request;
    if (addresses?.admits(client.address) === false) {
      return ADDRESS_REFUSED;
    }
    if (limits !== null) {
      const refusal = limits.enter('address', this.#request, null, this.#holds!);
      if (refusal !== null) return this.#refuse({ by: 'limit', ...refusal });
    }
    const refused = origins === null ? null : origins.refusalOf(this.#request);
    return refused === null ? null : this.#refuse({ by: 'access', ...refused });
  }

  /** Whether the route has credential methods, so that {@link checkCredentials} is the next step. */
  get needsCredentials(): boolean {
    return this.#access.methods.length > 0;
  }

  /**
   * Checks the credentials.
   *
   * @param owner called if the result comes later, unless the check is cancelled
   * @returns null if they are valid, a refusal, or `pending`
   */
  checkCredentials(owner: AccessCheckOwner): AccessRefusal | null | 'pending' {
    this.#owner = owner;
    return this.#checkRemaining();
  }

  /** Checks the limits by principal. Returns the admission, or a refusal. */
  finish(): Entry | AccessRefusal {
    const { limits, revocations } = this.#access;
    // The principal may have been revoked while a later method was pending.
    if (this.#principal !== null && revocations.isRevoked(this.#principal)) {
      return this.#refuse({ by: 'access', ...refusedAsRevoked(this.#principal) });
    }
    const { client } = this.#request;
    const address = copyOfText(client.address);
    const principal =
      this.#principal ?? connectionPrincipal(address, copyOfText(client.certificate?.subject ?? ''));
    const refusal = limits?.enter('principal', this.#request, principal, this.#holds!) ?? null;
    if (refusal !== null) return this.#refuse({ by: 'limit', ...refusal });
    return {
      admission: new CheckedAdmission(
        address,
        principal,
        this.#access.endOf(principal, Date.now()),
        this.#holds,
      ),
      head: this.#head,
      forwarded: this.#forwarded,
      subprotocol: this.#subprotocol,
    };
  }

  /** Ends the check because its client has left or the time is over. */
  cancel(): void {
    this.#pending?.cancel();
    this.#pending = null;
    this.#holds?.release();
  }

  decided(decision: Decision): void {
    this.#pending = null;
    const refusal = decision.granted ? this.#grant(decision) : this.#refuse({ by: 'access', ...decision });
    const end = refusal ?? this.#checkRemaining();
    if (end === null) this.#owner!.credentialsAccepted();
    else if (end !== 'pending') this.#owner!.refused(end);
  }

  #checkRemaining(): AccessRefusal | null | 'pending' {
    const { methods } = this.#access;
    while (this.#next < methods.length) {
      const method = methods[this.#next]!;
      this.#next++;
      const request =
        this.#head === this.#request.head ? this.#request : { ...this.#request, head: this.#head };
      const result = method.check(request, this);
      if (isPending(result)) {
        this.#pending = result;
        return 'pending';
      }
      if (!result.granted) return this.#refuse({ by: 'access', ...result });
      this.#grant(result);
    }
    return null;
  }

  #grant({ principal, forwarded, head, subprotocol }: Granted): null {
    // The first method that names the client counts, because the strongest proof comes first.
    this.#principal ??= principal;
    for (const text of forwarded) this.#forwarded.push(text);
    if (head !== null) this.#head = head;
    this.#subprotocol ??= subprotocol;
    return null;
  }

  #refuse(refusal: AccessRefusal): AccessRefusal {
    this.#holds?.release();
    return refusal;
  }
}

/** Whether the last step of a check admitted the request. */
export function isEntry(end: Entry | AccessRefusal): end is Entry {
  return 'admission' in end;
}
