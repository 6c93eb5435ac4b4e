import type { Logger } from '../../telemetry/logger.ts';
import type { Principal } from './principal.ts';

/** What the methods of a worker share, and what they ask of the primary. */
export interface AccessServices {
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Gives Node a turn before the thread waits again: needed by everything that Node does later. */
  readonly yieldToNode: () => void;
  readonly passwords: PasswordVerifier;
  readonly keySets: KeySets;
  readonly revocations: RevocationList;
}

/** Verifies passwords on the thread that the process has for this. */
export interface PasswordVerifier {
  /**
   * Compares a password with its hash, at once if the result is remembered, else in a later turn.
   *
   * @param done hears later whether they match; null if too many passwords wait, or the thread has failed
   * @returns whether they match, or a function that gives the answer up
   */
  verify(attempt: PasswordAttempt, done: (matches: boolean | null) => void): boolean | (() => void);
}

export interface PasswordAttempt {
  /** An entry of an htpasswd file, without the user. */
  readonly hash: string;
  readonly password: string;
  /** The client's IP address. The clients of a network share its places in the queue. */
  readonly client: string;
}

/** The key sets of URLs, which the primary fetches for all workers. */
export interface KeySets {
  /** Returns the set that was fetched last; null before the first. The object changes with each new set. */
  of(url: string): KeySet | null;
  /**
   * Asks for a newer set: a token names an unknown key, or there is no set yet. A request too soon after
   * another one gets the current set.
   *
   * @param done called once in a later turn, when there is a new set or none can be had
   * @returns a function that gives the answer up
   */
  refresh(url: string, done: () => void): () => void;
}

export interface KeySet {
  /** The text of a JSON Web Key Set. */
  readonly jwks: string;
}

/** The principals that have been revoked. */
export interface RevocationList {
  /**
   * Tells whether a principal's credential is revoked: issued before the revocation, or without a time of
   * issue. Reports a revoked token to the primary if the token outlives the revocation.
   */
  isRevoked(principal: Principal): boolean;
}
