import type { Principal } from '../contract/principal.ts';

/**
 * Returns who a client is by its connection alone: the subject of its certificate, or else its address.
 *
 * @param subject empty without a certificate
 */
export function connectionPrincipal(address: string, subject: string): Principal {
  return {
    kind: subject === '' ? 'address' : 'cert',
    name: subject === '' ? address : subject,
    issuedAt: null,
    expiresAt: Infinity,
    claims: null,
  };
}
