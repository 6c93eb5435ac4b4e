import { createHash } from 'node:crypto';
import type { ClientCertificateSettings } from '../config/types/listener.ts';

/**
 * Returns the session id context of a listener, 32 bytes. A TLS session is resumed only under the same one, so that no ticket
 * passes from one listener's rules for client certificates to another's.
 *
 * @param listener its name
 * @param settings null if it asks for no certificates
 */
export function sessionIdContextOf(listener: string, settings: ClientCertificateSettings | null): Buffer {
  const rules = settings === null ? null : [settings.isRequired, settings.digest];
  const subject = JSON.stringify([listener, rules]);
  return createHash('sha256').update(subject).digest();
}
