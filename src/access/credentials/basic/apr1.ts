import { createHash } from 'node:crypto';

/** The alphabet of crypt(3). */
const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ROUNDS = 1000;
const MAX_SALT_LENGTH = 8;
/** Digest bytes that form four characters each. Byte 11 remains and forms two characters. */
const GROUPS = [
  [0, 6, 12],
  [1, 7, 13],
  [2, 8, 14],
  [3, 9, 15],
  [4, 10, 5],
] as const;
const LAST = 11;

/**
 * Hashes a password by Apache's variant of MD5-crypt (`apr_md5_encode` of APR-util, after `crypt` of
 * FreeBSD).
 *
 * @param salt at most 8 characters; more are ignored
 * @returns `$apr1$SALT$HASH`
 */
export function apr1(password: string, salt: string): string {
  const key = Buffer.from(password, 'utf8');
  const saltBytes = Buffer.from(salt.slice(0, MAX_SALT_LENGTH), 'utf8');
  const digest = stretch(key, saltBytes, firstDigest(key, saltBytes));
  let text = '';
  for (const [high, middle, low] of GROUPS) {
    text += encode((digest[high]! << 16) | (digest[middle]! << 8) | digest[low]!, 4);
  }
  return `$apr1$${saltBytes.toString('utf8')}$${text}${encode(digest[LAST]!, 2)}`;
}

function firstDigest(key: Buffer, salt: Buffer): Buffer {
  const mixed = md5(key, salt, key);
  const parts: Uint8Array[] = [key, Buffer.from('$apr1$'), salt];
  for (let left = key.length; left > 0; left -= mixed.length) parts.push(mixed.subarray(0, left));
  const nul = Buffer.alloc(1);
  for (let bits = key.length; bits > 0; bits >>= 1) parts.push((bits & 1) === 1 ? nul : key.subarray(0, 1));
  return md5(...parts);
}

/** Slows down guessing, as far as MD5 can. */
function stretch(key: Buffer, salt: Buffer, first: Buffer): Buffer {
  let digest = first;
  for (let round = 0; round < ROUNDS; round++) {
    const isOdd = (round & 1) === 1;
    const parts = [isOdd ? key : digest];
    if (round % 3 !== 0) parts.push(salt);
    if (round % 7 !== 0) parts.push(key);
    parts.push(isOdd ? digest : key);
    digest = md5(...parts);
  }
  return digest;
}

function md5(...parts: readonly Uint8Array[]): Buffer {
  return createHash('md5').update(Buffer.concat(parts)).digest();
}

function encode(bits: number, length: number): string {
  let text = '';
  for (let index = 0; index < length; index++) text += ALPHABET.charAt((bits >> (6 * index)) & 0x3f);
  return text;
}
