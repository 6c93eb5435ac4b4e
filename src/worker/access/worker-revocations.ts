import type { RevocationList } from '../../access/contract/access-services.ts';
import { labelOf, type Principal } from '../../access/contract/principal.ts';
import { revocationNeededUntil } from '../../access/contract/revoked.ts';
import type { Revocation, RevocationsCommand } from '../../protocol/access.ts';
import type { FromWorker } from '../../protocol/from-worker.ts';

/** The current revocations, received from the primary. */
export class WorkerRevocations implements RevocationList {
  readonly #send: (message: FromWorker) => void;
  readonly #byPrincipal: Map<string, Revocation>;

  constructor(known: readonly Revocation[], send: (message: FromWorker) => void) {
    this.#send = send;
    this.#byPrincipal = new Map(known.map((revocation) => [revocation.principal, revocation]));
  }

  isRevoked(principal: Principal): boolean {
    if (this.#byPrincipal.size === 0) return false;
    return (
      this.#isRevokedBy(this.#byPrincipal.get(labelOf(principal)), principal) ||
      this.#isRevokedBy(this.#byPrincipal.get(principal.name), principal)
    );
  }

  handle({ changed, ended }: RevocationsCommand): void {
    for (const principal of ended) this.#byPrincipal.delete(principal);
    for (const revocation of changed) this.#byPrincipal.set(revocation.principal, revocation);
  }

  #isRevokedBy(revocation: Revocation | undefined, principal: Principal): boolean {
    const { issuedAt } = principal;
    if (revocation === undefined || (issuedAt !== null && issuedAt >= revocation.at)) return false;
    const neededUntil = revocationNeededUntil(principal);
    if (neededUntil !== null && neededUntil > revocation.until) {
      this.#send({ type: 'revoked_token', principal: revocation.principal, neededUntil });
    }
    return true;
  }
}
