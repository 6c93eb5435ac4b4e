/** Files of users and hashed passwords, in the format of Apache's htpasswd. */
import type { BaseDirectory } from '../../syntax/files.ts';
import { textFile } from '../../syntax/files.ts';
import type { Format } from '../../syntax/formats.ts';
import { FormatError, describe } from '../../syntax/formats.ts';

export interface PasswordFile {
  /** Absolute. */
  readonly path: string;
  /** Hashes, keyed by user name. */
  readonly users: ReadonlyMap<string, string>;
}

/**
 * Max cost of bcrypt. Each step doubles the time: 10 takes about 60 ms, 12 about 300 ms. A wrong password
 * takes just as long.
 */
const MAX_BCRYPT_COST = 12;
const MIN_BCRYPT_COST = 4;
const MAX_USER_BYTES = 255;
const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
const SUPPORTED_HASHES = [/^\$apr1\$[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{22}$/, /^\{SHA\}[A-Za-z0-9+/]{27}=$/];
/** Prefixes of unsupported hashes, with a description of each. */
const UNSUPPORTED_HASHES: readonly (readonly [RegExp, string])[] = [
  [/^\$1\$/, 'is hashed by MD5-crypt'],
  [/^\$5\$/, 'is hashed by SHA-256-crypt'],
  [/^\$6\$/, 'is hashed by SHA-512-crypt'],
  [/^\$(?:y|gy|7)\$/, 'is hashed by yescrypt or scrypt'],
  [/^\$argon2/, 'is hashed by Argon2'],
  [/^\$2[abxy]?\$/, 'has a damaged bcrypt hash'],
  [/^\$apr1\$/, 'has a damaged apr1 hash'],
  [/^\{SHA\}/i, 'has a damaged SHA hash'],
  [/^\{/, 'has a hash of another scheme'],
  [/^[./A-Za-z0-9]{13}$/, 'is in plain text or hashed by crypt'],
];

/** Returns the format of an htpasswd file. Messages never quote passwords or hashes, which are secret. */
export function htpasswd(base: BaseDirectory): Format<PasswordFile> {
  const read = textFile(base);
  return (value) => {
    const { path, text } = read(value);
    const users = new Map<string, string>();
    const lines = text.replace(/^\ufeff/, '').split('\n');
    for (const [index, raw] of lines.entries()) {
      const line = raw.trim();
      if (line === '' || line.startsWith('#')) continue;
      const place = `line ${index + 1} of ${describe(value)}`;
      const { user, hash } = entryOf(line, place);
      if (users.has(user)) {
        throw new FormatError(`${place} has the user ${describe(user)} again: keep one of the lines`);
      }
      users.set(user, hash);
    }
    if (users.size > 0) return { path, users };
    throw new FormatError(`${describe(value)} has no user: add one with htpasswd -B ${path} USER`);
  };
}

/** Parses `user:hash`. A comment may follow after another colon. */
function entryOf(line: string, place: string): { readonly user: string; readonly hash: string } {
  const [user = '', hash, ...comment] = line.split(':');
  if (hash === undefined)
    throw new FormatError(`${place} has no colon: write user:hash, as htpasswd -B does`);
  if (user === '') throw new FormatError(`${place} has no user before the colon: write user:hash`);
  if (user.includes('\ufffd') || /[\u0000-\u001f\u007f]/.test(user)) {
    throw new FormatError(`${place} has a user that is not text in UTF-8: write letters and digits`);
  }
  if (Buffer.byteLength(user) > MAX_USER_BYTES) {
    throw new FormatError(`${place} has a user of more than ${MAX_USER_BYTES} bytes: shorten it`);
  }
  const who = `${place}: the password of ${describe(user)}`;
  const cost = BCRYPT.exec(hash)?.[1];
  if (cost !== undefined) checkCost(Number(cost), who);
  else if (!SUPPORTED_HASHES.some((form) => form.test(hash)))
    throw new FormatError(unsupportedHash(hash, who, comment.length > 0));
  return { user, hash };
}

function checkCost(cost: number, who: string): void {
  if (cost > MAX_BCRYPT_COST) {
    throw new FormatError(
      `${who} has the bcrypt cost ${cost}, but at most ${MAX_BCRYPT_COST} is allowed, because every wrong password costs the ` +
        'time of a right one: hash it again with htpasswd -B -C 10',
    );
  }
  if (cost < MIN_BCRYPT_COST) {
    throw new FormatError(
      `${who} has the bcrypt cost ${cost}, which is invalid: hash it again with htpasswd -B`,
    );
  }
}

function unsupportedHash(hash: string, who: string, hasComment: boolean): string {
  const form = UNSUPPORTED_HASHES.find(([expression]) => expression.test(hash))?.[1];
  const fault = form ?? (hash === '' ? 'is empty' : 'is in plain text');
  const hint = form === undefined && hasComment ? ' (a hash has no colon)' : '';
  return `${who} ${fault}${hint}: hash it with htpasswd -B (bcrypt); apr1 and SHA are accepted too`;
}
