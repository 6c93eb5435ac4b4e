import type { KeyRing, VerifyKey } from './key-ring.ts';
import type { ParsedToken } from './parsed-token.ts';

/**
 * Max concurrent verifications of one worker. Node has 4 threads for them. Others wait in a queue that they
 * leave when their client leaves, so clients that come and go cannot pile up work.
 */
const MAX_CONCURRENT = 32;

/** Called with the key that signed the token. Null if no candidate did. */
type VerifiedListener = (key: VerifyKey | null) => void;

interface Verification {
  readonly ring: KeyRing;
  readonly digest: string;
  readonly token: ParsedToken;
  readonly candidates: readonly VerifyKey[];
  readonly listeners: Set<VerifiedListener>;
}

/** Signature verifications of a worker. Requests with the same token share one. */
export class Verifications {
  /** Running and waiting verifications of each ring, keyed by the token's digest. */
  readonly #open = new WeakMap<KeyRing, Map<string, Verification>>();
  readonly #waiting = new Set<Verification>();
  #running = 0;

  /**
   * Verifies a token's signature in a later turn. The caller must yield to Node.
   *
   * @param digest the token's digest
   * @param candidates keys of the ring, tried in order
   * @returns a function that cancels `done`
   */
  begin(
    ring: KeyRing,
    digest: string,
    token: ParsedToken,
    candidates: readonly VerifyKey[],
    done: VerifiedListener,
  ): () => void {
    const open = this.#openOf(ring);
    let verification = open.get(digest);
    if (verification === undefined) {
      verification = { ring, digest, token, candidates, listeners: new Set() };
      open.set(digest, verification);
      if (this.#running < MAX_CONCURRENT) void this.#run(verification);
      else this.#waiting.add(verification);
    }
    const listener: VerifiedListener = (key) => done(key);
    const { listeners } = verification;
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#waiting.delete(verification)) open.delete(digest);
    };
  }

  #openOf(ring: KeyRing): Map<string, Verification> {
    let open = this.#open.get(ring);
    if (open === undefined) {
      open = new Map<string, Verification>();
      this.#open.set(ring, open);
    }
    return open;
  }

  async #run({ ring, digest, token, candidates, listeners }: Verification): Promise<void> {
    this.#running++;
    const key = await signerOf(token, candidates);
    this.#running--;
    this.#openOf(ring).delete(digest);
    for (const next of this.#waiting) {
      this.#waiting.delete(next);
      void this.#run(next);
      break;
    }
    for (const listener of listeners) listener(key);
  }
}

/** Returns the first key that signed a token. Null for none. Never rejects. */
async function signerOf(
  { text, algorithm }: ParsedToken,
  candidates: readonly VerifyKey[],
): Promise<VerifyKey | null> {
  for (const key of candidates) {
    if (await key.hasSigned(text, algorithm)) return key;
  }
  return null;
}
