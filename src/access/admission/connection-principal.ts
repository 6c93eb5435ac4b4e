import type { Principal } from '../contract/principal.ts';

/**
 * Identifies a client by its connection alone: by the subject of its certificate, or else by its address.
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
