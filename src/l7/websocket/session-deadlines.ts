import type { Admission } from '../../access/contract/admission.ts';
import type { WebSocketSettings } from '../../config/types/listener.ts';
import { Timed, type TimerWheel } from '../../core/timing/timer-wheel.ts';

/** Time that a peer has to answer a close frame before its connection is cut. */
const CLOSE_TIMEOUT_MS = 5000;
/**
 * The time after which a session compares the end of its credential with the wall clock again: the clock may have been
 * set, and no deadline hears of that.
 */
const MAX_CLOCK_TRUST_MS = 60_000;

// Bits of the phase.
const ENDED = 1;
/** The endpoint has been pinged since it was last heard. */
const ENDPOINT_PINGED = 2;
/** The client has been pinged since it was last heard. */
const CLIENT_PINGED = 4;

/** What the deadlines of many sessions share. */
export interface DeadlineTerms {
  readonly wheel: TimerWheel;
  /** 0 for no idle timeout, or no maximum lifetime. */
  readonly settings: Pick<WebSocketSettings, 'idleTimeoutMs' | 'maxLifetimeMs'>;
}

/**
 * The deadlines of one session: for its life, for its credential, for the silence of either side, and for the answer to a
 * close frame. The session extends this class: an object of its own would take 64 bytes more for each session.
 */
export abstract class SessionDeadlines<Context extends DeadlineTerms> extends Timed {
  /** What many sessions share. */
  readonly context: Context;
  /** When the session's life ends, by the wheel's clock; 0 for never. */
  readonly #endsAt: number;
  /** When the endpoint was last heard, by the wheel's clock. */
  #endpointHeardAt: number;
  /** When the client was last heard, by the wheel's clock; -1 if the engine watches the client itself. */
  #clientHeardAt: number;
  #phase = 0;

  /**
   * @param watchesClient false if the engine itself pings clients and closes silent ones
   * @param random from 0 to 1: spreads the lifetimes of sessions over a fifth of `maxLifetimeMs`
   */
  constructor(context: Context, watchesClient: boolean, random: number) {
    super();
    const { wheel, settings } = context;
    const { maxLifetimeMs } = settings;
    this.context = context;
    // Whole milliseconds: V8 keeps an integer in the object, and a fraction in 16 bytes beside it.
    this.#endsAt = maxLifetimeMs === 0 ? 0 : Math.round(wheel.now + maxLifetimeMs * (0.9 + 0.2 * random));
    this.#endpointHeardAt = Math.floor(wheel.now);
    this.#clientHeardAt = watchesClient ? this.#endpointHeardAt : -1;
  }

  /** What the client has been let in with: it says when the credential ends. */
  abstract readonly admission: Pick<Admission, 'endsAt'>;
  /** A paused endpoint cannot be heard, so its silence does not count. */
  abstract readonly isEndpointPaused: boolean;
  /** As {@link isEndpointPaused}, of the client. Asked only if the session watches the client. */
  abstract readonly isClientPaused: boolean;
  /** Half of the idle timeout has passed without a byte of the endpoint. */
  abstract pingEndpoint(): void;
  /** As {@link pingEndpoint}, of the client. */
  pingClient(): void {
    // The engine pings the client.
  }
  /** The idle timeout has passed without a byte of the endpoint. */
  abstract endpointTimedOut(): void;
  /** As {@link endpointTimedOut}, of the client. */
  clientTimedOut(): void {
    // The engine closes silent clients.
  }
  /** The session has lived for its maximum lifetime. */
  abstract lifetimePassed(): void;
  /** The client's credential has expired, by the wall clock. */
  abstract credentialExpired(): void;
  /** The close frame has not been answered in time. */
  abstract closeTimeoutPassed(): void;

