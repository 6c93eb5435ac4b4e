import { createHash, timingSafeEqual } from 'node:crypto';
import { compareSync } from 'bcryptjs';
import { apr1 } from './apr1.ts';

const BCRYPT = /^\$2[aby]\$/;
const APR1 = /^\$apr1\$([^$]*)\$/;
const SHA1 = '{SHA}';

/**
 * Compares a password with an htpasswd entry: bcrypt, `$apr1$` or `{SHA}`. Takes up to 300 ms for bcrypt of
 * cost 12. bcrypt reads the first 72 bytes of a password. Other kinds of entries never match.
 */
export function matchesHash(password: string, hash: string): boolean {
  if (BCRYPT.test(hash)) return compareSync(password, hash);
  const salt = APR1.exec(hash)?.[1];
  if (salt !== undefined) return isSame(apr1(password, salt), hash);
  if (!hash.startsWith(SHA1)) return false;
  return isSame(`${SHA1}${createHash('sha1').update(password, 'utf8').digest('base64')}`, hash);
}

/** Compares in constant time for given lengths. */
function isSame(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
