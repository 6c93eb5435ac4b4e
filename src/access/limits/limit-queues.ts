import { TICK_MS, Timed, type TimerWheel } from '../../core/timing/timer-wheel.ts';

/** Max turns that a session skips after it has read more than once in a turn. */
export const MAX_AHEAD = 4;

/** A session that waits for a bucket to read. */
export interface Waiting {
  /** Messages and bytes of its last read. Its next turn is expected to read the same. */
  readonly lastMessages: number;
  readonly lastBytes: number;
  /** Reads in excess of its turns, at most {@link MAX_AHEAD}. */
  ahead: number;
  /** Called at its turn. */
  resume(): void;
}

/** The buckets of a limit. */
interface Debts {
  readonly clock: () => number;
  /** Whether a bucket of the slot is in debt, or would be after another read. */
  isInDebt(slot: number, messages: number, bytes: number, now: number): boolean;
}

/**
 * Queues the sessions of a worker that wait for one limit, with a queue per key. Each tick of the timer wheel
 * resumes the first session, and others as long as the bucket has tokens. A session that exceeds the limit
 * again goes to the end of its queue.
 */
export class LimitQueues extends Timed {
  readonly #wheel: TimerWheel;
  readonly #debts: Debts;
  /** Keyed by slot. Sets keep the insertion order. */
  readonly #queues = new Map<number, Set<Waiting>>();

  constructor(wheel: TimerWheel, debts: Debts) {
    super();
    this.#wheel = wheel;
    this.#debts = debts;
  }

  /** Adds a session to the end of its key's queue. */
  add(slot: number, waiting: Waiting): void {
    const queue = this.#queues.get(slot);
    if (queue === undefined) this.#queues.set(slot, new Set([waiting]));
    else queue.add(waiting);
    if (this.wheelTick < 0) this.#wheel.arm(this, TICK_MS);
  }

  remove(slot: number, waiting: Waiting): void {
    const queue = this.#queues.get(slot);
    queue?.delete(waiting);
    if (queue?.size === 0) this.#queues.delete(slot);
    if (this.#queues.size === 0) this.#wheel.disarm(this);
  }

  expire(): void {
    const now = this.#debts.clock();
    for (const slot of [...this.#queues.keys()]) this.#serve(slot, now);
    if (this.#queues.size > 0 && this.wheelTick < 0) this.#wheel.arm(this, TICK_MS);
  }

  #serve(slot: number, now: number): void {
    const queue = this.#queues.get(slot);
    if (queue === undefined) return;
    let messages = 0;
    let bytes = 0;
    let hasResumed = false;
    // A session that is queued again during this turn has had its share.
    for (let left = queue.size; left > 0; left--) {
      if (this.#debts.isInDebt(slot, messages, bytes, now)) return;
      const [first] = queue;
      if (first === undefined) return;
      if (first.ahead > 0) {
        // One event may bring two reads. The first session would always get twice as much as the others.
        first.ahead--;
        queue.delete(first);
        queue.add(first);
        continue;
      }
      this.remove(slot, first);
      messages += first.lastMessages;
      bytes += first.lastBytes;
      hasResumed = true;
      first.resume();
    }
    // All skipped their turn. That happens at most MAX_AHEAD times.
    if (!hasResumed) this.#serve(slot, now);
  }
}
