import { Timed, type TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { Pace } from '../../protocol/to-worker.ts';
import type { PacedConnection } from '../live-connection.ts';
import { UNDIVIDED, type RateShare } from './rate-share.ts';

/** How often a drain looks at what it has to do: the wheel has no finer ticks. */
const LOOK_MS = 100;
/** How often it looks for connections that have ended by themselves: that costs a look at all of them. */
const FORGET_MS = 1000;

interface Turn {
  readonly target: PacedConnection;
  /** By the wheel's clock. */
  readonly at: number;
}

interface PacerOptions {
  /** Divides the rate between the workers. */
  readonly share?: RateShare;
  /** From 0 to 1. */
  readonly random?: () => number;
}

/**
 * Ends connections at a pace: in a random order, at a rate, each put off by a random time. What is not ready when its
 * turn comes is asked again and again. At the deadline everything that is left is ended.
 *
 * The rate is a credit that grows with time, and not a schedule, because the share of this worker changes.
 */
export class Pacer extends Timed {
  readonly #wheel: TimerWheel;
  readonly #collect: () => readonly PacedConnection[];
  readonly #pace: Pace;
  readonly #share: RateShare;
  readonly #random: () => number;
  readonly #endsAt: number;
  /** Those whose turn is to come, the next one last. */
  #waiting: PacedConnection[] = [];
  /** Those whose turn has come, and is put off. */
  #turns: Turn[] = [];
  /** Those whose turn is over, and who were not ready. */
  readonly #late = new Set<PacedConnection>();
  readonly #lasting: boolean;
  /** Connections that may be ended now. A random part of one at first: workers do not end their first ones together. */
  #credit: number;
  #creditedAt: number;
  #lookedAt: number;

  /**
   * @param collect what is there to be ended; asked again when all turns are over, for what came later
   * @param lasting whether it goes on when there is nothing, until {@link cancel}
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
    this.#lookedAt = wheel.now;
    this.#fill();
    share.of(this.#pending);
    wheel.arm(this, 0);
  }

  /** Whether there is nothing left to be ended, and it does not wait for more. */
  get over(): boolean {
    return this.wheelTick < 0;
  }

  /** Ends nothing more. */
  cancel(): void {
    this.#waiting = [];
    this.#turns = [];
    this.#late.clear();
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
      for (const target of this.#late) if (target.drain()) this.#late.delete(target);
      this.#earn(now);
      this.#takeTurns(now);
      const due = this.#turns.filter(({ at }) => at <= now);
      if (due.length > 0) this.#turns = this.#turns.filter(({ at }) => at > now);
      for (const { target } of due) if (!target.drain()) this.#late.add(target);
    }
    if (this.#waiting.length === 0) this.#fill();
    else if (now - this.#lookedAt >= FORGET_MS) this.#forgetGone();
    const pending = this.#pending;
    this.#share.of(pending);
    if (this.#lasting || pending > 0) this.#wheel.arm(this, LOOK_MS);
  }

  get #pending(): number {
    return this.#waiting.length + this.#turns.length + this.#late.size;
  }

  #earn(now: number): void {
    const { rate } = this.#pace;
    const earned = (rate * this.#share.of(this.#pending) * (now - this.#creditedAt)) / 1000;
    this.#creditedAt = now;
    // Without a rate there is no time to wait for.
    this.#credit = rate === Infinity ? Infinity : this.#credit + earned;
  }

  #takeTurns(now: number): void {
    while (this.#credit >= 1) {
      const target = this.#waiting.pop();
      if (target === undefined) {
        // What was not needed is not kept for a burst.
        this.#credit = Math.min(this.#credit, 1);
        return;
      }
      this.#credit--;
      this.#turns.push({ target, at: now + this.#random() * this.#pace.jitterMs });
    }
  }

  /** Forgets what has ended by itself, so that it takes no turn and no share of the rate. Returns what is there. */
  #forgetGone(): Set<PacedConnection> {
    this.#lookedAt = this.#wheel.now;
    const all = new Set(this.#collect());
    for (const late of this.#late) if (!all.has(late)) this.#late.delete(late);
    this.#waiting = this.#waiting.filter((target) => all.has(target));
    this.#turns = this.#turns.filter(({ target }) => all.has(target));
    return all;
  }

  #fill(): void {
    const all = this.#forgetGone();
    for (const late of this.#late) all.delete(late);
    for (const { target } of this.#turns) all.delete(target);
    const shuffled = Array.from(all, (target) => ({ target, order: this.#random() }));
    shuffled.sort((a, b) => a.order - b.order);
    this.#waiting = shuffled.map(({ target }) => target);
  }
}
