import type { RandomPool } from '../../../src/core/random-pool.ts';
import type { Plan } from '../../options/plan.ts';
import type { RecordedClients } from '../../recorded/recorded-clients.ts';
import type { Dialler } from '../dialling/connection.ts';
import type { LivePage } from '../measuring/live-page.ts';
import type { ReplayCounts } from '../measuring/outcome.ts';
import type { Recorder } from '../measuring/recorder.ts';
import type { Session, SessionEvents } from './session.ts';

/** The parts that a scenario works with. Each thread of a run has its own. */
export interface DriveContext {
  readonly plan: Plan;
  readonly recorder: Recorder;
  readonly random: RandomPool;
  readonly page: LivePage;
  /** Index of the thread in the plan, from 0. */
  readonly thread: number;
  readonly runId: string;
  readonly dialler: Dialler;
  /** The recording that a replay plays. Null for every other scenario. */
  readonly recorded: RecordedClients | null;
}

/** The connections that a scenario uses. */
export interface Sessions {
  readonly all: readonly Session[];
  /** Opens a closed session. */
  open(session: Session): void;
  /** Reopens a failed session after a backoff that grows with each failure. */
  openLater(session: Session): void;
}

/** A scenario in one thread. Decides which messages are sent when, and which messages count as replies. */
export interface Traffic extends SessionEvents {
  /** Whether connections are opened before the traffic begins, and reopened when they are lost. */
  readonly holdsConnections: boolean;
  /** Max first bytes of a split message that the scenario reads; 0 if it reads none. */
  readonly keptBytes: number;
  /** Lengths of the replies, in a cycle. On a raw connection, only the lengths show where replies end. */
  readonly replyLengths: Uint32Array;
  /**
   * Begins the traffic.
   *
   * @param now time on the monotonic clock
   * @param until end of the time in which messages are due
   */
  begin(sessions: Sessions, now: number, until: number): void;
  /** Resolves when nothing remains to do before `until`. Omitted by scenarios that last until then. */
  readonly finished?: Promise<void>;
  /** Stops sending new messages. Replies still count. */
  end(now: number): void;
  /** Replay counts. Omitted by every other scenario. */
  readonly replayed?: ReplayCounts;
  /** Whether nothing remains to be sent or answered. */
  readonly settled: boolean;
  /** Counts the remaining messages as unanswered or unsent, because the run stops waiting. */
  giveUp(): void;

  opened(session: Session): void;
  /** Called when a session closed (`wasOpen`) or failed to open. */
  closed(session: Session, wasOpen: boolean): void;
}
