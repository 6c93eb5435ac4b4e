/** The JSON bodies of the admin API's answers to commands: the primary writes them, the command line reads them. */
import type { RevocationRow, SessionRow } from '../access.ts';
import type { DrainStatus } from './status.ts';

/** The keys of every answer to a command, and of every refusal. */
export interface CommandAnswer {
  /** The HTTP status, so that a saved body still tells it (as in RFC 9457 section 3.1.2). */
  readonly status: number;
  /** One sentence for a person: what happens now, or what was wrong and how to ask instead. */
  readonly message: string;
}

/** The result of a reload. */
export interface ReloadResult {
  /** Number of the configuration in use now. */
  readonly generation: number;
  /** Each error of the new configuration with its place, one a line; null if that configuration is in use now. */
  readonly problem: string | null;
  /** Settings that have changed, and that only a restart brings into force. */
  readonly needsRestart: readonly string[];
}

export type ReloadAnswer = CommandAnswer & ReloadResult;

export type DrainAnswer = CommandAnswer & DrainStatus;

export interface HandOverAnswer extends CommandAnswer {
  /** The process that hands over. */
  readonly pid: number;
  /** Why the keys of session tickets have not been sent; null if they have. Only if they were asked for. */
  readonly tickets?: string | null;
  /** The revocations in force. Left out by versions that have none. */
  readonly revocations?: readonly RevocationRow[];
}

/** An answer to which some workers may have given nothing. */
interface GatheredAnswer extends CommandAnswer {
  /** The workers that are stuck, or too busy to answer in time, by their names. Only if there are some. */
  readonly incomplete?: readonly string[];
}

/** The answer to `GET /sessions`. */
export interface SessionsAnswer extends GatheredAnswer {
  /** Sessions of all pages. */
  readonly total: number;
  /** In the order of their ids. */
  readonly sessions: readonly SessionRow[];
  /** For the parameter `after` of the next page; null for the last page. */
  readonly next: string | null;
}
