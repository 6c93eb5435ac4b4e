import { exportSPKI, EncryptJWT, importJWK, SignJWT, UnsecuredJWT, type CryptoKey } from 'jose';
import type { AccessRefusalReason } from '../../../../../src/access/contract/credential-method.ts';
import { claimsOf, encode, issuerKey, NOW_SECONDS, sign, signTexts, type IssuerKey } from './issuer.ts';

/** The keys that the hostile tokens are made with. The route accepts RS256 and ES256. */
export interface HostileKeys {
  readonly rsa: IssuerKey;
  readonly ec: IssuerKey;
  /** A key that the route's set does not have, with the name of `ec`. */
  readonly foreign: IssuerKey;
}

/** A token that must be refused. */
export interface HostileToken {
  readonly name: string;
  readonly reason: AccessRefusalReason;
  readonly make: (keys: HostileKeys) => Promise<string> | string;
}

/** Makes the keys once for all tokens. */
export async function hostileKeys(): Promise<HostileKeys> {
  const [rsa, ec, foreign] = await Promise.all([
    issuerKey('RS256', 'rsa'),
    issuerKey('ES256', 'ec'),
    issuerKey('ES256', 'ec'),
  ]);
  return { rsa, ec, foreign };
}

const HEADER = '{"alg":"ES256","kid":"ec"}';
const CLAIMS = JSON.stringify(claimsOf());

/** Signs good claims with a header, and the other way round. */
const withHeader =
  (header: object) =>
  ({ ec }: HostileKeys) =>
    sign(ec, claimsOf(), header);
const withClaims =
  (claims: Readonly<Record<string, unknown>>) =>
  ({ ec }: HostileKeys) =>
    sign(ec, claimsOf(claims));
const withTexts =
  (header: string | Buffer, claims: string | Buffer) =>
  ({ ec }: HostileKeys) =>
    signTexts(ec, header, claims);

/** Changes a good token. */
const changed =
  (change: (parts: [string, string, string]) => string) =>
  async ({ ec }: HostileKeys): Promise<string> =>
    change((await sign(ec)).split('.') as [string, string, string]);

/** Signs with a public key as a secret. */
async function signedWithPublicKey({ rsa }: HostileKeys, form: 'pem' | 'jwk' | 'modulus'): Promise<string> {
  const key = (await importJWK(rsa.jwk, 'RS256', { extractable: true })) as CryptoKey;
  const texts = { pem: await exportSPKI(key), jwk: JSON.stringify(rsa.jwk), modulus: rsa.jwk.n! };
  return new SignJWT(claimsOf())
    .setProtectedHeader({ alg: 'HS256', kid: 'rsa' })
    .sign(Buffer.from(texts[form]));
}

