import { hash } from 'node:crypto';
import type * as Jose from 'jose';
import type { CryptoKey, JWK } from 'jose';

/** The key type of an algorithm (RFC 7518 sections 3.1 and 6, RFC 8037, RFC 9864). */
interface KeyForm {
  readonly kty: string;
  readonly crv?: string;
}

const RSA: KeyForm = { kty: 'RSA' };
const SECRET: KeyForm = { kty: 'oct' };
const ED25519: KeyForm = { kty: 'OKP', crv: 'Ed25519' };
const FORMS: ReadonlyMap<string, KeyForm> = new Map([
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map((name) => [name, RSA] as const),
  ...['HS256', 'HS384', 'HS512'].map((name) => [name, SECRET] as const),
  ['ES256', { kty: 'EC', crv: 'P-256' }],
  ['ES384', { kty: 'EC', crv: 'P-384' }],
  ['ES512', { kty: 'EC', crv: 'P-521' }],
  ['EdDSA', ED25519],
  ['Ed25519', ED25519],
]);
/** Members needed to verify. If a set contains private keys by mistake, they are not imported. */
const MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e', 'k'] as const;
/** Max keys of a set. Identity providers have 2 to 10. */
const MAX_KEYS = 256;
/** Max keys tried for one token. */
const MAX_CANDIDATES = 8;

let jose: Promise<typeof Jose> | null = null;

/** Loads the library that verifies signatures. It takes 40 ms once, which a process without tokens saves. */
export function loadJose(): Promise<typeof Jose> {
  return (jose ??= import('jose'));
}

/** One key of a set. */
export class VerifyKey {
  /** Identifies the key. The same key in another set has the same id. */
  readonly id: string;
  readonly name: string | null;
  readonly #jwk: JWK;
  readonly #algorithm: string | null;
  /** Keyed by algorithm. Rejects if a key cannot be imported. */
  readonly #imported = new Map<string, Promise<CryptoKey | Uint8Array>>();

  constructor(jwk: JWK) {
    this.#jwk = Object.fromEntries(MEMBERS.map((name) => [name, jwk[name]]));
    this.#algorithm = jwk.alg ?? null;
    this.name = jwk.kid ?? null;
    this.id = hash('sha256', JSON.stringify([this.#jwk, this.#algorithm, this.name]), 'base64');
  }

  /** Whether the key is for an algorithm. The key type decides, so a public key is never used as a secret. */
  fits(algorithm: string): boolean {
    const form = FORMS.get(algorithm);
    if (form === undefined || form.kty !== this.#jwk.kty) return false;
    if (form.crv !== undefined && form.crv !== this.#jwk.crv) return false;
    return this.#algorithm === null || this.#algorithm === algorithm;
  }

  /** Whether the key signed a token, for an algorithm that it fits. Never rejects. */
  async hasSigned(token: string, algorithm: string): Promise<boolean> {
    const { compactVerify } = await loadJose();
    try {
      await compactVerify(token, await this.#importedFor(algorithm), { algorithms: [algorithm] });
      return true;
    } catch {
      // The signature is wrong, or the key is unusable, such as an RSA key of 1,024 bits.
      return false;
    }
  }

  #importedFor(algorithm: string): Promise<CryptoKey | Uint8Array> {
    let key = this.#imported.get(algorithm);
    if (key === undefined) {
      key = loadJose().then(({ importJWK }) => importJWK(this.#jwk, algorithm));
      this.#imported.set(algorithm, key);
    }
    return key;
  }
}

/** The signature keys of a JSON Web Key Set (RFC 7517). Other members are ignored (section 5). */
export class KeyRing {
  readonly #keys: readonly VerifyKey[];
  readonly #ids: ReadonlySet<string>;

  /** @param jwks text of a set. An invalid text creates a ring without keys. */
  constructor(jwks: string) {
    this.#keys = usableKeys(jwks).map((jwk) => new VerifyKey(jwk));
    this.#ids = new Set(this.#keys.map(({ id }) => id));
  }

  has(key: string): boolean {
    return this.#ids.has(key);
  }

  /**
   * Returns the keys that may have signed a token. Keys with its key name come first, then nameless keys,
   * which may sign for every name.
   *
   * @param keyName null if the token names no key
   */
  candidates(algorithm: string, keyName: string | null): readonly VerifyKey[] {
    const fitting = this.#keys.filter(
      (key) => key.fits(algorithm) && (keyName === null || key.name === null || key.name === keyName),
    );
    const named = fitting.filter(({ name }) => name !== null);
    const nameless = fitting.filter(({ name }) => name === null);
    return [...named, ...nameless].slice(0, MAX_CANDIDATES);
  }
}

function usableKeys(jwks: string): readonly JWK[] {
  let set: unknown;
  try {
    set = JSON.parse(jwks);
  } catch {
    return [];
  }
  const keys: unknown = typeof set === 'object' && set !== null && 'keys' in set ? set.keys : null;
  return Array.isArray(keys) ? keys.slice(0, MAX_KEYS).filter(isUsable) : [];
}

/** Whether a member of a set is a signature key (RFC 7517 section 4). */
function isUsable(member: unknown): member is JWK {
  if (typeof member !== 'object' || member === null) return false;
  const { kty, use, kid, alg, key_ops: operations } = member as Record<string, unknown>;
  if (typeof kty !== 'string' || (use !== undefined && use !== 'sig')) return false;
  if ((kid !== undefined && typeof kid !== 'string') || (alg !== undefined && typeof alg !== 'string'))
    return false;
  // A private or symmetric key may list only `sign`: its holder can also verify.
  return (
    operations === undefined ||
    (Array.isArray(operations) && operations.some((name) => name === 'verify' || name === 'sign'))
  );
}
