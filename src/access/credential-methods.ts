import type { AccessSettings } from '../config/types/access.ts';
import type { AccessServices } from './contract/access-services.ts';
import type { CredentialMethod } from './contract/credential-method.ts';
import { BasicMethod } from './credentials/basic/basic-method.ts';
import { ForwardAuthMethod } from './credentials/forward-auth/forward-auth-method.ts';
import { JwtMethod } from './credentials/jwt/jwt-method.ts';

/**
 * Creates the credential methods of a route. The strongest proof comes first, because the first method that
 * names a principal counts.
 */
export function credentialMethods(
  settings: AccessSettings | null,
  services: AccessServices,
): readonly CredentialMethod[] {
  const methods: CredentialMethod[] = [];
  if (settings === null) return methods;
  const { jwt, basic, forwardAuth } = settings;
  if (jwt !== null) methods.push(new JwtMethod(jwt, services));
  if (basic !== null) methods.push(new BasicMethod(basic, services));
  if (forwardAuth !== null) methods.push(new ForwardAuthMethod(forwardAuth, services));
  return methods;
}
