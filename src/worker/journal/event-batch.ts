import { Timed, type TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { WorkerEvent } from '../../protocol/admin/events.ts';

/** Max events of a worker per second. */
const MAX_EVENTS = 100;
/** Max events of one kind and reason per second, so that a flood of one kind leaves room for others. */
const MAX_EVENTS_PER_REASON = 10;
const WINDOW_MS = 1000;

/** Receives events in batches. @param suppressed events suppressed since the last batch */
type PostEvents = (events: readonly WorkerEvent[], suppressed: number) => void;

/** Collects the events of a worker at a limited rate, and posts them once per turn of the event loop. */
export class EventBatch extends Timed {
  readonly #post: PostEvents;
  readonly #wheel: TimerWheel;
  readonly #onSuppressed: () => void;
  readonly #flushLater = (): void => {
    this.#isScheduled = false;
    this.flush();
  };
  #events: WorkerEvent[] = [];
  #suppressed = 0;
  #isScheduled = false;
  /** Start of the current second, on the wheel's clock. */
  #windowStart = -Infinity;
  #taken = 0;
  /** Events of this second by kind and reason. */
  readonly #byReason = new Map<string, number>();

  /** @param onSuppressed counts a suppressed event */
  constructor(wheel: TimerWheel, post: PostEvents, onSuppressed: () => void) {
    super();
    this.#wheel = wheel;
    this.#post = post;
    this.#onSuppressed = onSuppressed;
  }

  /** Requests room for an event. Counts the event as suppressed if there is none. */
  take(kind: string, reason: string): boolean {
    const { now } = this.#wheel;
    if (now - this.#windowStart >= WINDOW_MS) {
      this.#windowStart = now;
      this.#taken = 0;
      this.#byReason.clear();
    }
    const key = `${kind} ${reason}`;
    const count = this.#byReason.get(key) ?? 0;
    if (count >= MAX_EVENTS_PER_REASON || this.#taken >= MAX_EVENTS) {
      this.#suppress();
      return false;
    }
    this.#taken++;
    this.#byReason.set(key, count + 1);
    return true;
  }

  /** Adds an event that {@link take} accepted. */
  add(event: WorkerEvent): void {
    this.#events.push(event);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#flushLater);
  }

  /** Posts the waiting events. */
  flush(): void {
    if (this.#events.length === 0 && this.#suppressed === 0) return;
    const events = this.#events;
    const suppressed = this.#suppressed;
    this.#events = [];
    this.#suppressed = 0;
    this.#wheel.disarm(this);
    this.#post(events, suppressed);
  }

  override expire(): void {
    this.flush();
  }

  #suppress(): void {
    this.#onSuppressed();
    // Reported with the next event, or at the end of the second.
    if (this.#suppressed++ === 0) this.#wheel.arm(this, WINDOW_MS);
  }
}
