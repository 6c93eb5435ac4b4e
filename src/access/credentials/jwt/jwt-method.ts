import { hash } from 'node:crypto';
import type { JwtSettings } from '../../../config/types/access.ts';
import type { AccessRequest } from '../../contract/access-request.ts';
import type { AccessServices } from '../../contract/access-services.ts';
import type {
  CheckOwner,
  CredentialMethod,
  Decision,
  PendingCheck,
} from '../../contract/credential-method.ts';
import { MAX_TOKEN_BYTES, parseToken } from './parsed-token.ts';
import { TokenCheck } from './token-check.ts';
import { TokenCache, type VerifiedToken } from './token-cache.ts';
import { findToken, type FoundToken } from './token-finder.ts';
import { refusalOf } from './token-problems.ts';
import { TokenRules } from './token-rules.ts';

/** Authenticates clients by JSON Web Token (RFC 7519). Decides a recently verified token at once. */
export class JwtMethod implements CredentialMethod {
  readonly #settings: JwtSettings;
  readonly #services: AccessServices;
  readonly #cache: TokenCache;
  readonly #rules: TokenRules;

  constructor(settings: JwtSettings, services: AccessServices) {
    this.#settings = settings;
    this.#services = services;
    this.#cache = TokenCache.of(services.keySets);
    this.#rules = new TokenRules(settings);
  }

  check(request: AccessRequest, owner: CheckOwner): Decision | PendingCheck {
    const { from, algorithms, keys } = this.#settings;
    const found = findToken(request, from);
    if (typeof found === 'string') return refusalOf(found);
    const { text } = found;
    if (text.length > MAX_TOKEN_BYTES) return refusalOf('long');
    const digest = hash('sha256', text, 'base64');
    const known = this.#cache.find(digest);
    if (known !== undefined && this.#trusts(known)) return this.#decide(known, found, digest);
    const token = parseToken(text);
    if (typeof token === 'string') return refusalOf(token);
    if (!algorithms.includes(token.algorithm)) return refusalOf('algorithm');
    // Checked before the signature, which costs most: clients that return with old tokens cost little.
    const problem = this.#rules.problemOf(token.claims, this.#services.now());
    if (problem !== null) return refusalOf(problem);
    return new TokenCheck(
      { cache: this.#cache, services: this.#services, keys, owner },
      { token, digest },
      (verified) => this.#decide(verified, found, digest),
    ).begin();
  }

  /** Whether this route accepts a verified signature, perhaps verified for another route. */
  #trusts({ key, algorithm }: VerifiedToken): boolean {
    const { keys, algorithms } = this.#settings;
    return algorithms.includes(algorithm) && this.#cache.ringOf(keys)?.has(key) === true;
  }

  /** Decides on a token with a valid signature. */
  #decide({ principal }: VerifiedToken, { head, subprotocol }: FoundToken, digest: string): Decision {
    const claims = principal.claims!;
    const problem = this.#rules.problemOf(claims, this.#services.now());
    if (problem !== null) {
      if (problem === 'expired') this.#cache.forget(digest);
      return refusalOf(problem);
    }
    if (this.#services.revocations.isRevoked(principal)) return refusalOf('revoked');
    const forwarded = this.#rules.forwardedOf(claims);
    if (forwarded === 'forward') return refusalOf('forward');
    return { granted: true, principal, forwarded, head, subprotocol };
  }
}
