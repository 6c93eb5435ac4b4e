import type { RandomPool } from '../../../src/core/random-pool.ts';
import type { Plan } from '../../options/plan.ts';
import type { RecordedClients } from '../../recorded/recorded-clients.ts';
import type { Dialler } from '../dialling/connection.ts';
import type { LivePage } from '../measuring/live-page.ts';
import type { ReplayCounts } from '../measuring/outcome.ts';
import type { Recorder } from '../measuring/recorder.ts';
import type { Session, SessionEvents } from './session.ts';

/** Context of a scenario, one per thread and run. */
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

/** The connections of a scenario. */
export interface Sessions {
  readonly all: readonly Session[];
  /** Opens a closed session. */
  open(session: Session): void;
  /** Opens a session that has just failed, after a delay that grows with each failure. */
  openLater(session: Session): void;
}

/** A scenario in one thread. It decides when to send which messages, and which arrivals are replies. */
export interface Traffic extends SessionEvents {
  /** Whether the connections open before the traffic starts, and open again after a loss. */
  readonly holdsConnections: boolean;
  /** Max first bytes of a split message that the scenario reads. 0 if it reads none. */
  readonly keptBytes: number;
  /** Reply lengths, in a cycle. Raw connections need them to find the end of a reply. */
  readonly replyLengths: Uint32Array;
  /**
   * Starts the traffic.
   *
   * @param now time on the monotonic clock
   * @param until end of the time in which messages become due
   */
  begin(sessions: Sessions, now: number, until: number): void;
  /** Resolves when no work is left before `until`. Absent if the scenario always lasts until then. */
  readonly finished?: Promise<void>;
  /** Stops sending new messages. Replies still count. */
  end(now: number): void;
  /** Replay counts. Absent for every other scenario. */
  readonly replayed?: ReplayCounts;
  /** Whether no message remains to be sent or answered. */
  readonly settled: boolean;
  /** Counts the remaining messages as unanswered or unsent. Called when the run stops waiting. */
  giveUp(): void;

  opened(session: Session): void;
  /** Called when a session closes (`wasOpen`) or fails to open. */
  closed(session: Session, wasOpen: boolean): void;
}
