import type { Logger } from '../../telemetry/logger.ts';
import type { Principal } from './principal.ts';

/** Services shared by a worker's credential methods, some of them provided by the primary. */
export interface AccessServices {
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /**
   * Gives Node's event loop a turn before the thread waits again. All asynchronous work of Node needs one.
   */
  readonly yieldToNode: () => void;
  readonly passwords: PasswordVerifier;
  readonly keySets: KeySets;
  readonly revocations: RevocationList;
}

/** Verifies passwords on a dedicated thread of the process. */
export interface PasswordVerifier {
  /**
   * Compares a password with its hash: at once if the result is remembered, otherwise in a later turn.
   *
   * @param done called later with whether they match; null if too many passwords wait or the thread failed
   * @returns whether they match, or a function that cancels `done`
   */
  verify(attempt: PasswordAttempt, done: (matches: boolean | null) => void): boolean | (() => void);
}

export interface PasswordAttempt {
  /** An htpasswd entry without the user. */
  readonly hash: string;
  readonly password: string;
  /** The client's IP address. Clients of one network share its places in the queue. */
  readonly client: string;
}

/** Key sets by URL, fetched by the primary for all workers. */
export interface KeySets {
  /** Returns the latest set. Null before the first. Each new set is a new object. */
  of(url: string): KeySet | null;
  /**
   * Requests a newer set, because a token names an unknown key or no set has arrived. A request too soon
   * after another gets the current set.
   *
   * @param done called once in a later turn, with a new set or after the fetch has failed
   * @returns a function that cancels `done`
   */
  refresh(url: string, done: () => void): () => void;
}

export interface KeySet {
  /** JSON text of a JSON Web Key Set. */
  readonly jwks: string;
}

/** Revoked principals. */
export interface RevocationList {
  /**
   * Returns whether a principal's credential is revoked: issued before the revocation, or without an issue
   * time. Reports a revoked token to the primary if it outlives the revocation.
   */
  isRevoked(principal: Principal): boolean;
}
