import type { JwtKeys } from '../../../config/types/access.ts';
import type { AccessServices } from '../../contract/access-services.ts';
import type { CheckOwner, Decision, PendingCheck, Refused } from '../../contract/credential-method.ts';
import type { KeyRing, VerifyKey } from './key-ring.ts';
import type { ParsedToken } from './parsed-token.ts';
import type { TokenCache, VerifiedToken } from './token-cache.ts';
import { refusalOf, type TokenProblem } from './token-problems.ts';
import { principalOf } from './token-rules.ts';

interface TokenCheckParts {
  readonly cache: TokenCache;
  readonly services: Pick<AccessServices, 'keySets' | 'yieldToNode'>;
  readonly keys: JwtKeys;
  readonly owner: CheckOwner;
}

/** A token before verification. */
interface UnverifiedToken {
  readonly token: ParsedToken;
  readonly digest: string;
}

/**
 * Checks one signature with WebCrypto, on another thread. If no key of a fetched set fits, requests a newer
 * set once: issuers use new keys soon after they publish them.
 */
export class TokenCheck implements PendingCheck {
  readonly #parts: TokenCheckParts;
  readonly #unverified: UnverifiedToken;
  readonly #decide: (verified: VerifiedToken) => Decision;
  #triedRing: KeyRing | null = null;
  #hasRefreshed = false;
  #isOver = false;
  #cancelPending: (() => void) | null = null;

  /** @param decide called after the signature was verified */
  constructor(
    parts: TokenCheckParts,
    unverified: UnverifiedToken,
    decide: (verified: VerifiedToken) => Decision,
  ) {
    this.#parts = parts;
    this.#unverified = unverified;
    this.#decide = decide;
  }

  /** Starts the check. Returns a refusal if there is no key to check with. */
  begin(): Refused | PendingCheck {
    const problem = this.#verify();
    return problem === null ? this : refusalOf(problem);
  }

  cancel(): void {
    this.#isOver = true;
    this.#cancelPending?.();
  }

  /** Returns null if the result comes later. */
  #verify(): TokenProblem | null {
    const { cache, keys, services } = this.#parts;
    const { token, digest } = this.#unverified;
    const ring = cache.ringOf(keys);
    if (ring === null) return this.#refreshOr('keySet');
    const candidates = ring.candidates(token.algorithm, token.keyName);
    if (candidates.length === 0) return this.#refreshOr('key');
    // The newer set is the same.
    if (ring === this.#triedRing) return 'signature';
    this.#triedRing = ring;
    this.#cancelPending = cache.verifications.begin(ring, digest, token, candidates, (key) =>
      this.#verified(key, candidates),
    );
    services.yieldToNode();
    return null;
  }

  /** Requests a newer set the first time. Returns the problem the second time. */
  #refreshOr(problem: TokenProblem): TokenProblem | null {
    const { keys, services } = this.#parts;
    if (keys.kind !== 'url' || this.#hasRefreshed) return problem;
    this.#hasRefreshed = true;
    this.#cancelPending = services.keySets.refresh(keys.url, () =>
      this.#end(this.#isOver ? null : this.#verify()),
    );
    return null;
  }

  #verified(key: VerifyKey | null, candidates: readonly VerifyKey[]): void {
    if (this.#isOver) return;
    if (key === null) {
      // A nameless key may have been replaced by another nameless key.
      const isNamed =
        this.#unverified.token.keyName !== null && candidates.every(({ name }) => name !== null);
      this.#end(isNamed ? 'signature' : this.#refreshOr('signature'));
      return;
    }
    const { token, digest } = this.#unverified;
    const { algorithm, claims, text } = token;
    const verified = { key: key.id, algorithm, principal: principalOf(claims) };
    this.#parts.cache.keep(digest, verified, text.length);
    this.#isOver = true;
    this.#parts.owner.decided(this.#decide(verified));
  }

  #end(problem: TokenProblem | null): void {
    if (problem === null) return;
    this.#isOver = true;
    this.#parts.owner.decided(refusalOf(problem));
  }
}
