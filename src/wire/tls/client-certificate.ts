import { createHash } from 'node:crypto';
import { type AlternativeName, readCertificateFields } from '../../core/certificate/certificate-fields.ts';
import { normalizeName } from '../../core/certificate/name-forms.ts';
import { formatIp } from '../ip-address.ts';

/** A verified client certificate. All strings are visible ASCII and spaces. */
export interface ClientCertificate {
  /**
   * Subject in RFC 2253 form: `CN=alice,O=example`. Empty if missing, malformed, or longer than 4,096
   * characters.
   */
  readonly subject: string;
  /** SHA-256 of the certificate in DER, in lower-case hex. */
  readonly fingerprint: string;
  /**
   * Subject alternative names, in the certificate's order. Names with invalid characters are left out. Empty
   * if they are malformed, or longer than 8 KiB in total.
   */
  readonly names: readonly CertificateName[];
}

/** A subject alternative name. */
export interface CertificateName {
  readonly kind: AlternativeName['kind'];
  /** DNS names and email domains are in lower case, IP addresses as formatted by `normalizeIp`. */
  readonly value: string;
}

/**
 * Reads a client's certificate, which is already verified: only its form is checked. Never throws.
 *
 * @param der the certificate, not retained
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
  // An IP address of invalid length.
  return value === null || value === '' ? [] : [{ kind, value }];
}
