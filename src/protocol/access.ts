/** What workers and the primary tell each other of clients: sessions, revocations, passwords, keys. */
import type { LimitLedgerReport } from './limit-tables.ts';

/** One session, as `GET /sessions` shows it. Times are ISO 8601 in UTC. */
export interface SessionRow {
  /** Names the session in all commands: the run of its worker, a hyphen, and its number there. */
  readonly id: string;
  /** With its kind: `jwt:alice`. */
  readonly principal: string;
  /** The client's IP address. */
  readonly client: string;
  readonly listener: string;
  readonly cluster: string;
  readonly endpoint: string;
  readonly openedAt: string;
  /** When the session ends because of its credential; null for never. */
  readonly endsAt: string | null;
}

/** The conditions for the sessions of an answer, which must all hold. */
export interface SessionFilter {
  /** With its kind, or a bare name for every kind. */
  readonly principal?: string;
  readonly cluster?: string;
  readonly client?: string;
}

/** What the primary asks of every worker that may have the session or the principal. */
export type SessionQuestion =
  | {
      readonly kind: 'list';
      readonly filter: SessionFilter;
      readonly after: string | null;
      readonly limit: number;
    }
  | { readonly kind: 'close'; readonly id: string; readonly code: number; readonly reason: string }
  | {
      readonly kind: 'close_all';
      readonly filter: SessionFilter;
      readonly code: number;
      readonly reason: string;
    }
  | { readonly kind: 'extend'; readonly id: string; readonly byMs: number }
  /** Each principal with its kind, or a bare name for every kind. */
  | { readonly kind: 'revoke'; readonly principals: readonly string[] };

/** The answer to a {@link SessionQuestion}. */
export interface SessionAnswer {
  /**
   * Sessions that fit the question: those of the whole worker for `list`, those that were changed or closed
   * for others.
   */
  readonly count: number;
  /** For `list`: the first `limit` sessions behind the id `after`, in the order of their ids. */
  readonly rows: readonly SessionRow[];
  /**
   * For `extend` when the session ends, and for `revoke` until when the credentials need the revocation, in
   * milliseconds since 1970. Null if the session has no end, or no credential says so.
   */
  readonly at: number | null;
}

/** A principal whose older credentials do not count. */
export interface Revocation {
  /** With its kind, or a bare name for every kind. */
  readonly principal: string;
  /** Credentials that were issued before this moment are refused. Milliseconds since 1970. */
  readonly at: number;
  /** When the revocation can be forgotten. */
  readonly until: number;
}

/** A revocation for people and other processes. Times are ISO 8601 in UTC. */
export interface RevocationRow {
  readonly principal: string;
  readonly at: string;
  readonly until: string;
}

/** Revocations have come into force, have changed, or have ended. */
export interface RevocationsCommand {
  readonly type: 'revocations';
  readonly changed: readonly Revocation[];
  /** The principals of those that have ended. */
  readonly ended: readonly string[];
}

interface AskCommand {
  readonly type: 'ask';
  readonly number: number;
  readonly question: SessionQuestion;
}

/** The answer to `key_set_wanted`, and the news of a set. */
export interface KeySetCommand {
  readonly type: 'key_set';
  readonly url: string;
  /** The text of a JSON Web Key Set; null if none could be fetched yet. */
  readonly jwks: string | null;
}

/** The answer to `verify_password`. */
export interface PasswordCommand {
  readonly type: 'password';
  readonly number: number;
  /** Null if too many passwords wait, or the thread has failed. */
  readonly matches: boolean | null;
}

export interface AnswerReport {
  readonly type: 'answer';
  readonly number: number;
  readonly answer: SessionAnswer;
}

/** A password is to be verified on the thread that the process has for it. */
export interface PasswordReport {
  readonly type: 'verify_password';
  readonly number: number;
  readonly hash: string;
  readonly password: string;
  /** The client's IP address, or an IPv6 network. */
  readonly client: string;
}

/** Nobody waits for a password's answer any more. */
export interface PasswordDroppedReport {
  readonly type: 'drop_password';
  readonly number: number;
}

/** A token names a key that the set of the URL does not have, or there is no set. */
export interface KeySetReport {
  readonly type: 'key_set_wanted';
  readonly url: string;
}

/** A revoked token was shown that expires later than the revocation is kept. */
export interface RevokedTokenReport {
  readonly type: 'revoked_token';
  readonly principal: string;
  /** How long the revocation must be kept to refuse the token. Milliseconds since 1970. */
  readonly neededUntil: number;
}

/** Messages to a worker. */
export type AccessCommand = AskCommand | RevocationsCommand | KeySetCommand | PasswordCommand;

/** Messages of a worker that its primary answers, or keeps for other workers. */
export type ClientReport =
  AnswerReport | PasswordReport | PasswordDroppedReport | KeySetReport | RevokedTokenReport;

/** Messages of a worker. */
export type AccessReport = ClientReport | LimitLedgerReport;
