/** Reads the cookie that returns a client to its endpoint. */
import { resolve } from 'node:path';
import { MAX_DURATION_MS } from '../../../core/units/duration.ts';
import type { BaseDirectory } from '../../syntax/files.ts';
import { textFile } from '../../syntax/files.ts';
import { described } from '../../syntax/format-description.ts';
import type { Format } from '../../syntax/formats.ts';
import { FormatError, duration, oneOf, text, token } from '../../syntax/formats.ts';
import { refuseHidden } from '../../syntax/outside/hidden.ts';
import type { Section } from '../../syntax/section.ts';
import type { Sticky } from '../../types/cluster.ts';

export const STICKY = {
  what: '"sticky"',
  keys: ['cookie', 'ttl', 'secret', 'secretFile', 'sameSite', 'secure'],
  short: 'cookie',
};
const MIN_SECRET_CHARACTERS = 16;
const cookieName = token('the name of a cookie');
/** Name prefixes that browsers accept only with Secure (RFC 6265bis section 4.1.3). */
const SECURE_NAME = /^__(?:host|secure)-/i;

/** Overrides the secrets of all clusters, because list entries have no environment variables. */
export const STICKY_SECRET_VARIABLE = 'SLUICE_STICKY_SECRET';

/** A secret in the configuration. Messages omit it. */
export const stickySecret = described({ type: 'text', what: 'a secret' }, (value): string => {
  refuseHidden(value);
  if (typeof value === 'string' && value.length >= MIN_SECRET_CHARACTERS) return value;
  throw new FormatError(
    `the value is not a secret: write ${MIN_SECRET_CHARACTERS} characters or more, in quotes`,
  );
});

/**
 * Reads the key `sticky` of a cluster. `off` means the same as a missing key.
 *
 * @param override secret from the environment, for all clusters; null for none
 */
export function readSticky(
  cluster: Section,
  base: BaseDirectory,
  override: string | null,
): { sticky: Sticky | null; secretFile: string | null } {
  const section = cluster.isOff('sticky') ? null : cluster.section('sticky', STICKY);
  if (section === null) return { sticky: null, secretFile: null };
  const cookie = section.required('cookie', cookieName, '');
  const ttl = duration({ min: 1000, max: MAX_DURATION_MS, zero: 'the browser session' });
  const ttlMs = section.optional('ttl', ttl, 0);
  const sameSite = section.optional('sameSite', oneOf('lax', 'strict', 'none'), 'lax');
  const isSecure = sameSite === 'none' || SECURE_NAME.test(cookie);
  const secure = section.optional('secure', oneOf('auto', 'on'), isSecure ? 'on' : 'auto');
  if (isSecure && secure === 'auto') {
    const what = sameSite === 'none' ? 'sameSite: none' : `the name "${cookie}"`;
    section.problemAt(
      'secure',
      `browsers accept ${what} only with Secure: write secure: on, or leave it out`,
    );
  }
  if (section.has('secret') && section.has('secretFile')) {
    section.problemAt('secretFile', 'the secret is given twice: keep secret or secretFile');
  }
  const given = section.optional('secret', stickySecret, null);
  // The environment takes precedence, so the file need not exist.
  const fileFormat = override === null ? secretFile(base) : unreadFile(base, override);
  const file = section.optional('secretFile', fileFormat, null);
  const secret = override ?? file?.secret ?? given;
  if (override !== null && file === null) {
    section.problems.outside.setByVariable([...section.path, 'secret'], STICKY_SECRET_VARIABLE, override);
  }
  return { sticky: { cookie, ttlMs, secret, sameSite, secure }, secretFile: file?.path ?? null };
}

interface SecretFile {
  readonly path: string;
  readonly secret: string;
}

/** Returns the format of a file that is not read, because its secret is already known. */
function unreadFile(base: BaseDirectory, secret: string): Format<SecretFile> {
  const read = text('a file');
  return (value) => ({ path: resolve(base.path, read(value)), secret });
}

/** Returns the format of a text file with a secret. Ignores trailing white space. */
function secretFile(base: BaseDirectory): Format<SecretFile> {
  const read = textFile(base);
  return (value) => {
    const file = read(value);
    const secret = file.text.trimEnd();
    // All bytes that are not UTF-8 become this character, so different files would give the same secret.
    if (secret.includes('\uFFFD')) {
      throw new FormatError(
        `the file is not text: write a secret into it, such as one of "openssl rand -hex 32" (looked at ${file.path})`,
      );
    }
    if (secret.length >= MIN_SECRET_CHARACTERS) return { path: file.path, secret };
    throw new FormatError(
      `the file has no secret: write ${MIN_SECRET_CHARACTERS} characters or more into it (looked at ${file.path})`,
    );
  };
}
