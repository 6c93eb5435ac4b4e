/** Reads the key `ciphers` of a listener's TLS. */
import { getCiphers } from 'node:tls';
import { described } from '../../../syntax/format-description.ts';
import type { Format } from '../../../syntax/formats.ts';
import { FormatError, describe } from '../../../syntax/formats.ts';
import { nearest } from '../../../syntax/hints/nearest.ts';
import type { Section } from '../../../syntax/section.ts';
import type { ListenerTls } from '../../../types/listener.ts';
import { readNames } from './names.ts';

/** All TLS 1.3 ciphers have authenticated encryption and forward secrecy. */
const DEFAULTS_1_3 = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];
/** The TLS 1.2 ciphers that have both. */
const DEFAULTS_1_2 = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];
/** TLS 1.2 ciphers that need a shared secret or Diffie-Hellman parameters, which a listener does not have. */
const UNUSABLE = /PSK|^SRP-|^DHE-|^ADH-|^AECDH-|NULL/;
/** Ciphers of BoringSSL in uws-pack 20.0.8: each was seen to connect, and all others were refused. */
const UWS_CIPHERS: ReadonlySet<string> = new Set([
  ...DEFAULTS_1_2,
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-RSA-AES256-SHA',
  'AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  'AES128-SHA',
  'AES256-SHA',
]);

/** Whether a cipher is of TLS 1.3. OpenSSL takes their names from RFC 8446. */
export function isOfTls13(cipher: string): boolean {
  return cipher.startsWith('TLS_');
}

/**
 * Reads the optional key. A TLS version without a listed cipher keeps its default ciphers: only `minVersion`
 * turns TLS 1.2 off.
 *
 * @param uwsKey key that selects the engine `uws`; null for another engine
 * @returns names separated by colons, those of TLS 1.3 first
 */
export function readCiphers(
  tls: Section,
  minVersion: ListenerTls['minVersion'],
  uwsKey: string | null,
): string {
  const names = readNames(tls, 'ciphers', 'ciphers', uwsKey === null ? cipher : uwsCipher(uwsKey)) ?? [];
  const of13 = names.filter(isOfTls13);
  const of12 = names.filter((name) => !isOfTls13(name));
  if (minVersion === '1.3' && of12.length > 0) {
    tls.problemAt('ciphers', `${describe(of12[0])} is for TLS 1.2, which minVersion turns off: leave it out`);
  }
  return [
    ...(of13.length > 0 ? of13 : DEFAULTS_1_3),
    ...(of12.length > 0 ? of12 : minVersion === '1.3' ? [] : DEFAULTS_1_2),
  ].join(':');
}

/** A cipher of this Node's OpenSSL. Returned in capitals, as OpenSSL writes it. */
const cipher = described({ type: 'text', what: 'a cipher' }, (value): string => {
  const name = typeof value === 'string' ? value.toUpperCase() : '';
  // Node writes the names in lower case.
  const known = getCiphers().map((each) => each.toUpperCase());
  if (!known.includes(name)) {
    const near = name === '' ? undefined : nearest(name, known);
    const isExpression = /[!+@]|^-|^(ALL|HIGH|MEDIUM|LOW|DEFAULT)$/.test(name);
    const hint = isExpression
      ? 'write the names of ciphers, not expressions'
      : near === undefined
        ? '`openssl ciphers` lists names'
        : `did you mean ${near}?`;
    throw new FormatError(`${describe(value)} is not a cipher that this Node's OpenSSL has: ${hint}`);
  }
  if (UNUSABLE.test(name)) {
    throw new FormatError(
      `${describe(value)} needs what a listener does not have (a shared secret or Diffie-Hellman parameters): ` +
        'write ciphers with ECDHE',
    );
  }
  return name;
});

function uwsCipher(uwsKey: string): Format<string> {
  return (value) => {
    const name = cipher(value);
    if (UWS_CIPHERS.has(name)) return name;
    const why = isOfTls13(name) ? 'cannot choose between the ciphers of TLS 1.3' : 'does not have it';
    throw new FormatError(
      `${describe(value)} is for the engines raw and net: the engine uws, which the listener has because of "${uwsKey}", ${why}`,
    );
  };
}
