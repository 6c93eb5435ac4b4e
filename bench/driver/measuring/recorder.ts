import { monotonicNow } from './clock.ts';
import { LatencyCounts } from './latency-counts.ts';
import type { LivePage } from './live-page.ts';
import type { Outcome } from './outcome.ts';

/** Max distinct errors or close codes: the target chooses them. */
const MAX_KINDS = 100;
const OTHER = 'other';
const SECOND_MS = 1000;
/** Initial capacity of the counts per second. */
const FIRST_SECONDS = 64;

/** Records the measurements of one thread. */
export class Recorder {
  readonly latency = new LatencyCounts();
  readonly lateness = new LatencyCounts();
  readonly connect = new LatencyCounts();
  readonly tls = new LatencyCounts();
  readonly handshake = new LatencyCounts();
  /** Time of the current callback: the last reading of the clock. */
  now = 0;
  opened = 0;
  resumed = 0;
  lost = 0;
  unanswered = 0;
  unsent = 0;
  unsolicited = 0;
  readonly #byIntended: boolean;
  /** Counts per measured second. The arrays grow, because some runs have no fixed length. */
  #messages = new Float64Array(FIRST_SECONDS);
  #bytes = new Float64Array(FIRST_SECONDS);
  readonly #errors = new Map<string, number>();
  readonly #closes = new Map<string, number>();
  #from = Infinity;
  #until = Infinity;
  /** Index of the current measured second; -1 outside the measurement. */
  #second = -1;
  #busy = 0;
  #cpuMs = 0;

  /**
   * @param byIntended selects the latencies to count. True (open loop): of messages due in the measured time.
   * False: of replies that arrive in the measured time.
   */
  constructor(byIntended: boolean) {
    this.#byIntended = byIntended;
  }

  /** Reads the clock. Called once per event. */
  readClock(): number {
    const now = monotonicNow();
    this.now = now;
    this.#second = now >= this.#from && now < this.#until ? Math.floor((now - this.#from) / SECOND_MS) : -1;
    return now;
  }

  /** Sets the measured time to [from, until). A second call may set an earlier end. */
  measure(from: number, until: number): void {
    this.#from = from;
    this.#until = until;
    this.readClock();
  }

  /**
   * Records an answered message.
   *
   * @param since send time, or the due time in an open loop
   * @param length payload bytes
   */
  answered(since: number, length: number): void {
    this.arrived(length);
    this.waited(since);
  }

  /**
   * Counts a message without a latency.
   *
   * @param length payload bytes
   */
  arrived(length: number): void {
    const second = this.#second;
    if (second < 0) return;
    if (second >= this.#messages.length) {
      this.#messages = fit(this.#messages, 2 * second);
      this.#bytes = fit(this.#bytes, 2 * second);
    }
    this.#messages[second]! += 1;
    this.#bytes[second]! += length;
  }

  /** Records the time since a message was sent or due, without counting it as answered. */
  waited(since: number): void {
    const counts = this.#byIntended ? this.#isMeasured(since) : this.#second >= 0;
    if (counts) this.latency.record(this.now - since);
  }

  /** Records the lateness of a message, connection or replayed client that was due at `intended`. */
  sent(intended: number): void {
    if (this.#isMeasured(intended)) this.lateness.record(this.now - intended);
  }

  error(kind: string, count = 1): void {
    addTo(this.#errors, kind, count);
  }

  close(kind: string): void {
    addTo(this.#closes, kind, 1);
  }

  /** Sets the CPU cost of the thread. */
  cost(busy: number, cpuMs: number): void {
    this.#busy = busy;
    this.#cpuMs = cpuMs;
  }

  /** Publishes the progress to the main thread. */
  publish(page: LivePage, thread: number): void {
    page.set(thread, 'messages', sumOf(this.#messages));
    page.set(thread, 'failures', sumOf(this.#errors.values()) + sumOf(this.#closes.values()));
  }

  outcome(): Omit<Outcome, 'replay'> {
    const measuredMs = Number.isFinite(this.#from) ? Math.max(0, this.#until - this.#from) : 0;
    const seconds = Math.ceil(measuredMs / SECOND_MS);
    return {
      latency: this.latency.counts,
      lateness: this.lateness.counts,
      connect: this.connect.counts,
      tls: this.tls.counts,
      handshake: this.handshake.counts,
      messages: fit(this.#messages, seconds),
      bytes: fit(this.#bytes, seconds),
      measuredMs,
      opened: this.opened,
      resumed: this.resumed,
      errors: this.#errors,
      closes: this.#closes,
      lost: this.lost,
      unanswered: this.unanswered,
      unsent: this.unsent,
      unsolicited: this.unsolicited,
      busy: this.#busy,
      cpuMs: this.#cpuMs,
    };
  }

  #isMeasured(time: number): boolean {
    return time >= this.#from && time < this.#until;
  }
}

/** Returns a copy of counts with another length. */
function fit(counts: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const copy = new Float64Array(length);
  copy.set(counts.subarray(0, length));
  return copy;
}

function addTo(counts: Map<string, number>, kind: string, count: number): void {
  const key = counts.has(kind) || counts.size < MAX_KINDS ? kind : OTHER;
  counts.set(key, (counts.get(key) ?? 0) + count);
}

function sumOf(numbers: Iterable<number>): number {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum;
}
