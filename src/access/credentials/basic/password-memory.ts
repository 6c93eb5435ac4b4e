import { createHmac, randomBytes } from 'node:crypto';

/** Max remembered passwords that match their hashes, and how long each is remembered. */
const MAX_GOOD = 10_000;
const GOOD_MS = 5 * 60_000;
/** Max remembered wrong passwords, and how long each is remembered. They never displace right ones. */
const MAX_BAD = 1_000;
const BAD_MS = 10_000;

/**
 * Remembers whether passwords match hashes, by a keyed digest of both: neither a memory dump nor the time of
 * a look-up tells a password. A changed password has another hash, so old results do not count for it.
 */
export class PasswordMemory {
  readonly #key = randomBytes(32);
  readonly #now: () => number;
  readonly #good = new Map<string, number>();
  readonly #bad = new Map<string, number>();

  /** @param now milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Names a password and its hash in the other methods. */
  digestOf(hash: string, password: string): string {
    // A hash has no NUL: the digests of two pairs cannot be the same.
    return createHmac('sha256', this.#key).update(`${hash}\0${password}`).digest('base64');
  }

  /** Returns whether they match; null if that is not remembered. */
  recall(digest: string): boolean | null {
    const now = this.#now();
    if (isFresh(this.#good, digest, now)) return true;
    return isFresh(this.#bad, digest, now) ? false : null;
  }

  remember(digest: string, matches: boolean): void {
    const [results, most, keptMs] = matches
      ? ([this.#good, MAX_GOOD, GOOD_MS] as const)
      : ([this.#bad, MAX_BAD, BAD_MS] as const);
    results.delete(digest);
    if (results.size >= most) {
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
