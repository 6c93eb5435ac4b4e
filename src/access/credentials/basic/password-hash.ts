import { createHash, timingSafeEqual } from 'node:crypto';
import { compareSync, getRounds } from 'bcryptjs';
import { apr1 } from './apr1.ts';

const BCRYPT = /^\$2[aby]\$/;
const APR1 = /^\$apr1\$([^$]*)\$/;
const SHA1 = '{SHA}';
/** The cost of a hash that is not bcrypt: below the least of bcrypt, 4. */
const APR1_COST = 1;

/**
 * Compares a password with an entry of an htpasswd file: bcrypt, `$apr1$` or `{SHA}`. Takes up to 300 ms for
 * bcrypt of cost 12. bcrypt reads the first 72 bytes of a password. An entry of another kind matches nothing.
 */
export function matchesHash(password: string, hash: string): boolean {
  if (BCRYPT.test(hash)) return compareSync(password, hash);
  const salt = APR1.exec(hash)?.[1];
  if (salt !== undefined) return isSame(apr1(password, salt), hash);
  if (!hash.startsWith(SHA1)) return false;
  return isSame(`${SHA1}${createHash('sha1').update(password, 'utf8').digest('base64')}`, hash);
}

/** Returns the hash that takes longest to compare; null without hashes. */
export function slowestOf(hashes: Iterable<string>): string | null {
  let slowest: string | null = null;
  let most = -1;
  for (const hash of hashes) {
    const cost = costOf(hash);
    if (cost <= most) continue;
    most = cost;
    slowest = hash;
  }
  return slowest;
}

function costOf(hash: string): number {
  if (BCRYPT.test(hash)) return getRounds(hash);
  return APR1.test(hash) ? APR1_COST : 0;
}

/** Compares in a time that depends on the lengths only. */
function isSame(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
