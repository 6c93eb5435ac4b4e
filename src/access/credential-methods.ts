import type { AccessSettings } from '../config/types/access.ts';
import type { AccessServices } from './contract/access-services.ts';
import type { CredentialMethod } from './contract/credential-method.ts';

/** Makes the credential methods of a route. The one that proves most comes first, because it names the principal. */
export function credentialMethods(
  settings: AccessSettings | null,
  services: AccessServices,
): readonly CredentialMethod[] {
  const methods: CredentialMethod[] = [];
  if (settings !== null) services.log.debug('credentials');
  return methods;
}
