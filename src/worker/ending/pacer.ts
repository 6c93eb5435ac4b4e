import { Timed, type TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { Pace } from '../../protocol/to-worker.ts';
import type { PacedConnection } from '../live-connection.ts';
import { UNDIVIDED, type RateShare } from './rate-share.ts';

/** Interval of the pacer's turns: the tick of the wheel. */
const TURN_MS = 100;
/** Min interval between checks for connections that ended on their own. Each check visits all connections. */
const MIN_CHECK_INTERVAL_MS = 1000;

interface Turn {
  readonly target: PacedConnection;
  /** End of the random delay, on the wheel's clock. */
  readonly at: number;
}

interface PacerOptions {
  /** Divides the rate among the workers. */
  readonly share?: RateShare;
  /** Returns a number from 0 to 1. */
  readonly random?: () => number;
}

/**
 * Ends connections at a limited rate: in random order, each after a random delay. A busy connection is
 * retried at every turn. At the deadline, all remaining connections are ended.
 *
 * The rate is a credit that grows over time. A fixed schedule would not fit, because the worker's share
 * changes.
 */
export class Pacer extends Timed {
  readonly #wheel: TimerWheel;
  readonly #collect: () => readonly PacedConnection[];
  readonly #pace: Pace;
  readonly #share: RateShare;
  readonly #random: () => number;
  readonly #endsAt: number;
  /** Connections waiting for credit, the next one last. */
  #waiting: PacedConnection[] = [];
  /** Connections waiting for the end of their random delay. */
  #turns: Turn[] = [];
  /** Connections that were busy at the end of their delay. */
  readonly #busy = new Set<PacedConnection>();
  readonly #lasting: boolean;
  /**
   * Number of connections that may be ended now. Starts with a random fraction, so that workers do not end
   * their first connections together.
   */
  #credit: number;
  #creditedAt: number;
  #checkedAt: number;

  /**
   * @param collect lists the connections to end; called again when none waits, to include newer connections
   * @param lasting whether the pacer continues without connections until {@link cancel}
   */
  constructor(
    wheel: TimerWheel,
    collect: () => readonly PacedConnection[],
    pace: Pace,
    lasting: boolean,
    { share = UNDIVIDED, random = Math.random }: PacerOptions = {},
  ) {
    super();
    this.#lasting = lasting;
    this.#wheel = wheel;
    this.#collect = collect;
    this.#pace = pace;
    this.#share = share;
    this.#random = random;
    this.#endsAt = wheel.now + pace.deadlineMs;
    this.#credit = random();
    this.#creditedAt = wheel.now;
    this.#checkedAt = wheel.now;
    this.#fill();
    share.of(this.#pending);
    wheel.arm(this, 0);
  }

  /** Whether the pacer has finished: no connection is left, and it does not wait for newer ones. */
  get isOver(): boolean {
    return this.wheelTick < 0;
  }

  /** Stops ending connections. Busy connections that were asked to end stay open. */
  cancel(): void {
    for (const target of this.#busy) target.undrain();
    this.#waiting = [];
    this.#turns = [];
    this.#busy.clear();
    this.#share.of(0);
    this.#wheel.disarm(this);
  }

  override expire(): void {
    const { now } = this.#wheel;
    if (now >= this.#endsAt) {
      this.#waiting = [];
      this.#turns = [];
      for (const target of this.#collect()) target.end();
    } else {
      for (const target of this.#busy) if (target.drain()) this.#busy.delete(target);
      this.#addCredit(now);
      this.#startTurns(now);
      const due = this.#turns.filter(({ at }) => at <= now);
      if (due.length > 0) this.#turns = this.#turns.filter(({ at }) => at > now);
      for (const { target } of due) if (!target.drain()) this.#busy.add(target);
    }
    if (this.#waiting.length === 0) this.#fill();
    else if (now - this.#checkedAt >= MIN_CHECK_INTERVAL_MS) this.#dropEnded();
    const pending = this.#pending;
    this.#share.of(pending);
    if (this.#lasting || pending > 0) this.#wheel.arm(this, TURN_MS);
  }

  get #pending(): number {
    return this.#waiting.length + this.#turns.length + this.#busy.size;
  }

  #addCredit(now: number): void {
    const { rate } = this.#pace;
    const earned = (rate * this.#share.of(this.#pending) * (now - this.#creditedAt)) / 1000;
    this.#creditedAt = now;
    // An infinite rate needs no time to pass, and its product with 0 ms would be NaN.
    this.#credit = rate === Infinity ? Infinity : this.#credit + earned;
  }

  #startTurns(now: number): void {
    while (this.#credit >= 1) {
      const target = this.#waiting.pop();
      if (target === undefined) {
        // Unused credit does not add up to a burst.
        this.#credit = Math.min(this.#credit, 1);
        return;
      }
      this.#credit--;
      this.#turns.push({ target, at: now + this.#random() * this.#pace.jitterMs });
    }
  }

  /** Removes connections that ended on their own from the turns and the rate. Returns the remaining ones. */
  #dropEnded(): Set<PacedConnection> {
    this.#checkedAt = this.#wheel.now;
    const all = new Set(this.#collect());
    for (const late of this.#busy) if (!all.has(late)) this.#busy.delete(late);
    this.#waiting = this.#waiting.filter((target) => all.has(target));
    this.#turns = this.#turns.filter(({ target }) => all.has(target));
    return all;
  }

  #fill(): void {
    const all = this.#dropEnded();
    for (const late of this.#busy) all.delete(late);
    for (const { target } of this.#turns) all.delete(target);
    const shuffled = Array.from(all, (target) => ({ target, order: this.#random() }));
    shuffled.sort((a, b) => a.order - b.order);
    this.#waiting = shuffled.map(({ target }) => target);
  }
}
