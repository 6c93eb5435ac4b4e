import { createHash } from 'node:crypto';
import type { ClientCertificateSettings } from '../config/types/listener.ts';

/**
 * Returns the session id context of a listener, 32 bytes. A TLS session resumes only under the same context,
 * so no ticket carries over between listeners with different rules for client certificates.
 *
 * @param listener its name
 * @param settings null if it requests no certificates
 */
export function sessionIdContextOf(listener: string, settings: ClientCertificateSettings | null): Buffer {
  const rules = settings === null ? null : [settings.isRequired, settings.digest];
  const subject = JSON.stringify([listener, rules]);
  return createHash('sha256').update(subject).digest();
}
