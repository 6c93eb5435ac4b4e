/**
 * Milliseconds a tick lasts: deadlines are met up to so much late, and by the time between two calls of
 * {@link TimerWheel.advance} more, but never early.
 */
export const TICK_MS = 100;
const SLOTS = 1024;

/** Something with one deadline at a time. Extend it: the links live in the object itself, so arming allocates nothing. */
export abstract class Timed {
  /** Tick at which the deadline passes; -1 where none is armed. */
  wheelTick = -1;
  wheelNext: Timed | null = null;
  wheelPrevious: Timed | null = null;

  /** Called once when the deadline has passed; the deadline is no longer armed then and may be armed again. */
  abstract expire(): void;
}

/**
 * A hashed timer wheel (Varghese and Lauck, SOSP 1987): arming, disarming and a tick cost the same with a
 * million deadlines as with one. Deadlines further away than one turn stay in their slot and are passed over.
 *
 * It has no timer of its own: whoever owns the thread's loop calls {@link advance}.
 */
export class TimerWheel {
  /** The time of the last {@link advance}, in milliseconds: a clock for what need not be more exact than a tick. */
  now: number;
  readonly #slots: (Timed | null)[] = new Array<Timed | null>(SLOTS).fill(null);
  #tick = 0;
  /** The entry of the slot under way that is looked at next. */
  #cursor: Timed | null = null;
  readonly #start: number;

  /** @param now milliseconds on any monotonic clock, the one whose readings `advance` gets */
  constructor(now: number) {
    this.now = now;
    this.#start = now;
  }

  /** Arms, or arms anew, the entry's deadline so many milliseconds after {@link now}. */
  arm(entry: Timed, ms: number): void {
    if (entry.wheelTick >= 0) this.disarm(entry);
    const tick = Math.max(this.#tick + 1, Math.ceil((this.now - this.#start + ms) / TICK_MS));
    const index = tick % SLOTS;
    const head = this.#slots[index] ?? null;
    entry.wheelTick = tick;
    entry.wheelPrevious = null;
    entry.wheelNext = head;
    if (head !== null) head.wheelPrevious = entry;
    this.#slots[index] = entry;
  }

  /** Disarms the entry's deadline; nothing happens where none is armed. */
  disarm(entry: Timed): void {
    if (entry.wheelTick < 0) return;
    const { wheelNext: next, wheelPrevious: previous } = entry;
    if (previous === null) this.#slots[entry.wheelTick % SLOTS] = next;
    else previous.wheelNext = next;
    if (next !== null) next.wheelPrevious = previous;
    if (entry === this.#cursor) this.#cursor = next;
    entry.wheelTick = -1;
    entry.wheelNext = null;
    entry.wheelPrevious = null;
  }

  /** Moves on to a reading of the clock and expires every deadline that has passed by then. */
  advance(now: number): void {
    this.now = now;
    const target = Math.floor((now - this.#start) / TICK_MS);
    // After a long stall one turn visits every slot; more turns would find nothing new.
    if (target - this.#tick > SLOTS) this.#tick = target - SLOTS;
    while (this.#tick < target) {
      this.#tick++;
      this.#expireSlot(this.#tick % SLOTS, target);
    }
  }

  #expireSlot(index: number, target: number): void {
    // An entry that expires may arm or disarm others: `disarm` moves the cursor on from one that it takes away,
    // and what is armed meanwhile is put before the cursor and is not due in this visit of the slot.
    this.#cursor = this.#slots[index] ?? null;
    for (let entry = this.#cursor; entry !== null; entry = this.#cursor) {
      this.#cursor = entry.wheelNext;
      if (entry.wheelTick > target) continue;
      this.disarm(entry);
      entry.expire();
    }
  }
}
