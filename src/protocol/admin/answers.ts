/**
 * JSON bodies of the admin API's answers to commands. The primary writes them, the command line reads them.
 */
import type { RevocationRow, SessionRow } from '../access.ts';
import type { DrainStatus } from './status.ts';

/** The keys of every answer to a command, including refusals. */
export interface CommandAnswer {
  /** HTTP status, repeated here so that a saved body still has it (as in RFC 9457 section 3.1.2). */
  readonly status: number;
  /** One sentence for a person: what happens now, or what was wrong and how to correct it. */
  readonly message: string;
}

/** The result of a reload. */
export interface ReloadResult {
  /** Number of the current configuration. */
  readonly generation: number;
  /**
   * Errors of the new configuration with their places, one per line. Null if the new configuration is now the
   * current one.
   */
  readonly problem: string | null;
  /** Changed settings that take effect only after a restart. */
  readonly needsRestart: readonly string[];
}

export type ReloadAnswer = CommandAnswer & ReloadResult;

export type DrainAnswer = CommandAnswer & DrainStatus;

export interface HandOverAnswer extends CommandAnswer {
  /** The process that hands over its listeners. */
  readonly pid: number;
  /**
   * Why the session ticket keys were not sent; null if they were. Present only if the request asked for them.
   */
  readonly tickets?: string | null;
  /** Revocations in force. Older versions omit it. */
  readonly revocations?: readonly RevocationRow[];
}

/** An answer that some workers may be missing from. */
interface GatheredAnswer extends CommandAnswer {
  /** Names of workers that are stuck, or did not answer in time. Present only if there are any. */
  readonly incomplete?: readonly string[];
}

/** The answer to `GET /sessions`. */
export interface SessionsAnswer extends GatheredAnswer {
  /** Number of sessions on all pages. */
  readonly total: number;
  /** Sorted by id. */
  readonly sessions: readonly SessionRow[];
  /** Value of the parameter `after` for the next page; null on the last page. */
  readonly next: string | null;
}
