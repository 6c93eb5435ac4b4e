import type { RateLimit } from '../../../config/types/limits.ts';
import { ticksAt } from './slot-state.ts';

/** Ticks per second of all rates except very slow ones. */
const TICKS_PER_SECOND = 65_536;
/** Max ticks to fill a bucket: times are compared modulo 2^32. */
const MAX_FILL_TICKS = 2 ** 29;
/** Max ticks of a bucket's fill time plus debt. */
const MAX_AHEAD_TICKS = 2 ** 30;

/**
 * Returns the ticks per second that suit a rate: a power of two. All rates that fill their bucket in less
 * than two hours have the same value, so most changes of a rate keep the table.
 */
export function ticksFor(rate: RateLimit | null): number {
  let ticks = TICKS_PER_SECOND;
  if (rate === null) return ticks;
  while (ticks > 1 && (rate.burst / rate.perSecond) * ticks > MAX_FILL_TICKS) ticks /= 2;
  return ticks;
}

/**
 * Token buckets of one rate, by the generic cell rate algorithm (ITU-T I.371). Each bucket is a word with the
 * time at which it is full again. Taking tokens moves this time later, and no timer has to add tokens.
 *
 * One unit may cost less than a tick. Its cost is then rounded up or down at random, so that it is exact on
 * average. No client can make another client pay for it.
 */
export class Bucket {
  readonly rate: RateLimit;
  readonly #ticks: number;
  /** Ticks per unit. */
  readonly #cost: number;
  /** The burst in ticks: how far ahead a bucket's time may be. */
  readonly #depth: number;
  readonly #random: () => number;

  /**
   * @param ticks ticks per second, as in the table
   * @param minBurst replaces a smaller burst
   */
  constructor(rate: RateLimit, ticks: number, minBurst = 1, random: () => number = Math.random) {
    this.rate = rate;
    this.#ticks = ticks;
    this.#cost = ticks / rate.perSecond;
    const burst = Math.max(rate.burst, minBurst);
    // Slack for costs that were rounded up, so that the last units of a burst are not lost.
    const slack = Number.isInteger(this.#cost) ? 0 : Math.min(this.#cost / 2, 2 * Math.sqrt(burst) + 1);
    this.#depth = Math.min(Math.floor(burst * this.#cost + slack), MAX_AHEAD_TICKS);
    this.#random = random;
  }

  /**
   * Takes units if the bucket has them.
   *
   * @param nowMs milliseconds on the clock shared by all threads
   * @returns 0 if taken, otherwise the ticks until the bucket has them
   */
  take(words: Int32Array, at: number, units: number, nowMs: number): number {
    const now = ticksAt(nowMs, this.#ticks);
    // Only a taken cost is rounded: a client that retries must not pass by luck.
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

  /** Puts back the units of a request that another limit refused. */
  refund(words: Int32Array, at: number, units: number, nowMs: number): void {
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
   * Takes units even if that puts the bucket in debt.
   *
   * @returns the ticks until the debt is paid, 0 or less without debt
   */
  charge(words: Int32Array, at: number, units: number, nowMs: number): number {
    const now = ticksAt(nowMs, this.#ticks);
    const cost = this.#costOf(units);
    for (;;) {
      const fullAt = Atomics.load(words, at);
      const ahead = Math.min(aheadOf(fullAt, now) + cost, MAX_AHEAD_TICKS);
      if (Atomics.compareExchange(words, at, fullAt, timeAt(now, ahead)) === fullAt)
        return ahead - this.#depth;
    }
  }

  /** Returns what {@link charge} would return, without taking units. */
  debt(words: Int32Array, at: number, units: number, nowMs: number): number {
    return aheadOf(Atomics.load(words, at), ticksAt(nowMs, this.#ticks)) + units * this.#cost - this.#depth;
  }

  /** Returns the cost of units in whole ticks. */
  #costOf(units: number): number {
    // A larger cost would lose precision, and is capped anyway.
    const cost = Math.min(units * this.#cost, MAX_AHEAD_TICKS);
    const whole = Math.floor(cost);
    return whole === cost || this.#random() >= cost - whole ? whole : whole + 1;
  }

  /** Converts ticks to seconds. */
  secondsOf(ticks: number): number {
    return ticks / this.#ticks;
  }
}

/** Returns the ticks until a time. 0 if it has passed. */
function aheadOf(fullAt: number, now: number): number {
  return fullAt === 0 ? 0 : Math.max((fullAt - now) | 0, 0);
}

/** Encodes a time. 0 means a full bucket, so the time 0 becomes 1. */
function timeAt(now: number, ahead: number): number {
  const at = (now + ahead) | 0;
  return at === 0 ? 1 : at;
}
