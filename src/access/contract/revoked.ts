import type { Refused } from './credential-method.ts';
import type { Principal } from './principal.ts';

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
