import type { HttpSettings } from '../../config/types/listener.ts';
import type { RequestBody } from '../contract/request-body.ts';
import { BodyPace } from './body-pace.ts';

/** Texts for the client of a late body, by the reason label. */
export const LATE_BODIES = {
  body_too_slow: 'the request body arrives too slowly',
  body_timeout: 'the request body did not arrive in time',
  body_idle: 'the request did not arrive in time',
} as const;
type LateBody = keyof typeof LATE_BODIES;

/**
 * The deadlines of a request's transfer: min rate of its body, max time for the whole body, and max silence.
 * Times are on the wheel's clock.
 */
export class TransferDeadlines extends BodyPace {
  /** Time of the last progress in either direction. */
  movedAt: number;
  readonly #idleTimeoutMs: number;
  /** Deadline of the whole body, Infinity for none. */
  readonly #bodyDeadline: number;

  /**
   * @param settings 0 in `idleTimeoutMs` or `bodyTimeoutMs` disables the limit
   * @param now arrival time of the request
   */
  constructor(settings: Pick<HttpSettings, 'minBodyRate' | 'idleTimeoutMs' | 'bodyTimeoutMs'>, now: number) {
    super(settings.minBodyRate, now);
    this.movedAt = now;
    this.#idleTimeoutMs = settings.idleTimeoutMs;
    this.#bodyDeadline = settings.bodyTimeoutMs > 0 ? now + settings.bodyTimeoutMs : Infinity;
  }

  /** Returns the milliseconds until the idle timeout, Infinity without one. */
  idleLeft(now: number): number {
    return this.#idleTimeoutMs > 0 ? Math.max(0, this.movedAt + this.#idleTimeoutMs - now) : Infinity;
  }

  /** Returns the milliseconds until the next deadline of the upload, Infinity without one. */
  uploadLeft(now: number, body: RequestBody): number {
    return Math.min(this.idleLeft(now), this.#paceLeft(now, body), this.#bodyLeft(now, body));
  }

  /** Returns which deadline of the upload has passed, or null. */
  overdue(now: number, body: RequestBody): LateBody | null {
    if (this.#bodyLeft(now, body) === 0) return 'body_timeout';
    if (this.#paceLeft(now, body) === 0) return 'body_too_slow';
    return this.idleLeft(now) === 0 ? 'body_idle' : null;
  }

  #bodyLeft(now: number, body: RequestBody): number {
    return body.ended ? Infinity : Math.max(0, this.#bodyDeadline - now);
  }

  #paceLeft(now: number, body: RequestBody): number {
    return body.ended ? Infinity : this.timeLeft(now, body.received);
  }
}
