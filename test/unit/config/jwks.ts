/** Key sets for tests. */
import { generateKeyPairSync, type JsonWebKey } from 'node:crypto';

export const EC_KEYS = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ed = generateKeyPairSync('ed25519');

export const EC: JsonWebKey = { ...EC_KEYS.publicKey.export({ format: 'jwk' }), kid: 'ec' };
export const ED: JsonWebKey = { ...ed.publicKey.export({ format: 'jwk' }), kid: 'ed' };
export const RSA: JsonWebKey = { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'rsa' };

/** Returns a shared secret of some bytes. */
export function secret(bytes: number, more: JsonWebKey = {}): JsonWebKey {
  return { kty: 'oct', k: Buffer.alloc(bytes, 'secret').toString('base64url'), ...more };
}

/** Writes a key set. */
export function keySet(...keys: readonly unknown[]): string {
  return JSON.stringify({ keys });
}

export const JWKS = keySet(EC, ED);
