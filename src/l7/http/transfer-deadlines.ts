import type { RequestBody } from '../contract/request-body.ts';
import { BodyPace } from './body-pace.ts';

/** The deadlines of a request's transfer: the min rate of its body, and the max silence. Times are on the wheel's clock. */
export class TransferDeadlines extends BodyPace {
  /** When bytes have moved last, in either direction. */
  movedAt: number;
  readonly #idleTimeoutMs: number;

  /**
   * @param settings `idleTimeoutMs` of 0 is no limit
   * @param now when the request came
   */
  constructor(settings: { readonly minBodyRate: number; readonly idleTimeoutMs: number }, now: number) {
    super(settings.minBodyRate, now);
    this.movedAt = now;
    this.#idleTimeoutMs = settings.idleTimeoutMs;
  }

  /** Returns for how many milliseconds nothing needs to move; Infinity without a limit. */
  idleLeft(now: number): number {
    return this.#idleTimeoutMs > 0 ? Math.max(0, this.movedAt + this.#idleTimeoutMs - now) : Infinity;
  }

  /** Returns in how many milliseconds the nearest deadline of the upload is; Infinity without one. */
  uploadLeft(now: number, body: RequestBody): number {
    return Math.min(this.idleLeft(now), this.#paceLeft(now, body));
  }

  /** Returns which deadline of the upload is over; null for none. */
  overdue(now: number, body: RequestBody): 'slow' | 'idle' | null {
    if (this.#paceLeft(now, body) === 0) return 'slow';
    return this.idleLeft(now) === 0 ? 'idle' : null;
  }

  #paceLeft(now: number, body: RequestBody): number {
    return body.ended ? Infinity : this.timeLeft(now, body.received);
  }
}
