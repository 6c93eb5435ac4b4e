import type { Refused } from './credential-method.ts';
import type { Principal } from './principal.ts';

/** The end of the year 9999: until when the revocation of a token that never expires is known. */
const FOR_EVER_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * Returns until when a revocation must be known to keep a credential out, in milliseconds since 1970; null if the credential
 * does not say. A password does not: it comes in when the operator's time is over.
 */
export function revocationNeededUntil({
  kind,
  expiresAt,
}: Pick<Principal, 'kind' | 'expiresAt'>): number | null {
  if (expiresAt !== Infinity) return Math.min(expiresAt, FOR_EVER_MS);
  return kind === 'jwt' ? FOR_EVER_MS : null;
}

/** Refuses a principal whose credential is revoked. A 401 needs a challenge (RFC 9110 section 15.5.2). */
export function refusedAsRevoked({ kind }: Pick<Principal, 'kind'>): Refused {
  const challenge =
    kind === 'basic' ? 'Basic realm="sluice"' : 'Bearer realm="sluice", error="invalid_token"';
  return {
    granted: false,
    status: 401,
    reason: 'revoked',
    detail: 'revoked',
    headers: [['WWW-Authenticate', challenge]],
    body: null,
  };
}
