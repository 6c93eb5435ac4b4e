import type { Refused } from './credential-method.ts';
import type { Principal } from './principal.ts';

/** End of the year 9999. The revocation of a token without expiry lasts until then. */
const FAR_FUTURE_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * Returns how long a revocation must last to block a credential, in milliseconds since 1970. Null for a
 * credential without an expiry, except a token: it is accepted again when the operator's time ends.
 */
export function revocationNeededUntil({
  kind,
  expiresAt,
}: Pick<Principal, 'kind' | 'expiresAt'>): number | null {
  if (expiresAt !== Infinity) return Math.min(expiresAt, FAR_FUTURE_MS);
  return kind === 'jwt' ? FAR_FUTURE_MS : null;
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
