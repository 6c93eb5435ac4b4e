import type { Admission } from '../../access/contract/admission.ts';
import type { WebSocketSettings } from '../../config/types/listener.ts';
import { Timed, type TimerWheel } from '../../core/timing/timer-wheel.ts';

/** Max time for a peer to answer a close frame before its connection is cut. */
const CLOSE_TIMEOUT_MS = 5000;
/**
 * Interval at which a session compares its credential's expiry with the wall clock. No timer notices that the
 * clock was set.
 */
const MAX_CLOCK_TRUST_MS = 60_000;

// Bits of the phase.
const ENDED = 1;
/** The endpoint was pinged and has been silent since. */
const ENDPOINT_PINGED = 2;
/** The client was pinged and has been silent since. */
const CLIENT_PINGED = 4;

/** State that the deadlines of many sessions share. */
export interface DeadlineTerms {
  readonly wheel: TimerWheel;
  /** 0 disables the idle timeout or the max lifetime. */
  readonly settings: Pick<WebSocketSettings, 'idleTimeoutMs' | 'maxLifetimeMs'>;
}

/**
 * The deadlines of one session: max lifetime, credential, idle timeout of each side, and the answer to a
 * close frame. Sessions extend this class because a separate object would cost 64 bytes per session.
 */
export abstract class SessionDeadlines<Context extends DeadlineTerms> extends Timed {
  /** State that many sessions share. */
  readonly context: Context;
  /** End of the session's max lifetime, by the wheel's clock. 0 for never. */
  readonly #endsAt: number;
  /** Time of the endpoint's last bytes, by the wheel's clock. */
  #endpointActiveAt: number;
  /** Time of the client's last bytes, by the wheel's clock. -1 if the engine watches the client itself. */
  #clientActiveAt: number;
  #phase = 0;

  /**
   * @param watchesClient false if the engine itself pings clients and closes silent ones
   * @param random from 0 to 1: spreads session lifetimes over a fifth of `maxLifetimeMs`
   */
  constructor(context: Context, watchesClient: boolean, random: number) {
    super();
    const { wheel, settings } = context;
    const { maxLifetimeMs } = settings;
    this.context = context;
    // Whole milliseconds: V8 stores an integer in the object, and a fraction in 16 bytes outside it.
    this.#endsAt = maxLifetimeMs === 0 ? 0 : Math.round(wheel.now + maxLifetimeMs * (0.9 + 0.2 * random));
    this.#endpointActiveAt = Math.floor(wheel.now);
    this.#clientActiveAt = watchesClient ? this.#endpointActiveAt : -1;
  }

  /** The client's admission, which knows when the credential expires. */
  abstract readonly admission: Pick<Admission, 'endsAt'>;
  /** Whether the endpoint is paused, so that its silence does not count. */
  abstract readonly isEndpointPaused: boolean;
  /** Like {@link isEndpointPaused}, for the client. Used only if the session watches the client. */
  abstract readonly isClientPaused: boolean;
  /** Called when the endpoint has been silent for half of the idle timeout. */
  abstract pingEndpoint(): void;
  /** Like {@link pingEndpoint}, for the client. */
  pingClient(): void {
    // The engine pings the client.
  }
  /** Called when the endpoint has been silent for the idle timeout. */
  abstract endpointTimedOut(): void;
  /** Like {@link endpointTimedOut}, for the client. */
  clientTimedOut(): void {
    // The engine closes silent clients.
  }
  /** Called when the session reaches its max lifetime. */
  abstract lifetimePassed(): void;
  /** Called when the client's credential has expired by the wall clock. */
  abstract credentialExpired(): void;
  /** Called when a peer has not answered the close frame in time. */
  abstract closeTimeoutPassed(): void;

  get hasEnded(): boolean {
    return (this.#phase & ENDED) !== 0;
  }

  /** Marks the session as ended. From now on only {@link awaitClose} sets a deadline. */
  markEnded(): void {
    this.#phase = ENDED;
  }

  /** Arms the earliest deadline: silence of a side, max lifetime, or credential. */
  armDeadlines(): void {
    const { wheel } = this.context;
    let due = this.#endsAt === 0 ? Infinity : this.#endsAt;
    due = Math.min(due, this.#silenceDue(this.#endpointActiveAt, ENDPOINT_PINGED, this.isEndpointPaused));
    if (this.#clientActiveAt >= 0)
      due = Math.min(due, this.#silenceDue(this.#clientActiveAt, CLIENT_PINGED, this.isClientPaused));
    due = Math.min(due, this.#credentialDue());
    if (due !== Infinity) wheel.arm(this, Math.max(due - wheel.now, 1));
  }

  /** Restarts the endpoint's idle timeout, because bytes have arrived or its pause is over. */
  endpointActive(): void {
    this.#endpointActiveAt = Math.floor(this.context.wheel.now);
    this.#phase &= ~ENDPOINT_PINGED;
  }

  /** Like {@link endpointActive}, for the client. */
  clientActive(): void {
    this.#clientActiveAt = Math.floor(this.context.wheel.now);
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
    if (this.#clientActiveAt >= 0) this.#checkClient(now);
    if ((this.#phase & ENDED) === 0) this.armDeadlines();
  }

  /** Returns the time of the next check of the credential, by the wheel's clock. */
  #credentialDue(): number {
    const { endsAt } = this.admission;
    if (endsAt === Infinity) return Infinity;
    return this.context.wheel.now + Math.min(endsAt - Date.now(), MAX_CLOCK_TRUST_MS);
  }

  #silenceDue(activeAt: number, pingedBit: number, isPaused: boolean): number {
    const { wheel, settings } = this.context;
    const { idleTimeoutMs } = settings;
    if (idleTimeoutMs === 0) return Infinity;
    if (isPaused) return wheel.now + idleTimeoutMs / 2;
    return activeAt + ((this.#phase & pingedBit) === 0 ? idleTimeoutMs / 2 : idleTimeoutMs);
  }

  #checkEndpoint(now: number): void {
    const { idleTimeoutMs } = this.context.settings;
    if (idleTimeoutMs === 0 || this.isEndpointPaused) return;
    const silentMs = now - this.#endpointActiveAt;
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
    const silentMs = now - this.#clientActiveAt;
    if (silentMs >= idleTimeoutMs) {
      this.clientTimedOut();
    } else if (silentMs >= idleTimeoutMs / 2 && (this.#phase & CLIENT_PINGED) === 0) {
      this.#phase |= CLIENT_PINGED;
      this.pingClient();
    }
  }
}
