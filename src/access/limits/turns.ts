import { TICK_MS, Timed, type TimerWheel } from '../../core/timing/timer-wheel.ts';

/** A session that has read more than once in a turn sits out as many turns, and this many at most. */
export const MAX_AHEAD = 4;

/** A session whose reading waits for a bucket. */
export interface Waiting {
  /** Messages and bytes of its last read. Its next turn is expected to read as many. */
  readonly lastMessages: number;
  readonly lastBytes: number;
  /** Reads beyond its turns that it has had, at most {@link MAX_AHEAD}. */
  ahead: number;
  /** It is its turn. */
  resume(): void;
}

/** The buckets of a limit. */
interface Debts {
  readonly clock: () => number;
  /** Whether a bucket of the slot is in debt, or would be behind another read. */
  isInDebt(slot: number, messages: number, bytes: number, now: number): boolean;
}

/**
 * The sessions of a worker that wait until one limit lets them read. Those of one key stand in a line. At
 * each tick of the timer wheel the first is resumed, and goes to the end of the line when it is over the
 * limit again; others follow as long as the bucket has something for them.
 */
export class Turns extends Timed {
  readonly #wheel: TimerWheel;
  readonly #debts: Debts;
  /** By slot. Sets keep the order. */
  readonly #lines = new Map<number, Set<Waiting>>();

  constructor(wheel: TimerWheel, debts: Debts) {
    super();
    this.#wheel = wheel;
    this.#debts = debts;
  }

  /** Puts a session at the end of its key's line. */
  add(slot: number, waiting: Waiting): void {
    const line = this.#lines.get(slot);
    if (line === undefined) this.#lines.set(slot, new Set([waiting]));
    else line.add(waiting);
    if (this.wheelTick < 0) this.#wheel.arm(this, TICK_MS);
  }

  remove(slot: number, waiting: Waiting): void {
    const line = this.#lines.get(slot);
    line?.delete(waiting);
    if (line?.size === 0) this.#lines.delete(slot);
    if (this.#lines.size === 0) this.#wheel.disarm(this);
  }

  expire(): void {
    const now = this.#debts.clock();
    for (const slot of [...this.#lines.keys()]) this.#serve(slot, now);
    if (this.#lines.size > 0 && this.wheelTick < 0) this.#wheel.arm(this, TICK_MS);
  }

  #serve(slot: number, now: number): void {
    const line = this.#lines.get(slot);
    if (line === undefined) return;
    let messages = 0;
    let bytes = 0;
    let isSomebodyResumed = false;
    // Whoever comes back during the turn has had its own.
    for (let left = line.size; left > 0; left--) {
      if (this.#debts.isInDebt(slot, messages, bytes, now)) return;
      const [first] = line;
      if (first === undefined) return;
      if (first.ahead > 0) {
        // One event may bring two reads. Whoever reads first would get twice as much as the others for ever.
        first.ahead--;
        line.delete(first);
        line.add(first);
        continue;
      }
      this.remove(slot, first);
      messages += first.lastMessages;
      bytes += first.lastBytes;
      isSomebodyResumed = true;
      first.resume();
    }
    // All sat out. They do so MAX_AHEAD times at most.
    if (!isSomebodyResumed) this.#serve(slot, now);
  }
}
