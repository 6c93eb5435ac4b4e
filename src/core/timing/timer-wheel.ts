/** Default milliseconds of a tick. */
export const TICK_MS = 100;
const SLOTS = 1024;

/** An object with at most one deadline. It stores the wheel's links itself, so arming allocates nothing. */
export abstract class Timed {
  /** Tick at which the deadline passes; -1 without one. */
  wheelTick = -1;
  wheelNext: Timed | null = null;
  wheelPrevious: Timed | null = null;

  /** Called once after the deadline, which is disarmed first and may be armed again. */
  abstract expire(): void;
}

/**
 * A hashed timer wheel (Varghese and Lauck, SOSP 1987). Arming, disarming and a tick cost the same with one
 * deadline or a million. Deadlines more than one turn away stay in their slot and are skipped.
 *
 * A deadline is never early. It is late by at most a tick plus the time between two calls of {@link advance}.
 * The wheel has no timer: the owner of the thread's loop calls {@link advance}.
 */
export class TimerWheel {
  /** Time of the last {@link advance} in milliseconds: a clock with the resolution of a tick. */
  now: number;
  readonly #tickMs: number;
  readonly #slots: (Timed | null)[] = new Array<Timed | null>(SLOTS).fill(null);
  #tick = 0;
  /** Next entry of the slot that is expiring. */
  #cursor: Timed | null = null;
  readonly #start: number;

  /** @param now current time on the monotonic clock that `advance` uses, in milliseconds */
  constructor(now: number, tickMs = TICK_MS) {
    this.now = now;
    this.#tickMs = tickMs;
    this.#start = now;
  }

  /** Sets the entry's deadline to `ms` milliseconds after {@link now}, replacing an armed one. */
  arm(entry: Timed, ms: number): void {
    if (entry.wheelTick >= 0) this.disarm(entry);
    const tick = Math.max(this.#tick + 1, Math.ceil((this.now - this.#start + ms) / this.#tickMs));
    const index = tick % SLOTS;
    const head = this.#slots[index] ?? null;
    entry.wheelTick = tick;
    entry.wheelPrevious = null;
    entry.wheelNext = head;
    if (head !== null) head.wheelPrevious = entry;
    this.#slots[index] = entry;
  }

  /** Disarms the entry's deadline. Does nothing without a deadline. */
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

  /** Moves to a new time, and expires every deadline that has passed. */
  advance(now: number): void {
    this.now = now;
    const target = Math.floor((now - this.#start) / this.#tickMs);
    // After a long stall, one turn visits every slot. More turns would find nothing.
    if (target - this.#tick > SLOTS) this.#tick = target - SLOTS;
    while (this.#tick < target) {
      this.#tick++;
      this.#expireSlot(this.#tick % SLOTS, target);
    }
  }

  /** Returns the time at which an armed entry expires. */
  dueAt(entry: Timed): number {
    return this.#start + entry.wheelTick * this.#tickMs;
  }

  /**
   * Returns a time before which nothing expires, as of the last {@link advance}; Infinity without deadlines.
   * Too early if the next deadline is more than one turn away.
   */
  idleUntil(): number {
    for (let tick = this.#tick + 1; tick <= this.#tick + SLOTS; tick++) {
      if (this.#slots[tick % SLOTS] !== null) return this.#start + tick * this.#tickMs;
    }
    return Infinity;
  }

  #expireSlot(index: number, target: number): void {
    // Expiring entries may arm or disarm others. `disarm` moves the cursor past an entry that it removes.
    // `arm` inserts before the cursor, and the new entry is not due in this visit of the slot.
    this.#cursor = this.#slots[index] ?? null;
    for (let entry = this.#cursor; entry !== null; entry = this.#cursor) {
      this.#cursor = entry.wheelNext;
      if (entry.wheelTick > target) continue;
      this.disarm(entry);
      entry.expire();
    }
  }
}
