/** Reads the key `clientCertificates` of a listener's TLS. */
import { createHash } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { pemBlocks } from '../../../../core/certificate/pem.ts';
import { messageOf } from '../../../../core/errors.ts';
import type { BaseDirectory, TextFile } from '../../../syntax/files.ts';
import { textFile } from '../../../syntax/files.ts';
import type { Format } from '../../../syntax/formats.ts';
import { FormatError, describe, toggle } from '../../../syntax/formats.ts';
import type { Section } from '../../../syntax/section.ts';
import type { ClientCertificateSettings } from '../../../types/listener.ts';
import { warnOfDates, warnOfRevocationDates } from '../../certificate-warnings.ts';
import type { CertificateFile } from '../../certificate.ts';
import { certificateFile } from '../../certificate.ts';
import { refuseUnsupportedKeys } from '../l7-engine.ts';

const SHAPE = { what: '"clientCertificates"', keys: ['ca', 'require', 'crl', 'forward'], short: 'ca' };

/**
 * Reads the optional key. Null if it is missing or its authorities are invalid.
 *
 * @param uwsKey key that selects the engine `uws`; null for another engine
 */
export function readClientCertificates(
  tls: Section,
  base: BaseDirectory,
  uwsKey: string | null,
): ClientCertificateSettings | null {
  const section = tls.section('clientCertificates', SHAPE);
  if (section === null) return null;
  refuseUnsupportedKeys(section, uwsKey, { own: ['crl'], uws: [] });
  const ca = section.required<CertificateFile | null>('ca', certificateFile(base), null);
  const crl = section.optional<RevocationFile | null>('crl', revocationFile(base), null);
  if (crl !== null) warnOfRevocationDates(section, crl.lists);
  const isRequired = section.optional('require', toggle, true);
  const forward = section.optional('forward', toggle, true);
  if (ca === null) return null;
  warnOfDates(section, 'ca', ca.certificates);
  const digest = createHash('sha256').update(ca.text).update('\0');
  if (crl !== null) digest.update(crl.text);
  return {
    ca: ca.path,
    caPem: ca.text,
    isRequired,
    crl: crl?.path ?? null,
    crlPem: crl?.text ?? null,
    forward,
    digest: digest.digest('hex'),
  };
}

interface RevocationFile extends TextFile {
  /** In PEM form. */
  readonly lists: readonly string[];
}

/** Returns the format of a PEM file with at least one revocation list. All of them must be valid. */
function revocationFile(base: BaseDirectory): Format<RevocationFile> {
  const read = textFile(base);
  return (value) => {
    const file = read(value);
    const blocks = pemBlocks(file.text, 'X509 CRL');
    for (const [index, block] of blocks.entries()) {
      try {
        createSecureContext({ ca: [], crl: block });
      } catch (error) {
        throw new FormatError(
          `revocation list ${index + 1} of ${describe(value)} cannot be parsed: ${messageOf(error)}`,
        );
      }
    }
    if (blocks.length > 0) return { ...file, lists: blocks };
    throw new FormatError(`${describe(value)} has no revocation list in PEM form (-----BEGIN X509 CRL-----)`);
  };
}
