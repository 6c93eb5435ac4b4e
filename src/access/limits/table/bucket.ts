import type { RateLimit } from '../../../config/types/limits.ts';
import { ticksAt } from './slot-state.ts';

/** Ticks per second of all rates but very slow ones. */
const TICKS_PER_SECOND = 65_536;
/** Max ticks in which a bucket is filled: times are compared modulo 2^32. */
const MAX_FILL_TICKS = 2 ** 29;
/** Max ticks for which a bucket can be in debt and fill. */
const MAX_AHEAD = 2 ** 30;

/**
 * Returns the ticks per second that suit a rate: a power of two. Rates that are filled in less than two hours
 * have the same, so that most changes of a rate leave the table as it is.
 */
export function ticksFor(rate: RateLimit | null): number {
  let ticks = TICKS_PER_SECOND;
  if (rate === null) return ticks;
  while (ticks > 1 && (rate.burst / rate.perSecond) * ticks > MAX_FILL_TICKS) ticks /= 2;
  return ticks;
}

/**
 * The token buckets of one rate, by the generic cell rate algorithm (ITU-T I.371): a word has the time at
 * which its bucket is full again. What is taken puts that time off, and nothing has to be added when time
 * goes by.
 *
 * One unit may cost less than a tick. A cost is then rounded up or down by chance, so that it is right on
 * average, and no client can make another one pay for it.
 */
export class Bucket {
  readonly rate: RateLimit;
  readonly #ticks: number;
  /** Ticks that a unit costs. */
  readonly #cost: number;
  /** Ticks that a bucket may be ahead: its burst. */
  readonly #depth: number;
  readonly #random: () => number;

  /**
   * @param ticks per second, as the table has them
   * @param minBurst takes the place of a smaller burst
   */
  constructor(rate: RateLimit, ticks: number, minBurst = 1, random: () => number = Math.random) {
    this.rate = rate;
    this.#ticks = ticks;
    this.#cost = ticks / rate.perSecond;
    const burst = Math.max(rate.burst, minBurst);
    // The last units of a burst must not be lost because the costs before them were rounded up.
    const slack = Number.isInteger(this.#cost) ? 0 : Math.min(this.#cost / 2, 2 * Math.sqrt(burst) + 1);
    this.#depth = Math.min(Math.floor(burst * this.#cost + slack), MAX_AHEAD);
    this.#random = random;
  }

  /**
   * Takes units if the bucket has them.
   *
   * @param nowMs of the clock on which all threads agree
   * @returns 0, else the ticks after which the bucket would have them
   */
  take(words: Int32Array, at: number, units: number, nowMs: number): number {
    const now = ticksAt(nowMs, this.#ticks);
    // Only what is taken is rounded: who tries again and again must not pass by luck.
    const cost = units * this.#cost;
    const paid = this.#costOf(units);
    for (;;) {
      const fullAt = Atomics.load(words, at);
      const ahead = aheadOf(fullAt, now);
      const excess = ahead + cost - this.#depth;
      if (excess > 0) return excess;
      if (Atomics.compareExchange(words, at, fullAt, timeAt(now, ahead + paid)) === fullAt) return 0;
    }
  }

  /** Gives back units that were taken for nothing. */
  giveBack(words: Int32Array, at: number, units: number, nowMs: number): void {
    const now = ticksAt(nowMs, this.#ticks);
    const cost = Math.round(units * this.#cost);
    for (;;) {
      const fullAt = Atomics.load(words, at);
      const ahead = aheadOf(fullAt, now) - cost;
      const next = ahead <= 0 ? 0 : timeAt(now, ahead);
      if (Atomics.compareExchange(words, at, fullAt, next) === fullAt) return;
    }
  }

  /**
   * Takes units also if the bucket does not have them, and is then in debt.
   *
   * @returns the ticks until the debt is paid, 0 and less without debt
   */
  charge(words: Int32Array, at: number, units: number, nowMs: number): number {
    const now = ticksAt(nowMs, this.#ticks);
    const cost = this.#costOf(units);
    for (;;) {
      const fullAt = Atomics.load(words, at);
      const ahead = Math.min(aheadOf(fullAt, now) + cost, MAX_AHEAD);
      if (Atomics.compareExchange(words, at, fullAt, timeAt(now, ahead)) === fullAt)
        return ahead - this.#depth;
    }
  }

  /** Returns what {@link charge} would return for some units, and takes nothing. */
  debt(words: Int32Array, at: number, units: number, nowMs: number): number {
    return aheadOf(Atomics.load(words, at), ticksAt(nowMs, this.#ticks)) + units * this.#cost - this.#depth;
  }

  /** Returns the ticks that units cost, as a whole number. */
  #costOf(units: number): number {
    // A larger cost would no longer be exact, and is cut anyway.
    const cost = Math.min(units * this.#cost, MAX_AHEAD);
    const whole = Math.floor(cost);
    return whole === cost || this.#random() >= cost - whole ? whole : whole + 1;
  }

  /** Converts ticks to seconds. */
  secondsOf(ticks: number): number {
    return ticks / this.#ticks;
  }
}

/** Returns the ticks until a time, 0 if it has passed. */
function aheadOf(fullAt: number, now: number): number {
  return fullAt === 0 ? 0 : Math.max((fullAt - now) | 0, 0);
}

/** Returns the word for a time. 0 stands for a full bucket, so the time 0 becomes the next. */
function timeAt(now: number, ahead: number): number {
  const at = (now + ahead) | 0;
  return at === 0 ? 1 : at;
}
