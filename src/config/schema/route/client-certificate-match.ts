/** Reads a route's condition on the client's certificate. */
import { kindOfName } from '../../../core/certificate/name-forms.ts';
import type { Format } from '../../syntax/formats.ts';
import { FormatError, describe, pattern, text } from '../../syntax/formats.ts';
import type { Section } from '../../syntax/section.ts';
import type { ClientCertificateMatch } from '../../types/route.ts';

const KEYS = ['subject', 'san', 'fingerprint'] as const;
const SHAPE = { what: '"clientCertificate"', keys: KEYS };

/** One attribute of a subject: its type, and a value in hex or with the escapes of RFC 2253 section 2.4. */
const ATTRIBUTE =
  /(?:[A-Za-z][A-Za-z\d]*|\d+(?:\.\d+)+)=(?:#(?:[\dA-F]{2})+|(?![ #])(?:[ !#-*\--:=?-[\]-~]|\\[ ",#+;<>\\]|\\[\dA-F]{2})*(?<![^\\] ))/
    .source;
const subject = pattern(
  new RegExp(`^${ATTRIBUTE}(?:[,+]${ATTRIBUTE})*$`),
  'a subject as RFC 2253 writes it',
  'write what "openssl x509 -noout -subject -nameopt RFC2253 -in FILE" prints behind "subject=", such as CN=alice,O=example',
);

const alternativeName: Format<string> = (value) => {
  const name = text('a subject alternative name')(value);
  if (kindOfName(name) !== null) return name;
  throw new FormatError(
    `${describe(name)} is not a subject alternative name: write a DNS name, a URI such as spiffe://example.com/app, ` +
      'an email address or an IP address',
  );
};

/** SHA-256 in hex, case-insensitive, with or without colons. Returned in lower case without colons. */
const fingerprint: Format<string> = (value) => {
  const hex = text('a fingerprint')(value).replaceAll(':', '').toLowerCase();
  if (/^[\da-f]{64}$/.test(hex)) return hex;
  const found = /^[\da-f]{40}$/.test(hex) ? 'is a SHA-1 fingerprint' : 'is not a fingerprint';
  throw new FormatError(
    `${describe(value)} ${found}: write what "openssl x509 -noout -fingerprint -sha256 -in FILE" prints behind "="`,
  );
};

/**
 * Reads the optional key `clientCertificate`. Requires at least one condition.
 *
 * @param asksForCertificates whether the listener requests client certificates
 */
export function readClientCertificateMatch(
  match: Section,
  asksForCertificates: boolean,
): ClientCertificateMatch | null {
  const section = match.section('clientCertificate', SHAPE);
  if (section === null) return null;
  if (!asksForCertificates) {
    match.problemAt(
      'clientCertificate',
      'this listener asks for no client certificates: set tls.clientCertificates, or leave the condition out',
    );
  }
  if (!KEYS.some((key) => section.has(key))) {
    section.problem('clientCertificate needs a condition: write subject, san or fingerprint');
  }
  return {
    subject: section.optional('subject', subject, null),
    san: section.optional('san', alternativeName, null),
    fingerprint: section.optional('fingerprint', fingerprint, null),
  };
}
