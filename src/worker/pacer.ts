import { Timed, type TimerWheel } from '../core/timer-wheel.ts';
import type { Pace } from '../protocol/to-worker.ts';

/** A session or tunnel, as somebody sees it who wants it to end. */
export interface Drainable {
  /** Ends in good order, if this is the moment for it; false where it is not, or it is over already. */
  drain(): boolean;
  /** Ends now, in as good order as there can be. */
  end(): void;
}

/** A session or tunnel, as somebody sees it who wants its client to go elsewhere. */
export interface Evictable {
  /** Ends it in good order; false where it has ended already. */
  evict(reason: string): boolean;
}

/** How often a drain looks at what it has to do: the wheel has no finer ticks. */
const LOOK_MS = 100;

interface Turn {
  readonly target: Drainable;
  /** By the wheel's clock. */
  readonly at: number;
}

/**
 * Ends what lives at a pace: in a random order, so many a second, each put off by a random time. What is not
 * ready when its turn comes is asked again and again. At the deadline everything that is left is ended.
 */
export class Pacer extends Timed {
  readonly #wheel: TimerWheel;
  readonly #collect: () => readonly Drainable[];
  readonly #pace: Pace;
  readonly #random: () => number;
  readonly #endsAt: number;
  /** Those whose turn is to come, the next one last. */
  #turns: Turn[] = [];
  /** Those whose turn has come, and who were not ready. */
  readonly #late = new Set<Drainable>();
  readonly #lasting: boolean;

  /**
   * @param collect what is there to be ended; asked again when all turns are over, for what came later
   * @param lasting whether it goes on when there is nothing, until {@link cancel}
   */
  constructor(
    wheel: TimerWheel,
    collect: () => readonly Drainable[],
    pace: Pace,
    lasting: boolean,
    random: () => number = Math.random,
  ) {
    super();
    this.#lasting = lasting;
    this.#wheel = wheel;
    this.#collect = collect;
    this.#pace = pace;
    this.#random = random;
    this.#endsAt = wheel.now + pace.deadlineMs;
    this.#fill();
    wheel.arm(this, 0);
  }

  /** Whether there is nothing left to be ended, and it does not wait for more. */
  get over(): boolean {
    return this.wheelTick < 0;
  }

  /** Ends nothing more. */
  cancel(): void {
    this.#turns = [];
    this.#late.clear();
    this.#wheel.disarm(this);
  }

  override expire(): void {
    const { now } = this.#wheel;
    if (now >= this.#endsAt) {
      for (const target of this.#collect()) target.end();
    } else {
      for (const target of this.#late) if (target.drain()) this.#late.delete(target);
      let next = this.#turns.at(-1);
      while (next !== undefined && next.at <= now) {
        this.#turns.pop();
        if (!next.target.drain()) this.#late.add(next.target);
        next = this.#turns.at(-1);
      }
    }
    if (this.#turns.length === 0) this.#fill();
    if (this.#lasting || this.#turns.length > 0 || this.#late.size > 0) this.#wheel.arm(this, LOOK_MS);
  }

  #fill(): void {
    const { rate, jitterMs } = this.#pace;
    const { now } = this.#wheel;
    const all = new Set(this.#collect());
    for (const late of this.#late) if (!all.has(late)) this.#late.delete(late);
    const targets = [...all].filter((target) => !this.#late.has(target));
    const shuffled = targets.map((target) => ({ target, order: this.#random() }));
    shuffled.sort((a, b) => a.order - b.order);
    this.#turns = shuffled.map(({ target }, index) => ({
      target,
      at: now + (index * 1000) / rate + this.#random() * jitterMs,
    }));
    this.#turns.sort((a, b) => b.at - a.at);
  }
}
