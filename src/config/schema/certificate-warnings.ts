/** Warns about certificates that will soon stop working, or that some clients reject. */
import type { X509Certificate } from 'node:crypto';
import { bytesOfPem } from '../../core/certificate/pem.ts';
import { readRevocationDates } from '../../core/certificate/revocation-list.ts';
import { describe } from '../syntax/formats.ts';
import type { Problems } from '../syntax/problems.ts';
import type { Section } from '../syntax/section.ts';
import type { Path } from '../syntax/source-file.ts';

const DAY_MS = 86_400_000;
/** Lead time of the warning before a certificate expires. At most the last third of its lifetime. */
const EXPIRY_NOTICE_MS = 30 * DAY_MS;

/** A listener's certificate and its path. */
export interface PlacedCertificate {
  readonly path: Path;
  readonly leaf: X509Certificate;
  readonly serverNames: readonly string[];
}

/**
 * Warns of the first certificate in a file that has expired, expires soon, or is not valid yet, and counts
 * the others.
 *
 * @param key key that names the file
 */
export function warnOfDates(section: Section, key: string, certificates: readonly X509Certificate[]): void {
  const file = describe(section.raw(key));
  const faults = certificates.flatMap((certificate, index) => {
    const fault = faultOfDates(certificate, Date.now());
    if (fault === null) return [];
    return [`${index === 0 ? 'the certificate' : `certificate ${index + 1} of`} ${file} ${fault}`];
  });
  const [first, ...others] = faults;
  if (first === undefined) return;
  const more = others.length === 0 ? '' : `; the same file has ${others.length} more such certificates`;
  section.problems.warning([...section.path, key], first + more);
}

/**
 * Describes a problem with the validity period of a certificate. Null if it is fine.
 *
 * @param now milliseconds since 1970
 */
function faultOfDates({ validFrom, validTo }: X509Certificate, now: number): string | null {
  const start = Date.parse(validFrom);
  const end = Date.parse(validTo);
  if (end < now) return `expired on ${dayOf(end)}`;
  if (start > now) return `is not valid before ${dayOf(start)}`;
  if (end - now >= Math.min(EXPIRY_NOTICE_MS, (end - start) / 3)) return null;
  return `expires on ${dayOf(end)}, in ${countOf(Math.floor((end - now) / DAY_MS))}: renew it`;
}

/**
 * Warns of the first revocation list in a file that has expired or is in the last third of its validity.
 * OpenSSL refuses all certificates of an authority whose only list has expired.
 *
 * @param lists in PEM form
 */
export function warnOfRevocationDates(section: Section, lists: readonly string[]): void {
  const now = Date.now();
  for (const [index, list] of lists.entries()) {
    const dates = readRevocationDates(bytesOfPem(list));
    const thisUpdate = dates?.thisUpdate ?? now;
    const nextUpdate = dates?.nextUpdate ?? Infinity;
    const left = nextUpdate - now;
    if (left >= (nextUpdate - thisUpdate) / 3) continue;
    const name = `revocation list ${index + 1} of ${describe(section.raw('crl'))}`;
    const message =
      left < 0
        ? `${name} ended on ${dayOf(nextUpdate)}: clients with certificates of its authority are refused until the file has a newer one`
        : `${name} ends on ${dayOf(nextUpdate)}, and clients with certificates of its authority are refused then: renew it`;
    section.problems.warning([...section.path, 'crl'], message);
    return;
  }
}

/**
 * Warns if a certificate in a chain is not followed by its issuer: TLS 1.2 clients may then refuse the chain
 * (RFC 5246 section 7.4.2). The chain may end anywhere, because clients have the last issuers themselves.
 */
export function warnOfChain(section: Section, certificates: readonly X509Certificate[]): void {
  const path = [...section.path, 'cert'];
  const file = describe(section.raw('cert'));
  for (const [index, next] of certificates.slice(1).entries()) {
    const certificate = certificates[index]!;
    if (certificate.checkIssued(next)) continue;
    const issuer = certificates.findIndex((other) => other !== certificate && certificate.checkIssued(other));
    const message =
      issuer < 0
        ? `certificate ${index + 2} of ${file} did not issue certificate ${index + 1}, and neither did another one: ` +
          'some clients refuse this chain. Write the issuer in its place, or leave it out'
        : `the chain in ${file} is out of order: certificate ${issuer + 1} issued certificate ${index + 1}, and must follow it`;
    section.problems.warning(path, message);
    return;
  }
}

/**
 * Warns of each certificate that is never served for one of its names. This happens if an earlier one has the
 * same name and key type. Clients choose between certificates of different key types.
 *
 * @param uwsKey key that selects the engine `uws`, which serves one certificate per name; null for another
 * engine
 */
export function warnOfShadowedCertificates(
  certificates: readonly PlacedCertificate[],
  uwsKey: string | null,
  problems: Problems,
): void {
  const seen = new Set<string>();
  for (const { path, leaf, serverNames } of certificates) {
    const type = leaf.publicKey.asymmetricKeyType ?? '';
    const idOf = (name: string): string => (uwsKey === null ? `${type} ${name}` : name);
    const shadowed = serverNames.find((name) => seen.has(idOf(name)));
    for (const name of serverNames) seen.add(idOf(name));
    if (shadowed === undefined) continue;
    const why =
      uwsKey === null
        ? `an earlier certificate with a key of the same type (${type}) is served`
        : `an earlier certificate is served, because the engine uws (selected by "${uwsKey}") serves one per name`;
    problems.warning(path, `for ${describe(shadowed)} ${why}: leave one of them out`);
  }
}

/**
 * Warns of each certificate whose key type no TLS 1.2 cipher supports: TLS 1.2 clients never get it.
 *
 * @param ciphers TLS 1.2 ciphers; empty if that version is off
 */
export function warnOfUnusedKeyTypes(
  certificates: readonly PlacedCertificate[],
  ciphers: readonly string[],
  problems: Problems,
): void {
  if (ciphers.length === 0) return;
  for (const { path, leaf } of certificates) {
    const type = leaf.publicKey.asymmetricKeyType ?? '';
    const isRsa = type.startsWith('rsa');
    if (ciphers.some((cipher) => cipher.includes('ECDSA') !== isRsa)) continue;
    const wanted = isRsa ? 'RSA' : 'ECDSA';
    problems.warning(
      path,
      `no cipher of TLS 1.2 can use its key (${type}), so clients of TLS 1.2 never get it: add ciphers with ${wanted}, or write minVersion: '1.3'`,
    );
  }
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

function countOf(days: number): string {
  return days === 1 ? '1 day' : `${days} days`;
}
