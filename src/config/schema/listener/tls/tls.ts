/** Reads the key `tls` of an l7 listener. */
import type { Context } from '../../../syntax/context.ts';
import type { BaseDirectory } from '../../../syntax/files.ts';
import { duration, oneOf } from '../../../syntax/formats.ts';
import type { Section } from '../../../syntax/section.ts';
import type { ListenerTls } from '../../../types/listener.ts';
import { warnOfShadowedCertificates, warnOfUnusedKeyTypes } from '../../certificate-warnings.ts';
import { readCertificate, readListedCertificate, type ReadCertificate } from '../../certificate.ts';
import { refuseUnsupportedKeys } from '../l7-engine.ts';
import { readAlpn } from './alpn.ts';
import { isOfTls13, readCiphers } from './ciphers.ts';
import { readClientCertificates } from './client-certificates.ts';
import { readGroups } from './groups.ts';
import { readTickets } from './tickets.ts';

/** Keys that the engine `uws` does not support. */
const NON_UWS_KEYS = ['groups', 'alpn', 'handshakeTimeout', 'tickets'];
export const TLS_KEYS = [
  ...['certificates', 'cert', 'key', 'minVersion', 'ciphers', 'clientCertificates'],
  ...NON_UWS_KEYS,
];
const SHAPE = {
  what: 'the tls of a listener',
  keys: TLS_KEYS,
  instead: remedyForTls,
  notes: {
    certificate: 'unknown key "certificate" in the tls of a listener: write cert: FILE and key: FILE',
  },
};

/**
 * Reads the optional key. Null if it is missing.
 *
 * @param uwsKey key that selects the engine `uws`; null for another engine
 */
export function readTls(
  listener: Section,
  { base, problems }: Context,
  uwsKey: string | null,
): ListenerTls | null {
  const section = listener.section('tls', SHAPE);
  if (section === null) return null;
  refuseUnsupportedKeys(section, uwsKey, { own: NON_UWS_KEYS, uws: [] });
  const read = readCertificates(section, base);
  const placed = read.map((each) => each.placed);
  warnOfShadowedCertificates(placed, uwsKey, problems);
  const minVersion = section.optional('minVersion', oneOf('1.2', '1.3'), '1.2');
  if (minVersion === '1.3') refuseUnsupportedKeys(section, uwsKey, { own: ['minVersion'], uws: [] });
  const ciphers = readCiphers(section, minVersion, uwsKey);
  const of12 = ciphers.split(':').filter((cipher) => !isOfTls13(cipher));
  warnOfUnusedKeyTypes(placed, minVersion === '1.3' ? [] : of12, problems);
  return {
    certificates: read.map(({ certificate }) => certificate),
    minVersion,
    ciphers,
    groups: readGroups(section),
    alpn: readAlpn(section),
    handshakeTimeoutMs: section.optional('handshakeTimeout', duration({ min: 100, max: 600_000 }), 10_000),
    clientCertificates: readClientCertificates(section, base, uwsKey),
    tickets: readTickets(section, base),
  };
}

function remedyForTls(value: unknown): string | null {
  if (Array.isArray(value)) return 'write a list of certificates as { certificates: LIST }';
  if (typeof value !== 'string' && value !== true) return null;
  return (
    'write { cert: FILE, key: FILE }. sluice requests no certificates itself: ' +
    'docs/guides/tls.md#lets-encrypt shows how certbot does'
  );
}

/** Reads the list `certificates`, or one certificate from `cert` and `key`. */
function readCertificates(tls: Section, base: BaseDirectory): readonly ReadCertificate[] {
  const isSingle = tls.has('cert') || tls.has('key');
  if (isSingle && !tls.has('certificates')) {
    const read = readCertificate(tls, base);
    for (const key of ['cert', 'key']) {
      tls.problems.standsFor([...tls.path, key], [[...tls.path, 'certificates', 0, key]]);
    }
    return read === null ? [] : [read];
  }
  if (isSingle) {
    tls.problem('"certificates" is a list of pairs cert and key: move this pair into the list');
  } else if (!tls.has('certificates')) {
    tls.problem('the tls of a listener needs "cert" and "key", or "certificates" for several pairs');
    return [];
  }
  return tls
    .list('certificates', 'certificates')
    .flatMap((entry) => readListedCertificate(entry, base, tls.problems) ?? []);
}
