import { BurstLimit, type BurstRate } from '../../core/timing/burst-limit.ts';
import { TICK_MS, Timed, type TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { SpanRecord } from '../../protocol/spans.ts';

/** Max spans per tick of all workers together: 5,000 per second. The primary must read them all. */
const MAX_SPANS = 500;
/** Spans per tick that each worker may always send, for any number of workers: 300 per second. */
const MIN_SPANS = 30;
/** Rate limit of failure spans that head sampling did not choose: clients can provoke failures. */
const FAILURES: BurstRate = { burst: 200, everyMs: 20 };

/** Sends the spans of a worker to the primary: once per tick, at a limited rate. */
export class SpanOutbox extends Timed {
  readonly #wheel: TimerWheel;
  readonly #send: (spans: readonly SpanRecord[], dropped: number) => void;
  readonly #failures: BurstLimit;
  readonly #maxSpans: number;
  #spans: SpanRecord[] = [];
  #dropped = 0;
  #isArmed = false;

  /**
   * @param workers number of workers that share the primary's capacity
   * @param send receives the spans, and the number dropped since the last call
   */
  constructor(
    wheel: TimerWheel,
    workers: number,
    send: (spans: readonly SpanRecord[], dropped: number) => void,
  ) {
    super();
    this.#wheel = wheel;
    this.#send = send;
    this.#maxSpans = Math.max(MIN_SPANS, Math.floor(MAX_SPANS / workers));
    this.#failures = new BurstLimit(() => wheel.now, FAILURES);
  }

  /**
   * Whether a span may be added now. If not, it counts as dropped.
   *
   * @param isSampled whether head sampling chose the span
   */
  admits(isSampled: boolean): boolean {
    if (this.#spans.length < this.#maxSpans && (isSampled || this.#failures.take() > 0)) return true;
    this.#dropped++;
    this.#arm();
    return false;
  }

  /** Adds an admitted span. */
  add(span: SpanRecord): void {
    this.#spans.push(span);
    this.#arm();
  }

  override expire(): void {
    this.#isArmed = false;
    this.flush();
  }

  /** Sends the waiting spans. */
  flush(): void {
    if (this.#spans.length === 0 && this.#dropped === 0) return;
    const spans = this.#spans;
    const dropped = this.#dropped;
    this.#spans = [];
    this.#dropped = 0;
    this.#send(spans, dropped);
  }

  #arm(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    this.#wheel.arm(this, TICK_MS);
  }
}
