import type { ClientCertificateMatch } from '../config/types/route.ts';
import { kindOfName, normalizeName } from '../core/certificate/name-forms.ts';
import { normalizeIp } from '../wire/ip-address.ts';
import type { CertificateName, ClientCertificate } from '../wire/tls/client-certificate.ts';

/** A route's conditions on the client's certificate. */
export class CertificateCondition {
  readonly #subject: string | null;
  readonly #name: CertificateName | null;
  readonly #fingerprint: string | null;

  constructor({ subject, san, fingerprint }: ClientCertificateMatch) {
    this.#subject = subject;
    this.#name = san === null ? null : nameOf(san);
    this.#fingerprint = fingerprint;
  }

  /** Reports whether all conditions hold. False without a certificate. */
  matches(certificate: ClientCertificate | null): boolean {
    if (certificate === null) return false;
    if (this.#subject !== null && this.#subject !== certificate.subject) return false;
    if (this.#fingerprint !== null && this.#fingerprint !== certificate.fingerprint) return false;
    return this.#name === null || has(certificate, this.#name);
  }
}

/** Normalizes a name from the configuration, which the loader has checked. */
function nameOf(san: string): CertificateName {
  const kind = kindOfName(san) ?? 'dns';
  return { kind, value: (kind === 'ip' ? normalizeIp(san) : normalizeName(kind, san)) ?? san };
}

/**
 * Whether a certificate has a name. The kind must match too: an authority may let clients choose names of one
 * kind freely.
 */
function has({ names }: ClientCertificate, { kind, value }: CertificateName): boolean {
  for (const name of names) if (name.value === value && name.kind === kind) return true;
  return false;
}
