import { createHmac, randomBytes } from 'node:crypto';

/** Max remembered matching passwords, and the time that each is remembered. */
const MAX_MATCHES = 10_000;
const MATCH_TTL_MS = 5 * 60_000;
/** Max remembered wrong passwords, and the time that each is remembered. They never evict matching ones. */
const MAX_MISMATCHES = 1_000;
const MISMATCH_TTL_MS = 10_000;

/**
 * Remembers whether passwords match hashes, keyed by an HMAC of both. Neither a memory dump nor the time of a
 * lookup reveals a password. A changed password has another hash, so old results do not apply to it.
 */
export class PasswordMemory {
  readonly #key = randomBytes(32);
  readonly #now: () => number;
  readonly #matches = new Map<string, number>();
  readonly #mismatches = new Map<string, number>();

  /** @param now milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Returns the key of a password and its hash for the other methods. */
  digestOf(hash: string, password: string): string {
    // A hash contains no NUL, so two different pairs never have the same text.
    return createHmac('sha256', this.#key).update(`${hash}\0${password}`).digest('base64');
  }

  /** Returns whether they match. Null if the result is not remembered. */
  recall(digest: string): boolean | null {
    const now = this.#now();
    if (isFresh(this.#matches, digest, now)) return true;
    return isFresh(this.#mismatches, digest, now) ? false : null;
  }

  remember(digest: string, matches: boolean): void {
    const [results, maxEntries, keptMs] = matches
      ? ([this.#matches, MAX_MATCHES, MATCH_TTL_MS] as const)
      : ([this.#mismatches, MAX_MISMATCHES, MISMATCH_TTL_MS] as const);
    results.delete(digest);
    if (results.size >= maxEntries) {
      const [oldest] = results.keys();
      results.delete(oldest!);
    }
    results.set(digest, this.#now() + keptMs);
  }
}

function isFresh(results: Map<string, number>, digest: string, now: number): boolean {
  const until = results.get(digest);
  if (until === undefined) return false;
  if (until > now) return true;
  results.delete(digest);
  return false;
}
