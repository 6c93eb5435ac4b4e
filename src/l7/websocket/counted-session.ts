import type { Admission } from '../../access/contract/admission.ts';
import type { LiveSet } from '../../core/collections/live-set.ts';
import type { SessionEventName } from '../../telemetry/journal/entries.ts';
import type { SessionTap } from '../../telemetry/tap/tap.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import { CLOSE_POLICY_VIOLATION } from '../../wire/frames/close-codes.ts';
import type { BufferBudget, Buffering, ShedReason } from '../buffers/buffer-budget.ts';
import type { RelaySession, RelayTerms, SessionEnd, SessionLog } from '../contract/relay.ts';
import { SessionDeadlines, type DeadlineTerms } from './session-deadlines.ts';

/** State that the sessions of one relay share. */
interface SessionTerms extends RelayTerms, Pick<DeadlineTerms, 'wheel'> {
  readonly budget: BufferBudget;
  /** The open sessions. */
  readonly sessions: LiveSet<RelaySession>;
}

/** Which side ended a session, and how. */
export type Ending = Pick<SessionEnd, 'side' | 'code' | 'reason'>;

/** Data received from one side of a session. */
interface Traffic {
  readonly messages: number;
  readonly bytes: number;
}

const NO_EXTENSIONS = '';

/** Number of the thread's latest session. */
let lastNumber = 0;

/**
 * A session of either relay. This class counts and logs its start and end, and holds its counts of buffered
 * bytes.
 */
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
  /** Null if the session is not logged. */
  readonly #log: SessionLog | null;
  /** By `performance.now()`: the wheel's clock is too coarse for short sessions. */
  readonly #openedAt = performance.now();
  /** Seconds since 1970, which V8 keeps as a small integer. Milliseconds would take 16 bytes more. */
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

  /** None: an engine that frames WebSockets itself hides its extensions. */
  get extensions(): string {
    return NO_EXTENSIONS;
  }

  get openedAt(): number {
    return this.#openedAtSecond * 1000;
  }

  reschedule(): void {
    // A session outside the set has not started, or both sides are closed.
    if (this.liveIndex >= 0 && !this.hasEnded) this.armDeadlines();
  }

  override credentialExpired(): void {
    this.close(CLOSE_POLICY_VIOLATION, 'token expired');
  }

  isOf(cluster: string, endpoint: string): boolean {
    return this.endpoint.cluster === cluster && this.endpoint.label === endpoint;
  }

  /** Counts and logs the session's start, and arms its deadlines. The client has its 101. */
  countStart(): void {
    this.context.stats.opened();
    this.context.sessions.add(this);
    this.armDeadlines();
    this.#log?.opened();
    this.tap?.opened();
  }

  /** Records an event before the end. @param reason details besides the name */
  note(name: SessionEventName, reason?: string): void {
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

  /** Removes the session from the open sessions and from the budget, after both sides have closed. */
  forget(): void {
    this.disarmDeadlines();
    this.context.budget.forget(this);
    this.context.sessions.delete(this);
  }
}
