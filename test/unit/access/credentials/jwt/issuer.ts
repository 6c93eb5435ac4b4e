import {
  exportJWK,
  generateKeyPair,
  importJWK,
  SignJWT,
  type CryptoKey,
  type JWK,
  type JWTPayload,
} from 'jose';

/** The test's time: 2026-01-01T00:00:00Z in seconds since 1970. */
export const NOW_SECONDS = 1_767_225_600;

/** A key of an issuer, and how to sign with it. */
export interface IssuerKey {
  readonly algorithm: string;
  /** The public members, or the secret, as a member of a key set. */
  readonly jwk: JWK;
  readonly secret: CryptoKey | Uint8Array;
}

/** Makes a key. @param name its `kid`; null for none */
export async function issuerKey(algorithm: string, name: string | null): Promise<IssuerKey> {
  const kid = name === null ? {} : { kid: name };
  if (algorithm.startsWith('HS')) {
    const jwk: JWK = { kty: 'oct', k: Buffer.alloc(64, name ?? 'secret').toString('base64url'), ...kid };
    return { algorithm, jwk, secret: await importJWK(jwk, algorithm) };
  }
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  return { algorithm, jwk: { ...(await exportJWK(publicKey)), ...kid }, secret: privateKey };
}

/** Returns the text of a key set. */
export function keySetOf(...keys: readonly IssuerKey[]): string {
  return JSON.stringify({ keys: keys.map(({ jwk }) => jwk) });
}

/** Claims of a good token of the test's time, with changes. A claim that is undefined is left out. */
export function claimsOf(changes: Readonly<Record<string, unknown>> = {}): JWTPayload {
  return {
    iss: 'https://id.example.com',
    aud: 'chat',
    sub: 'alice',
    iat: NOW_SECONDS - 10,
    exp: NOW_SECONDS + 600,
    ...changes,
  };
}

/** Signs claims. @param header members of the header, beside `alg` and the key's name */
export async function sign(key: IssuerKey, claims = claimsOf(), header: object = {}): Promise<string> {
  const { kid } = key.jwk;
  return new SignJWT(claims)
    .setProtectedHeader({ alg: key.algorithm, ...(kid !== undefined && { kid }), ...header })
    .sign(key.secret);
}

/** Signs texts as they are, also those that are no JSON. Only for RS256, ES256 and HS256. */
export async function signTexts(
  key: IssuerKey,
  header: string | Buffer,
  claims: string | Buffer,
): Promise<string> {
  const input = `${encode(header)}.${encode(claims)}`;
  const name = { RS256: 'RSASSA-PKCS1-v1_5', ES256: 'ECDSA', HS256: 'HMAC' }[key.algorithm]!;
  const secret =
    key.secret instanceof Uint8Array
      ? await crypto.subtle.importKey('raw', new Uint8Array(key.secret), { name, hash: 'SHA-256' }, false, [
          'sign',
        ])
      : key.secret;
  const bytes = await crypto.subtle.sign({ name, hash: 'SHA-256' }, secret, Buffer.from(input));
  return `${input}.${Buffer.from(bytes).toString('base64url')}`;
}

/** Writes base64url. */
export function encode(text: string | Buffer): string {
  return Buffer.from(text).toString('base64url');
}
