/** Messages between workers and the primary about clients: sessions, revocations, passwords, key sets. */
import type { LimitLedgerReport } from './limit-tables.ts';

/** One session, as `GET /sessions` shows it. Times are ISO 8601 in UTC. */
export interface SessionRow {
  /** The session's id in all commands: the run of its worker, a hyphen, and a number. */
  readonly id: string;
  /** Principal with its kind: `jwt:alice`. */
  readonly principal: string;
  /** The client's IP address. */
  readonly client: string;
  readonly listener: string;
  readonly cluster: string;
  readonly endpoint: string;
  readonly openedAt: string;
  /** When the session ends because its credential expires; null for never. */
  readonly endsAt: string | null;
}

/** Conditions for sessions. All of them must hold. */
export interface SessionFilter {
  /** Principal with its kind, or a bare name to match every kind. */
  readonly principal?: string;
  readonly client?: string;
  readonly listener?: string;
  readonly cluster?: string;
  /** An address and port, or the name and port that a cluster has: the name stands for all of its addresses. */
  readonly endpoint?: string;
}

/** A question from the primary to every worker that may have the session or the principal. */
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
  /** `principals`: each with its kind, or a bare name to match every kind. */
  | { readonly kind: 'revoke'; readonly principals: readonly string[] };

/** The answer to a {@link SessionQuestion}. */
export interface SessionAnswer {
  /**
   * Number of matching sessions: for `list` all sessions of the worker, otherwise those that were changed or
   * closed.
   */
  readonly count: number;
  /** For `list`: the first `limit` sessions after the id `after`, sorted by id. */
  readonly rows: readonly SessionRow[];
  /**
   * For `extend`: when the session ends. For `revoke`: when the last revoked credential expires. Milliseconds
   * since 1970, or null without an end.
   */
  readonly at: number | null;
}

/** Revokes the credentials that a principal was issued before a moment. */
export interface Revocation {
  /** Principal with its kind, or a bare name to match every kind. */
  readonly principal: string;
  /** Credentials issued before this moment are refused. Milliseconds since 1970. */
  readonly at: number;
  /** When the revocation expires. Milliseconds since 1970. */
  readonly until: number;
}

/** A revocation in its JSON form. Times are ISO 8601 in UTC. */
export interface RevocationRow {
  readonly principal: string;
  readonly at: string;
  readonly until: string;
}

/** Sent when revocations start, change or end. */
export interface RevocationsCommand {
  readonly type: 'revocations';
  readonly changed: readonly Revocation[];
  /** Principals whose revocations ended. */
  readonly ended: readonly string[];
}

interface AskCommand {
  readonly type: 'ask';
  readonly number: number;
  readonly question: SessionQuestion;
}

/** Answers `key_set_wanted`, and announces a changed key set. */
export interface KeySetCommand {
  readonly type: 'key_set';
  readonly url: string;
  /** JSON Web Key Set as text; null until the first fetch succeeds. */
  readonly jwks: string | null;
}

/** Answers `verify_password`. */
export interface PasswordCommand {
  readonly type: 'password';
  readonly number: number;
  /** Null if the queue of passwords is full, or the thread failed. */
  readonly matches: boolean | null;
}

export interface AnswerReport {
  readonly type: 'answer';
  readonly number: number;
  readonly answer: SessionAnswer;
}

/** Asks the primary to verify a password on its password thread. */
export interface PasswordReport {
  readonly type: 'verify_password';
  readonly number: number;
  readonly hash: string;
  readonly password: string;
  /** The client's IP address or IPv6 network. */
  readonly client: string;
}

/** Cancels `verify_password`: the client no longer waits for the answer. */
export interface PasswordDroppedReport {
  readonly type: 'drop_password';
  readonly number: number;
}

/** Reports that a token's key is missing from the key set of the URL, or that the set is missing. */
export interface KeySetReport {
  readonly type: 'key_set_wanted';
  readonly url: string;
}

/** Reports a revoked token that expires after its revocation. */
export interface RevokedTokenReport {
  readonly type: 'revoked_token';
  readonly principal: string;
  /** When the token expires, so the revocation must last until then. Milliseconds since 1970. */
  readonly neededUntil: number;
}

/** Messages to a worker about clients. */
export type AccessCommand = AskCommand | RevocationsCommand | KeySetCommand | PasswordCommand;

/** Messages from a worker that the primary answers, or keeps for other workers. */
export type ClientReport =
  AnswerReport | PasswordReport | PasswordDroppedReport | KeySetReport | RevokedTokenReport;

/** Messages from a worker about clients and limits. */
export type AccessReport = ClientReport | LimitLedgerReport;
