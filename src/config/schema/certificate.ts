/** Certificates and keys: reads, parses and matches their files during the load. */
import type { KeyObject } from 'node:crypto';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readCertificateFields } from '../../core/certificate/certificate-fields.ts';
import { normalizeName } from '../../core/certificate/name-forms.ts';
import { pemBlocks } from '../../core/certificate/pem.ts';
import { messageOf } from '../../core/errors.ts';
import type { BaseDirectory, TextFile } from '../syntax/files.ts';
import { MAX_PEM_BYTES, readRegularFile, textFile } from '../syntax/files.ts';
import type { Format } from '../syntax/formats.ts';
import { FormatError, describe } from '../syntax/formats.ts';
import type { Problems } from '../syntax/problems.ts';
import type { Located } from '../syntax/section.ts';
import { Section } from '../syntax/section.ts';
import type { Certificate } from '../types/listener.ts';
import type { PlacedCertificate } from './certificate-warnings.ts';
import { warnOfChain, warnOfDates } from './certificate-warnings.ts';

const SHAPE = { what: 'a certificate', keys: ['cert', 'key'] };
/** PKCS #8 and the older format. */
const ENCRYPTED = /^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;
/** PKCS #8, and the older formats such as `RSA PRIVATE KEY`. */
const PRIVATE_KEY = /^-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/m;
const CERTIFICATE = /^-----BEGIN CERTIFICATE-----/m;
const DNS_NAME = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*)(?:\.[a-z0-9_][a-z0-9_-]*)*$/;

export interface CertificateFile extends TextFile {
  /** The first certificate of the file, which belongs to the holder. */
  readonly leaf: X509Certificate;
  /** All certificates of the file. */
  readonly certificates: readonly X509Certificate[];
}

interface KeyFile extends TextFile {
  readonly key: KeyObject;
}

/** A certificate and its key. Each is null if invalid. */
interface KeyPair {
  readonly cert: CertificateFile | null;
  readonly key: KeyFile | null;
}

/** A certificate, and the facts needed to compare it with others. */
export interface ReadCertificate {
  readonly certificate: Certificate;
  readonly placed: PlacedCertificate;
}

/** Reads one entry of a listener's certificates. Returns null if it is invalid. */
export function readListedCertificate(
  entry: Located<unknown>,
  base: BaseDirectory,
  problems: Problems,
): ReadCertificate | null {
  const section = Section.of(entry.value, entry.path, problems, SHAPE);
  return section === null ? null : readCertificate(section, base);
}

/** Reads the keys `cert` and `key` of a mapping. Returns null if they are invalid. */
export function readCertificate(section: Section, base: BaseDirectory): ReadCertificate | null {
  const { cert, key } = readKeyPair(section, base);
  if (cert === null || key === null) return null;
  const certificate: Certificate = {
    cert: cert.path,
    key: key.path,
    certPem: cert.text,
    keyPem: key.text,
    serverNames: serverNamesOf(cert.leaf),
    uri: namesOf(cert.leaf, 'uri')[0] ?? null,
  };
  return {
    certificate,
    placed: { path: section.path, leaf: cert.leaf, serverNames: certificate.serverNames },
  };
}

/** Whether a certificate's files are readable and unchanged since the load. */
export function isUnchanged({ cert, key, certPem, keyPem }: Certificate): boolean {
  return hasText(cert, certPem) && hasText(key, keyPem);
}

/** Whether a PEM file is readable and has this text. */
export function hasText(path: string, pem: string): boolean {
  try {
    return readRegularFile(path, MAX_PEM_BYTES).toString('utf8') === pem;
  } catch {
    return false;
  }
}

/** Reads the required keys `cert` and `key` of a mapping. They must match. */
export function readKeyPair(section: Section, base: BaseDirectory): KeyPair {
  const cert = section.required<CertificateFile | null>('cert', certificateFile(base), null);
  const key = section.required<KeyFile | null>('key', keyFile(base), null);
  if (cert !== null) {
    warnOfDates(section, 'cert', cert.certificates);
    warnOfChain(section, cert.certificates);
  }
  if (cert !== null && key !== null && !cert.leaf.checkPrivateKey(key.key)) {
    section.problemAt(
      'key',
      `${describe(section.raw('key'))} is not the key of the certificate ${describe(section.raw('cert'))}`,
    );
  }
  return { cert, key };
}

/** Returns the format of a PEM file with at least one certificate. All of them must be valid. */
export function certificateFile(base: BaseDirectory): Format<CertificateFile> {
  const read = textFile(base);
  return (value) => {
    const file = read(value);
    const certificates = pemBlocks(file.text, 'CERTIFICATE').map((block, index) => {
      try {
        return new X509Certificate(block);
      } catch (error) {
        throw new FormatError(
          `certificate ${index + 1} of ${describe(value)} cannot be parsed: ${messageOf(error)}`,
        );
      }
    });
    const [leaf] = certificates;
    if (leaf === undefined) {
      throw new FormatError(
        PRIVATE_KEY.test(file.text)
          ? `${describe(value)} has a private key and no certificate: name the file of the certificate`
          : `${describe(value)} has no certificate in PEM form (-----BEGIN CERTIFICATE-----)`,
      );
    }
    return { ...file, leaf, certificates };
  };
}

/** Returns the format of a PEM file with a private key that is not encrypted. */
export function keyFile(base: BaseDirectory): Format<KeyFile> {
  const read = textFile(base);
  return (value) => {
    const file = read(value);
    if (ENCRYPTED.test(file.text)) {
      throw new FormatError(`${describe(value)} is encrypted: give the key without a passphrase`);
    }
    if (!PRIVATE_KEY.test(file.text) && CERTIFICATE.test(file.text)) {
      throw new FormatError(
        `${describe(value)} has a certificate and no private key: name the file of the key`,
      );
    }
    try {
      return { ...file, key: createPrivateKey(file.text) };
    } catch (error) {
      throw new FormatError(`${describe(value)} is not a private key in PEM form: ${messageOf(error)}`);
    }
  };
}

/** Returns the names of one kind in a certificate. Omits malformed names. */
function namesOf(certificate: X509Certificate, kind: 'dns' | 'uri'): string[] {
  return readCertificateFields(certificate.raw).names.flatMap((name) => {
    const text = name.kind === kind ? normalizeName(kind, name.bytes.toString('latin1')) : null;
    return text === null ? [] : [text];
  });
}

/**
 * Returns the DNS names of a certificate: from subjectAltName, or else its common name (RFC 6125 section
 * 6.4.4).
 */
function serverNamesOf(certificate: X509Certificate): readonly string[] {
  const names = namesOf(certificate, 'dns');
  if (names.length === 0) {
    const commonName = /^CN=(.*)$/m.exec(certificate.subject)?.[1];
    if (commonName !== undefined) names.push(commonName.toLowerCase());
  }
  return [...new Set(names)].filter((name) => DNS_NAME.test(name));
}
