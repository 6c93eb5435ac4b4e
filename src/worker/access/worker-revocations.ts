import type { RevocationList } from '../../access/contract/access-services.ts';
import { labelOf, type Principal } from '../../access/contract/principal.ts';
import type { Revocation } from '../../protocol/access.ts';
import type { FromWorker } from '../../protocol/from-worker.ts';

/** The revocations in force, as the primary has told them. */
export class WorkerRevocations implements RevocationList {
  readonly #say: (message: FromWorker) => void;
  #byPrincipal: ReadonlyMap<string, Revocation>;

  constructor(known: readonly Revocation[], say: (message: FromWorker) => void) {
    this.#say = say;
    this.#byPrincipal = indexOf(known);
  }

  isRevoked(principal: Principal): boolean {
    if (this.#byPrincipal.size === 0) return false;
    return (
      this.#isRevokedBy(this.#byPrincipal.get(labelOf(principal)), principal) ||
      this.#isRevokedBy(this.#byPrincipal.get(principal.name), principal)
    );
  }

  /** Takes the place of the revocations before. */
  replace(revocations: readonly Revocation[]): void {
    this.#byPrincipal = indexOf(revocations);
  }

  #isRevokedBy(revocation: Revocation | undefined, { issuedAt, expiresAt }: Principal): boolean {
    if (revocation === undefined || (issuedAt !== null && issuedAt >= revocation.at)) return false;
    if (expiresAt !== Infinity && expiresAt > revocation.until) {
      this.#say({ type: 'revoked_token', principal: revocation.principal, expiresAt });
    }
    return true;
  }
}

function indexOf(revocations: readonly Revocation[]): ReadonlyMap<string, Revocation> {
  return new Map(revocations.map((revocation) => [revocation.principal, revocation]));
}