  get hasEnded(): boolean {
    return (this.#phase & ENDED) !== 0;
  }

  /** The session has ended: only the deadline of {@link awaitClose} holds from now on. */
  markEnded(): void {
    this.#phase = ENDED;
  }

  /** Arms the next deadline: for the silence of a side, half of it or all, for the session's life, or its credential. */
  armDeadlines(): void {
    const { wheel } = this.context;
    let due = this.#endsAt === 0 ? Infinity : this.#endsAt;
    due = Math.min(due, this.#silenceDue(this.#endpointHeardAt, ENDPOINT_PINGED, this.isEndpointPaused));
    if (this.#clientHeardAt >= 0)
      due = Math.min(due, this.#silenceDue(this.#clientHeardAt, CLIENT_PINGED, this.isClientPaused));
    due = Math.min(due, this.#credentialDue());
    if (due !== Infinity) wheel.arm(this, Math.max(due - wheel.now, 1));
  }

  /** The endpoint has sent something, or is paused no more: its silence counts from now on. */
  endpointHeard(): void {
    this.#endpointHeardAt = Math.floor(this.context.wheel.now);
    this.#phase &= ~ENDPOINT_PINGED;
  }

  /** As {@link endpointHeard}, of the client. */
  clientHeard(): void {
    this.#clientHeardAt = Math.floor(this.context.wheel.now);
    this.#phase &= ~CLIENT_PINGED;
  }

  /** Gives the peers {@link CLOSE_TIMEOUT_MS} to close. */
  awaitClose(ms = CLOSE_TIMEOUT_MS): void {
    this.context.wheel.arm(this, ms);
  }

  disarmDeadlines(): void {
    this.context.wheel.disarm(this);
  }

  override expire(): void {
    const { now } = this.context.wheel;
    if (this.hasEnded) {
      this.closeTimeoutPassed();
      return;
    }
    if (this.#endsAt !== 0 && now >= this.#endsAt) {
      this.lifetimePassed();
      return;
    }
    if (this.admission.endsAt !== Infinity && Date.now() >= this.admission.endsAt) {
      this.credentialExpired();
      return;
    }
    this.#checkEndpoint(now);
    if (this.#clientHeardAt >= 0) this.#checkClient(now);
    if ((this.#phase & ENDED) === 0) this.armDeadlines();
  }

  /** Returns when the credential is to be looked at, by the wheel's clock. */
  #credentialDue(): number {
    const { endsAt } = this.admission;
    if (endsAt === Infinity) return Infinity;
    return this.context.wheel.now + Math.min(endsAt - Date.now(), MAX_CLOCK_TRUST_MS);
  }

  #silenceDue(heardAt: number, pingedBit: number, isPaused: boolean): number {
    const { wheel, settings } = this.context;
    const { idleTimeoutMs } = settings;
    if (idleTimeoutMs === 0) return Infinity;
    if (isPaused) return wheel.now + idleTimeoutMs / 2;
    return heardAt + ((this.#phase & pingedBit) === 0 ? idleTimeoutMs / 2 : idleTimeoutMs);
  }

  #checkEndpoint(now: number): void {
    const { idleTimeoutMs } = this.context.settings;
    if (idleTimeoutMs === 0 || this.isEndpointPaused) return;
    const silentMs = now - this.#endpointHeardAt;
    if (silentMs >= idleTimeoutMs) {
      this.endpointTimedOut();
    } else if (silentMs >= idleTimeoutMs / 2 && (this.#phase & ENDPOINT_PINGED) === 0) {
      this.#phase |= ENDPOINT_PINGED;
      this.pingEndpoint();
    }
  }

  #checkClient(now: number): void {
    const { idleTimeoutMs } = this.context.settings;
    if (idleTimeoutMs === 0 || this.hasEnded || this.isClientPaused) return;
    const silentMs = now - this.#clientHeardAt;
    if (silentMs >= idleTimeoutMs) {
      this.clientTimedOut();
    } else if (silentMs >= idleTimeoutMs / 2 && (this.#phase & CLIENT_PINGED) === 0) {
      this.#phase |= CLIENT_PINGED;
      this.pingClient();
    }
  }
}
