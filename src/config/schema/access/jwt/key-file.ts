/** Files of keys that verify tokens: JSON Web Key Sets (RFC 7517). */
import { createPublicKey, type KeyObject } from 'node:crypto';
import type { BaseDirectory } from '../../../syntax/files.ts';
import { textFile } from '../../../syntax/files.ts';
import type { Format } from '../../../syntax/formats.ts';
import { FormatError, describe } from '../../../syntax/formats.ts';
import { PUBLIC_ALGORITHMS } from './algorithms.ts';

/** A member of a key set that some algorithm can use. */
export interface VerifyingKey {
  /** Position among all members of the file, starting at 1. */
  readonly number: number;
  readonly algorithms: readonly string[];
  /** Without private parts, which workers do not need. */
  readonly jwk: Readonly<Record<string, unknown>>;
  readonly hadPrivateParts: boolean;
}

export interface KeyFile {
  /** Absolute. */
  readonly path: string;
  readonly keys: readonly VerifyingKey[];
}

/** Max keys of a file. An issuer has a few. */
const MAX_KEYS = 100;
const MIN_RSA_BITS = 2048;
/** Min bytes of a secret, keyed by algorithm: the length of the digest (RFC 7518 section 3.2). */
const SECRET_BYTES: Readonly<Record<string, number>> = { HS256: 32, HS384: 48, HS512: 64 };
const CURVES: Readonly<Record<string, string>> = { 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' };
/** Members of private keys (RFC 7518 section 6.3.2, RFC 8037 section 2). */
const PRIVATE_PARTS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth'];

/** Returns the format of a key set with at least one key for verification. Messages never quote keys. */
export function keyFile(base: BaseDirectory): Format<KeyFile> {
  const read = textFile(base);
  return (value) => {
    const { path, text } = read(value);
    const name = describe(value);
    const members = membersOf(text, name);
    const keys = members.flatMap((member, index) => {
      const key = keyOf(member, index + 1, name);
      return key === null ? [] : [key];
    });
    if (keys.length > 0) return { path, keys };
    throw new FormatError(
      `${name} has no key that can verify tokens: write at least one for ${PUBLIC_ALGORITHMS.slice(0, 3).join(', ')} or another ` +
        'algorithm of RFC 7518',
    );
  };
}

function membersOf(text: string, name: string): readonly unknown[] {
  let set: unknown;
  try {
    set = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which may be secret.
    throw new FormatError(`${name} is not JSON: write a key set { "keys": [...] } (RFC 7517)`);
  }
  const keys = isRecord(set) ? set.keys : undefined;
  if (!Array.isArray(keys)) {
    const hint = isRecord(set) && typeof set.kty === 'string' ? ': put the key into a list "keys"' : '';
    throw new FormatError(`${name} is not a key set, which has a list "keys" (RFC 7517)${hint}`);
  }
  if (keys.length <= MAX_KEYS) return keys;
  throw new FormatError(`${name} has ${keys.length} keys: at most ${MAX_KEYS} are taken`);
}

/** Returns null for a key with another purpose, or of an unknown kind (RFC 7517 section 5). */
function keyOf(member: unknown, number: number, name: string): VerifyingKey | null {
  const place = `key ${number} of ${name}`;
  if (!isRecord(member) || typeof member.kty !== 'string') {
    throw new FormatError(`${place} has no key type: write "kty" (RFC 7517 section 4.1)`);
  }
  const { use, key_ops: operations, alg } = member;
  if (use !== undefined && use !== 'sig') return null;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return null;
  const possible = member.kty === 'oct' ? bySecret(member, place) : byPublicKey(member, place);
  const algorithms = alg === undefined ? possible : possible.filter((each) => each === alg);
  if (algorithms.length === 0) return null;
  const isSecret = member.kty === 'oct';
  const hadPrivateParts = !isSecret && PRIVATE_PARTS.some((part) => part in member);
  const jwk = Object.fromEntries(
    Object.entries(member).filter(([part]) => isSecret || !PRIVATE_PARTS.includes(part)),
  );
  return { number, algorithms, jwk, hadPrivateParts };
}

function bySecret({ k, alg }: Record<string, unknown>, place: string): readonly string[] {
  const bytes = typeof k === 'string' && /^[\w-]+$/.test(k) ? Buffer.from(k, 'base64url').length : 0;
  if (bytes === 0)
    throw new FormatError(`${place} has no secret: write "k" in base64url (RFC 7518 section 6.4)`);
  const wanted = typeof alg === 'string' ? (SECRET_BYTES[alg] ?? 0) : SECRET_BYTES.HS256!;
  if (bytes < wanted) {
    throw new FormatError(
      `${place} has a secret of ${bytes} bytes, and ${typeof alg === 'string' ? alg : 'HS256'} needs ${wanted} or more: ` +
        'generate one with openssl rand -base64 64',
    );
  }
  return Object.keys(SECRET_BYTES).filter((each) => SECRET_BYTES[each]! <= bytes);
}

function byPublicKey(member: Record<string, unknown>, place: string): readonly string[] {
  const { kty, crv } = member;
  const curve = typeof crv === 'string' ? crv : '';
  if (kty === 'RSA') {
    const bits = parse(member, place).asymmetricKeyDetails?.modulusLength ?? 0;
    if (bits >= MIN_RSA_BITS) return PUBLIC_ALGORITHMS.filter((each) => /^[RP]S/.test(each));
    throw new FormatError(
      `${place} has ${bits} bits: RSA needs ${MIN_RSA_BITS} or more (RFC 7518 section 3.3)`,
    );
  }
  const byCurve = Object.hasOwn(CURVES, curve) ? [CURVES[curve]!] : [];
  const algorithms =
    kty === 'EC' ? byCurve : kty === 'OKP' && curve === 'Ed25519' ? ['EdDSA', 'Ed25519'] : [];
  if (algorithms.length > 0) parse(member, place);
  return algorithms;
}

function parse(member: Record<string, unknown>, place: string): KeyObject {
  const jwk = Object.fromEntries(Object.entries(member).filter(([part]) => !PRIVATE_PARTS.includes(part)));
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    throw new FormatError(
      `${place} is not a key of type ${describe(member.kty)}: write it as RFC 7518 section 6 says`,
    );
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