export const HOSTILE_TOKENS: readonly HostileToken[] = [
  { name: 'alg none', reason: 'token_algorithm', make: () => new UnsecuredJWT(claimsOf()).encode() },
  {
    name: 'alg None with a signature',
    reason: 'token_algorithm',
    make: changed(([, claims, signature]) => `${encode('{"alg":"None"}')}.${claims}.${signature}`),
  },
  {
    name: 'alg of another case',
    reason: 'token_algorithm',
    make: changed(
      ([, claims, signature]) => `${encode('{"alg":"es256","kid":"ec"}')}.${claims}.${signature}`,
    ),
  },
  {
    name: 'HS256 with the public key as PEM',
    reason: 'token_algorithm',
    make: (keys) => signedWithPublicKey(keys, 'pem'),
  },
  {
    name: 'HS256 with the public key as JWK',
    reason: 'token_algorithm',
    make: (keys) => signedWithPublicKey(keys, 'jwk'),
  },
  {
    name: 'HS256 with the modulus',
    reason: 'token_algorithm',
    make: (keys) => signedWithPublicKey(keys, 'modulus'),
  },
  {
    name: 'an algorithm that the route does not accept, with a key of the set',
    reason: 'token_algorithm',
    make: ({ rsa }) => sign({ ...rsa, algorithm: 'RS512' }).catch(() => signedAs('RS512')),
  },
  {
    name: 'RS256 with the name of the EC key',
    reason: 'token_key',
    make: ({ rsa }) => sign(rsa, claimsOf(), { kid: 'ec' }),
  },
  {
    name: 'alg missing',
    reason: 'token_malformed',
    make: changed(([, claims, signature]) => `${encode('{"kid":"ec"}')}.${claims}.${signature}`),
  },
  { name: 'alg as a number', reason: 'token_malformed', make: withTexts('{"alg":256}', CLAIMS) },
  {
    name: 'alg as a list',
    reason: 'token_malformed',
    make: withTexts('{"alg":["ES256"],"kid":"ec"}', CLAIMS),
  },
  { name: 'alg twice', reason: 'token_malformed', make: withTexts('{"alg":"none","alg":"ES256"}', CLAIMS) },
  {
    name: 'alg twice, once escaped',
    reason: 'token_malformed',
    make: withTexts('{"\\u0061lg":"none","alg":"ES256","kid":"ec"}', CLAIMS),
  },
  { name: 'expired', reason: 'token_expired', make: withClaims({ exp: NOW_SECONDS - 30 }) },
  { name: 'expired in 1970', reason: 'token_expired', make: withClaims({ exp: 0 }) },
  { name: 'not valid yet', reason: 'token_early', make: withClaims({ nbf: NOW_SECONDS + 31 }) },
  { name: 'issued in the future', reason: 'token_early', make: withClaims({ iat: NOW_SECONDS + 31 }) },
  {
    name: 'exp as a text',
    reason: 'token_malformed',
    make: withTexts(HEADER, CLAIMS.replace(/"exp":\d+/, '"exp":"9999999999"')),
  },
  {
    name: 'exp infinite',
    reason: 'token_malformed',
    make: withTexts(HEADER, CLAIMS.replace(/"exp":\d+/, '"exp":1e999')),
  },
  {
    name: 'exp null',
    reason: 'token_malformed',
    make: withTexts(HEADER, CLAIMS.replace(/"exp":\d+/, '"exp":null')),
  },
  {
    name: 'iat negative',
    reason: 'token_malformed',
    make: withTexts(HEADER, CLAIMS.replace(/"iat":\d+/, '"iat":-1')),
  },
  { name: 'another audience', reason: 'token_audience', make: withClaims({ aud: 'mail' }) },
  { name: 'no audience', reason: 'token_audience', make: withClaims({ aud: undefined }) },
  { name: 'audience as an object', reason: 'token_audience', make: withClaims({ aud: { chat: true } }) },
  {
    name: 'audiences of others',
    reason: 'token_audience',
    make: withClaims({ aud: ['mail', 'CHAT', 'chat '] }),
  },
  {
    name: 'another issuer',
    reason: 'token_issuer',
    make: withClaims({ iss: 'https://id.example.com.evil.test' }),
  },
  { name: 'no issuer', reason: 'token_issuer', make: withClaims({ iss: undefined }) },
  {
    name: 'issuers as a list',
    reason: 'token_issuer',
    make: withClaims({ iss: ['https://id.example.com'] }),
  },
  {
    name: 'a claim twice',
    reason: 'token_malformed',
    make: withTexts(HEADER, CLAIMS.replace('{', '{"sub":"root",')),
  },
  {
    name: 'a claim twice within another',
    reason: 'token_malformed',
    make: withTexts(HEADER, CLAIMS.replace('{', '{"realm":{"a":[{"role":"x","role":"y"}]},')),
  },
  { name: 'no subject', reason: 'token_claim', make: withClaims({ sub: undefined }) },
  { name: 'an empty subject', reason: 'token_claim', make: withClaims({ sub: '' }) },
  {
    name: 'a subject with a line break',
    reason: 'token_claim',
    make: withClaims({ sub: 'a\r\nx-admin: 1' }),
  },
  {
    name: 'a subject with an escape sequence',
    reason: 'token_claim',
    make: withClaims({ sub: '\u001b[2J' }),
  },
  { name: 'a subject that is a list', reason: 'token_claim', make: withClaims({ sub: ['alice'] }) },
  { name: 'a subject of 513 characters', reason: 'token_claim', make: withClaims({ sub: 'a'.repeat(513) }) },
  {
    name: 'a forwarded claim with a line break',
    reason: 'token_claim',
    make: withClaims({ group: 'a\nx-admin: 1' }),
  },
  {
    name: 'a forwarded claim of 5 KiB',
    reason: 'token_claim',
    make: withClaims({ group: 'é'.repeat(2560) }),
  },
  { name: 'a forwarded list with a comma', reason: 'token_claim', make: withClaims({ group: ['a,admin'] }) },
  { name: 'huge', reason: 'token_malformed', make: withClaims({ pad: 'x'.repeat(8192) }) },
  { name: '1,000 dots', reason: 'token_malformed', make: () => '.'.repeat(1000) },
  {
    name: 'a bomb of brackets',
    reason: 'token_malformed',
    make: withTexts(HEADER, `{"a":${'['.repeat(2000)}${']'.repeat(2000)}}`),
  },
  {
    name: 'a token within a token',
    reason: 'token_malformed',
    make: async ({ ec }) => signTexts(ec, '{"alg":"ES256","kid":"ec","cty":"JWT"}', await sign(ec)),
  },
  {
    name: 'encrypted',
    reason: 'token_malformed',
    make: async () =>
      new EncryptJWT(claimsOf())
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .encrypt(Buffer.alloc(32, 1)),
  },
  {
    name: 'a JWS of the JSON serialization',
    reason: 'token_malformed',
    make: changed(([protectedHeader, payload, signature]) =>
      JSON.stringify({ payload, protected: protectedHeader, signature }),
    ),
  },
  {
    name: 'an unknown critical extension',
    reason: 'token_malformed',
    make: withTexts('{"alg":"ES256","kid":"ec","crit":["exp"],"exp":1}', CLAIMS),
  },
  {
    name: 'no critical extensions',
    reason: 'token_malformed',
    make: withTexts('{"alg":"ES256","kid":"ec","crit":[]}', CLAIMS),
  },
  {
    name: 'an unencoded payload',
    reason: 'token_malformed',
    make: withTexts('{"alg":"ES256","kid":"ec","b64":false,"crit":["b64"]}', CLAIMS),
  },
  {
    name: 'b64 without crit',
    reason: 'token_malformed',
    make: withTexts('{"alg":"ES256","b64":false}', CLAIMS),
  },
  { name: 'kid as a path', reason: 'token_key', make: withHeader({ kid: '../../../../dev/null' }) },
  { name: 'kid as SQL', reason: 'token_key', make: withHeader({ kid: "x' UNION SELECT 'secret" }) },
  { name: 'kid as a command', reason: 'token_key', make: withHeader({ kid: '|/bin/sh -c id' }) },
  { name: 'kid __proto__', reason: 'token_key', make: withHeader({ kid: '__proto__' }) },
  {
    name: 'kid as an object',
    reason: 'token_malformed',
    make: withTexts('{"alg":"ES256","kid":{}}', CLAIMS),
  },
  { name: 'kid of 4 KiB', reason: 'token_malformed', make: withHeader({ kid: 'k'.repeat(4096) }) },
  { name: 'the key of somebody else', reason: 'token_signature', make: ({ foreign }) => sign(foreign) },
  {
    name: 'its own key in the header',
    reason: 'token_signature',
    make: ({ foreign }) => sign(foreign, claimsOf(), { jwk: foreign.jwk }),
  },
  {
    name: "a URL of an attacker's key in the header",
    reason: 'token_key',
    make: ({ foreign }) => sign(foreign, claimsOf(), { kid: 'mine', jku: 'https://evil.test/jwks' }),
  },
  {
    name: 'claims changed behind the signature',
    reason: 'token_signature',
    make: changed(([header, , signature]) => {
      const claims = encode(JSON.stringify(claimsOf({ sub: 'root' })));
      return `${header}.${claims}.${signature}`;
    }),
  },
  {
    name: 'a signature of zeros',
    reason: 'token_signature',
    make: changed(([header, claims]) => `${header}.${claims}.${encode(Buffer.alloc(64))}`),
  },
  {
    name: 'a signature as DER',
    reason: 'token_signature',
    make: changed(
      ([header, claims]) => `${header}.${claims}.${encode(Buffer.from('3006020101020101', 'hex'))}`,
    ),
  },
  {
    name: 'no signature',
    reason: 'token_signature',
    make: changed(([header, claims]) => `${header}.${claims}.`),
  },
  { name: 'padded base64', reason: 'token_malformed', make: changed((parts) => `${parts.join('.')}=`) },
  {
    name: 'base64 that ends in other bits',
    reason: 'token_malformed',
    make: changed(([header, claims, signature]) => `${header}.${claims}.${otherEnd(signature)}`),
  },
  { name: 'a line break in a part', reason: 'token_malformed', make: changed((parts) => parts.join('.\n')) },
  { name: 'claims that are a list', reason: 'token_malformed', make: withTexts(HEADER, `[${CLAIMS}]`) },
  { name: 'claims that are null', reason: 'token_malformed', make: withTexts(HEADER, 'null') },
  {
    name: 'claims with a byte order mark',
    reason: 'token_malformed',
    make: withTexts(HEADER, `\ufeff${CLAIMS}`),
  },
  {
    name: 'claims that are not UTF-8',
    reason: 'token_malformed',
    make: withTexts(HEADER, Buffer.from(CLAIMS.replace('alice', 'al\xefce'), 'latin1')),
  },
];

/**
 * Changes the bits after the last byte: 64 bytes are 86 characters, and the last character has 4 bits too
 * many.
 */
function otherEnd(signature: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(signature.at(-1)!);
  return signature.slice(0, -1) + alphabet[last ^ 1]!;
}

/** A token of an algorithm that WebCrypto does not let the key sign with. */
function signedAs(algorithm: string): string {
  const header = encode(JSON.stringify({ alg: algorithm, kid: 'rsa' }));
  return `${header}.${encode(CLAIMS)}.${encode(Buffer.alloc(256, 7))}`;
}
