import type { RandomPool } from '../../../src/core/random-pool.ts';
import type { Plan } from '../../options/plan.ts';
import type { RecordedClients } from '../../recorded/recorded-clients.ts';
import type { Dialler } from '../dialling/connection.ts';
import type { LivePage } from '../measuring/live-page.ts';
import type { ReplayCounts } from '../measuring/outcome.ts';
import type { Recorder } from '../measuring/recorder.ts';
import type { Session, SessionEvents } from './session.ts';

/** The parts that a scenario works with; one set for each thread and run. */
export interface DriveContext {
  readonly plan: Plan;
  readonly recorder: Recorder;
  readonly random: RandomPool;
  readonly page: LivePage;
  /** Which of the plan's threads this is, from 0. */
  readonly thread: number;
  readonly runId: string;
  readonly dialler: Dialler;
  /** The recording that a replay plays. Null for every other scenario. */
  readonly recorded: RecordedClients | null;
}

/** The connections that a scenario plays on. */
export interface Sessions {
  readonly all: readonly Session[];
  /** Opens one that is closed. */
  open(session: Session): void;
  /** Opens one that has just failed after a while that grows from failure to failure. */
  openLater(session: Session): void;
}

/** A scenario at work in one thread: decides which messages are sent when, and what counts as a reply. */
export interface Traffic extends SessionEvents {
  /** Whether connections are opened before the traffic begins, and opened again when they are lost. */
  readonly holdsConnections: boolean;
  /** Max first bytes that it looks at of a message that comes in pieces; 0 if it looks at none. */
  readonly keptBytes: number;
  /** Lengths of the replies, in a cycle: a raw connection needs them to find where replies end. */
  readonly replyLengths: Uint32Array;
  /**
   * Begins the traffic.
   *
   * @param now on the monotonic clock
   * @param until when messages cease to be due
   */
  begin(sessions: Sessions, now: number, until: number): void;
  /** Resolves when nothing is left to do before `until`. Left out by scenarios that last until then. */
  readonly finished?: Promise<void>;
  /** No more new messages; replies still count. */
  end(now: number): void;
  /** The replay counts. Absent for every other scenario. */
  readonly replayed?: ReplayCounts;
  /** Whether nothing is left to be sent or to be answered. */
  readonly settled: boolean;
  /** Counts remaining messages as unanswered or unsent: the run waits no longer. */
  giveUp(): void;

  opened(session: Session): void;
  /** Called when a session closed (`wasOpen`) or failed to open. */
  closed(session: Session, wasOpen: boolean): void;
}
