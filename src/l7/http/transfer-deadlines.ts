import type { HttpSettings } from '../../config/types/listener.ts';
import type { RequestBody } from '../contract/request-body.ts';
import { BodyPace } from './body-pace.ts';

/** What the client of a body that is late is told, by the counter of the refusal. */
export const LATE_BODIES = {
  body_too_slow: 'the body of the request comes too slowly',
  body_timeout: 'the body of the request did not come in time',
  body_idle: 'the request did not come in time',
} as const;
type LateBody = keyof typeof LATE_BODIES;

/**
 * The deadlines of a request's transfer: the min rate of its body, the max time for all of it, and the max silence.
 * Times are on the wheel's clock.
 */
export class TransferDeadlines extends BodyPace {
  /** When bytes have moved last, in either direction. */
  movedAt: number;
  readonly #idleTimeoutMs: number;
  /** When the whole body must have come; Infinity for never. */
  readonly #bodyDeadline: number;

  /**
   * @param settings `idleTimeoutMs` or `bodyTimeoutMs` of 0 is no limit
   * @param now when the request came
   */
  constructor(settings: Pick<HttpSettings, 'minBodyRate' | 'idleTimeoutMs' | 'bodyTimeoutMs'>, now: number) {
    super(settings.minBodyRate, now);
    this.movedAt = now;
    this.#idleTimeoutMs = settings.idleTimeoutMs;
    this.#bodyDeadline = settings.bodyTimeoutMs > 0 ? now + settings.bodyTimeoutMs : Infinity;
  }

  /** Returns for how many milliseconds nothing needs to move; Infinity without a limit. */
  idleLeft(now: number): number {
    return this.#idleTimeoutMs > 0 ? Math.max(0, this.movedAt + this.#idleTimeoutMs - now) : Infinity;
  }

  /** Returns in how many milliseconds the nearest deadline of the upload is; Infinity without one. */
  uploadLeft(now: number, body: RequestBody): number {
    return Math.min(this.idleLeft(now), this.#paceLeft(now, body), this.#bodyLeft(now, body));
  }

  /** Returns which deadline of the upload is over; null for none. */
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
