import { createHash } from 'node:crypto';
import { type AlternativeName, readCertificateFields } from '../../core/certificate/certificate-fields.ts';
import { normalizeName } from '../../core/certificate/name-forms.ts';
import { formatIp } from '../ip-address.ts';

/** A certificate by which a client has proven who it is. It has been verified. All texts are visible ASCII and spaces. */
export interface ClientCertificate {
  /**
   * The subject as RFC 2253 writes it: `CN=alice,O=example`. Empty if there is none, or if it is malformed or longer than
   * 4,096 characters.
   */
  readonly subject: string;
  /** SHA-256 of the certificate in DER, in lower-case hex. */
  readonly fingerprint: string;
  /**
   * The subject alternative names, in the certificate's order. Names with characters that their kind cannot have are left out.
   * Empty if they are malformed, or longer than 8 KiB together.
   */
  readonly names: readonly CertificateName[];
}

/** A subject alternative name. */
export interface CertificateName {
  readonly kind: AlternativeName['kind'];
  /** DNS names and the domains of email addresses are in lower case, and IP addresses as `normalizeIp` writes them. */
  readonly value: string;
}

/**
 * Reads a client's certificate. It has been verified, so nothing is checked here but its form. It never throws.
 *
 * @param der the certificate; it is not kept
 */
export function readClientCertificate(der: Buffer): ClientCertificate {
  const { subject, names } = readCertificateFields(der);
  return {
    subject,
    fingerprint: createHash('sha256').update(der).digest('hex'),
    names: names.flatMap(nameOf),
  };
}

function nameOf({ kind, bytes }: AlternativeName): CertificateName[] {
  const value = kind === 'ip' ? formatIp(bytes) : normalizeName(kind, bytes.toString('latin1'));
  // An address of another length is none.
  return value === null || value === '' ? [] : [{ kind, value }];
}
