import type { WebSocketSettings } from '../../../config/types/listener.ts';
import { Timed, type TimerWheel } from '../../../core/timing/timer-wheel.ts';

/** Time that an endpoint has to answer a close frame before its connection is cut. */
const CLOSE_TIMEOUT_MS = 5000;

const OPEN = 0;
/** Open, and the endpoint has been pinged since it was last heard. */
const PINGED = 1;
const ENDED = 2;

/** What the deadlines of many sessions share. */
interface DeadlineTerms {
  readonly wheel: TimerWheel;
  /** 0 for no idle timeout, or no maximum lifetime. */
  readonly settings: Pick<WebSocketSettings, 'idleTimeoutMs' | 'maxLifetimeMs'>;
}

/**
 * The deadlines of one session: for its life, for the endpoint's silence, and for the answer to a close frame. The session
 * extends this class: an object of its own would take 64 bytes more for each session.
 */
export abstract class SessionDeadlines<Context extends DeadlineTerms> extends Timed {
  /** What many sessions share. */
  readonly context: Context;
  /** When the session's life ends, by the wheel's clock; 0 for never. */
  readonly #endsAt: number;
  /** When the endpoint was last heard, by the wheel's clock. */
  #heardAt: number;
  #phase: typeof OPEN | typeof PINGED | typeof ENDED = OPEN;

  /** @param random from 0 to 1: spreads the lifetimes of sessions over a fifth of `maxLifetimeMs` */
  constructor(context: Context, random: number) {
    super();
    const { wheel, settings } = context;
    const { maxLifetimeMs } = settings;
    this.context = context;
    // Whole milliseconds: V8 keeps an integer in the object, and a fraction in 16 bytes beside it.
    this.#endsAt = maxLifetimeMs === 0 ? 0 : Math.round(wheel.now + maxLifetimeMs * (0.9 + 0.2 * random));
    this.#heardAt = Math.floor(wheel.now);
  }

  /** A paused endpoint cannot be heard, so its silence does not count. */
  abstract readonly isEndpointPaused: boolean;
  /** Half of the idle timeout has passed without a byte of the endpoint. */
  abstract pingEndpoint(): void;
  /** The idle timeout has passed without a byte of the endpoint. */
  abstract idleTimeoutPassed(): void;
  /** The session has lived for its maximum lifetime. */
  abstract lifetimePassed(): void;
  /** The endpoint has not answered the close frame in time. */
  abstract closeTimeoutPassed(): void;

  get hasEnded(): boolean {
    return this.#phase === ENDED;
  }

  /** The session has ended: only the deadline of {@link awaitClose} holds from now on. */
  markEnded(): void {
    this.#phase = ENDED;
  }

  /** Arms the next deadline: for the endpoint's silence, half of it or all, or for the session's life. */
  armDeadlines(): void {
    const { wheel, settings } = this.context;
    const { idleTimeoutMs } = settings;
    let due = this.#endsAt === 0 ? Infinity : this.#endsAt;
    if (idleTimeoutMs > 0) {
      const waitMs = this.#phase === PINGED ? idleTimeoutMs : idleTimeoutMs / 2;
      due = Math.min(due, Math.max(this.#heardAt + waitMs, wheel.now + 1));
    }
    if (due !== Infinity) wheel.arm(this, due - wheel.now);
  }

  /** The endpoint has sent something. */
  endpointHeard(): void {
    this.#heardAt = Math.floor(this.context.wheel.now);
    if (this.#phase === PINGED) this.#phase = OPEN;
  }

  /** The endpoint is not paused any more: its silence counts from now on. */
  endpointResumed(): void {
    this.#heardAt = Math.floor(this.context.wheel.now);
  }

  /** Gives the endpoint {@link CLOSE_TIMEOUT_MS} to close. */
  awaitClose(): void {
    this.context.wheel.arm(this, CLOSE_TIMEOUT_MS);
  }

  disarmDeadlines(): void {
    this.context.wheel.disarm(this);
  }

  override expire(): void {
    const { wheel, settings } = this.context;
    const { now } = wheel;
    const { idleTimeoutMs } = settings;
    if (this.#phase === ENDED) {
      this.closeTimeoutPassed();
      return;
    }
    if (this.#endsAt !== 0 && now >= this.#endsAt) {
      this.lifetimePassed();
      return;
    }
    if (idleTimeoutMs > 0 && !this.isEndpointPaused) {
      const silentMs = now - this.#heardAt;
      if (silentMs >= idleTimeoutMs) {
        this.idleTimeoutPassed();
        return;
      }
      if (silentMs >= idleTimeoutMs / 2 && this.#phase === OPEN) {
        this.#phase = PINGED;
        this.pingEndpoint();
      }
    }
    this.armDeadlines();
  }
}
