import type { WebSocketSettings } from '../../../config/types/listener.ts';
import { Timed, type TimerWheel } from '../../../core/timing/timer-wheel.ts';

/** Time that an endpoint has to answer a close frame before its connection is cut. */
const CLOSE_TIMEOUT_MS = 5000;

/** Hears of a session's deadlines. */
export interface DeadlineOwner {
  /** A paused endpoint cannot be heard, so its silence does not count. */
  readonly isEndpointPaused: boolean;
  /** Half of the idle timeout has passed without a byte of the endpoint. */
  pingEndpoint(): void;
  /** The idle timeout has passed without a byte of the endpoint. */
  idleTimeoutPassed(): void;
  /** The session has lived for its maximum lifetime. */
  lifetimePassed(): void;
  /** The endpoint has not answered the close frame in time. */
  closeTimeoutPassed(): void;
}

/** What the deadlines of many sessions share. */
interface DeadlineTerms {
  readonly wheel: TimerWheel;
  /** 0 for no idle timeout, or no maximum lifetime. */
  readonly settings: Pick<WebSocketSettings, 'idleTimeoutMs' | 'maxLifetimeMs'>;
}

/** The deadlines of one session: for its life, for the endpoint's silence, and for the answer to a close frame. */
export class SessionDeadlines extends Timed {
  readonly #owner: DeadlineOwner;
  readonly #terms: DeadlineTerms;
  /** By the wheel's clock; Infinity for never. */
  readonly #endsAt: number;
  /** When the endpoint was last heard, by the wheel's clock. */
  #heardAt: number;
  /** Whether the endpoint has been pinged since it was last heard. */
  #isPinged = false;
  #isClosing = false;

  /** @param random from 0 to 1: spreads the lifetimes of sessions over a fifth of `maxLifetimeMs` */
  constructor(owner: DeadlineOwner, terms: DeadlineTerms, random: number) {
    super();
    const { wheel, settings } = terms;
    const { maxLifetimeMs } = settings;
    this.#owner = owner;
    this.#terms = terms;
    this.#heardAt = wheel.now;
    // Rounded: V8 keeps an integer in the object, and a fraction in 16 bytes beside it.
    this.#endsAt =
      maxLifetimeMs === 0 ? Infinity : Math.round(wheel.now + maxLifetimeMs * (0.9 + 0.2 * random));
  }

  start(): void {
    this.#arm();
  }

  /** The endpoint has sent something. */
  heard(): void {
    this.#heardAt = this.#terms.wheel.now;
    this.#isPinged = false;
  }

  /** The endpoint is not paused any more: its silence counts from now on. */
  resumed(): void {
    this.#heardAt = this.#terms.wheel.now;
  }

  /** Gives the endpoint {@link CLOSE_TIMEOUT_MS} to close. No other deadline holds from now on. */
  closing(): void {
    this.#isClosing = true;
    this.#terms.wheel.arm(this, CLOSE_TIMEOUT_MS);
  }

  stop(): void {
    this.#terms.wheel.disarm(this);
  }

  override expire(): void {
    const { now } = this.#terms.wheel;
    const { idleTimeoutMs } = this.#terms.settings;
    if (this.#isClosing) {
      this.#owner.closeTimeoutPassed();
      return;
    }
    if (now >= this.#endsAt) {
      this.#owner.lifetimePassed();
      return;
    }
    if (idleTimeoutMs > 0 && !this.#owner.isEndpointPaused) {
      const silentMs = now - this.#heardAt;
      if (silentMs >= idleTimeoutMs) {
        this.#owner.idleTimeoutPassed();
        return;
      }
      if (silentMs >= idleTimeoutMs / 2 && !this.#isPinged) {
        this.#isPinged = true;
        this.#owner.pingEndpoint();
      }
    }
    this.#arm();
  }

  /** Arms the next deadline: for the endpoint's silence, half of it or all, or for the session's life. */
  #arm(): void {
    const { wheel, settings } = this.#terms;
    const { idleTimeoutMs } = settings;
    let due = this.#endsAt;
    if (idleTimeoutMs > 0) {
      const waitMs = this.#isPinged ? idleTimeoutMs : idleTimeoutMs / 2;
      due = Math.min(due, Math.max(this.#heardAt + waitMs, wheel.now + 1));
    }
    if (due !== Infinity) wheel.arm(this, due - wheel.now);
  }
}
