import type { Admission } from '../../access/contract/admission.ts';
import type { LiveSet } from '../../core/collections/live-set.ts';
import type { SessionHappening } from '../../telemetry/journal/entries.ts';
import type { SessionTap } from '../../telemetry/tap/tap.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import { CLOSE_POLICY_VIOLATION } from '../../wire/frames/close-codes.ts';
import type { BufferBudget, Buffering, ShedReason } from '../buffers/buffer-budget.ts';
import type { RelaySession, RelayTerms, SessionEnd, SessionLog } from '../contract/relay.ts';
import { SessionDeadlines, type DeadlineTerms } from './session-deadlines.ts';

/** What the sessions of one relay share. */
interface SessionTerms extends RelayTerms, Pick<DeadlineTerms, 'wheel'> {
  readonly budget: BufferBudget;
  /** The sessions that live. */
  readonly sessions: LiveSet<RelaySession>;
}

/** Who has ended a session, and how. */
export type Ending = Pick<SessionEnd, 'side' | 'code' | 'reason'>;

/** What has come from one side of a session. */
interface Traffic {
  readonly messages: number;
  readonly bytes: number;
}

const NO_EXTENSIONS = '';

/** The number of the thread's latest session. */
let lastNumber = 0;

/** A session of either relay. This class counts and logs its start and end, and holds its numbers of buffered bytes. */
export abstract class CountedSession<Context extends SessionTerms>
  extends SessionDeadlines<Context>
  implements RelaySession, Buffering
{
  liveIndex = -1;
  bufferedDownstream = 0;
  bufferedUpstream = 0;
  bufferedUnfinished = 0;
  tap: SessionTap | null = null;
  readonly endpoint: Endpoint;
  readonly admission: Admission;
  readonly number = ++lastNumber;
  /** Null if nothing is told of the session. */
  readonly #log: SessionLog | null;
  /** By `performance.now()`: the wheel's clock is too coarse for short sessions. */
  readonly #openedAt = performance.now();
  /** Since 1970: the smallest integer that tells the time of day. Milliseconds would take 16 bytes more. */
  readonly #openedAtSecond = Math.floor(Date.now() / 1000);

  /** @param watchesClient as for {@link SessionDeadlines} */
  constructor(
    context: Context,
    watchesClient: boolean,
    endpoint: Endpoint,
    log: SessionLog | null,
    admission: Admission,
  ) {
    super(context, watchesClient, Math.random());
    this.endpoint = endpoint;
    this.admission = admission;
    this.#log = log;
  }

  abstract endpointBegan(bytes: Buffer): void;
  abstract discard(): void;
  abstract drain(): boolean;
  abstract undrain(): void;
  abstract evict(reason: string): boolean;
  abstract close(code: number, reason: string): boolean;
  abstract end(): void;
  abstract abort(): void;
  abstract measureBuffers(): void;
  abstract shed(reason: ShedReason): void;

  /** Of a session whose engine hides them: none. */
  get extensions(): string {
    return NO_EXTENSIONS;
  }

  get openedAt(): number {
    return this.#openedAtSecond * 1000;
  }

  reschedule(): void {
    // A session outside of the set has not begun, or both its sides have gone.
    if (this.liveIndex >= 0 && !this.hasEnded) this.armDeadlines();
  }

  override credentialExpired(): void {
    this.close(CLOSE_POLICY_VIOLATION, 'token expired');
  }

  isOf(cluster: string, endpoint: string): boolean {
    return this.endpoint.cluster === cluster && this.endpoint.label === endpoint;
  }

  /** Counts and logs the session's start, and arms its deadlines: the client has been answered 101. */
  countStart(): void {
    this.context.stats.opened();
    this.context.sessions.add(this);
    this.armDeadlines();
    this.#log?.opened();
    this.tap?.opened();
  }

  /** Notes what happens to the session before its end. @param reason in words, if the name does not tell */
  note(name: SessionHappening, reason?: string): void {
    this.#log?.happened(name, reason);
  }

  /** Counts and logs the session's end. */
  countEnd({ side, code, reason }: Ending, upstream: Traffic, downstream: Traffic): void {
    this.admission.release();
    const seconds = (performance.now() - this.#openedAt) / 1000;
    this.context.stats.ended(side, code, seconds);
    if (this.#log === null && this.tap === null) return;
    const end: SessionEnd = {
      side,
      code,
      reason,
      seconds,
      messagesUpstream: upstream.messages,
      messagesDownstream: downstream.messages,
      bytesUpstream: upstream.bytes,
      bytesDownstream: downstream.bytes,
    };
    this.#log?.closed(end);
    this.tap?.ended(end);
    this.tap = null;
  }

  /** Removes the session from the live ones and from the budget: both sides have gone. */
  forget(): void {
    this.disarmDeadlines();
    this.context.budget.forget(this);
    this.context.sessions.delete(this);
  }
}
