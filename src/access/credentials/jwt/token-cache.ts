import type { JwtKeys } from '../../../config/types/access.ts';
import { RecentMap } from '../../../core/collections/recent-map.ts';
import type { KeySets } from '../../contract/access-services.ts';
import type { Principal } from '../../contract/principal.ts';
import { KeyRing, loadJose } from './key-ring.ts';
import { Verifications } from './verifications.ts';

/** A token with a verified signature. */
export interface VerifiedToken {
  /** {@link VerifyKey.id} of the signing key. The token is trusted while the route's key set has this key. */
  readonly key: string;
  readonly algorithm: string;
  readonly principal: Principal;
}

const MAX_TOKENS = 10_000;
const MAX_TOKEN_MEMORY_BYTES = 16 * 1024 * 1024;
/** Measured: the size of an entry without claims, and the bytes of parsed claims per byte of token. */
const ENTRY_BYTES = 768;
const BYTES_PER_TOKEN_BYTE = 4;

/** State shared by all routes of a worker: verified tokens, pending verifications, and parsed key sets. */
export class TokenCache {
  readonly verifications = new Verifications();
  readonly #keySets: KeySets;
  readonly #tokens = new RecentMap<VerifiedToken>({
    maxEntries: MAX_TOKENS,
    maxWeight: MAX_TOKEN_MEMORY_BYTES,
  });
  /** Keyed by the set of a URL or the settings of a file. Both are replaced as a whole. */
  readonly #rings = new WeakMap<object, KeyRing>();

  private constructor(keySets: KeySets) {
    this.#keySets = keySets;
    // Load the library early, so that the first client does not wait for it.
    void loadJose();
  }

  /** Returns the cache of the worker that owns `keySets`. */
  static of(keySets: KeySets): TokenCache {
    let cache = CACHES.get(keySets);
    if (cache === undefined) CACHES.set(keySets, (cache = new TokenCache(keySets)));
    return cache;
  }

  /** Returns the keys of a route. Null if its URL has not been fetched yet. */
  ringOf(keys: JwtKeys): KeyRing | null {
    const set = keys.kind === 'file' ? keys : this.#keySets.of(keys.url);
    if (set === null) return null;
    let ring = this.#rings.get(set);
    if (ring === undefined) this.#rings.set(set, (ring = new KeyRing(set.jwks)));
    return ring;
  }

  /**
   * Returns a recently verified token. Undefined if it is unknown.
   *
   * @param digest digest of the token
   */
  find(digest: string): VerifiedToken | undefined {
    return this.#tokens.get(digest);
  }

  /** @param length length of the token's text */
  keep(digest: string, token: VerifiedToken, length: number): void {
    this.#tokens.set(digest, token, ENTRY_BYTES + BYTES_PER_TOKEN_BYTE * length);
  }

  forget(digest: string): void {
    this.#tokens.delete(digest);
  }
}

const CACHES = new WeakMap<KeySets, TokenCache>();
