import { BurstLimit, type BurstRate } from '../../core/timing/burst-limit.ts';
import type { TapLoss } from '../../telemetry/metrics/label-values.ts';
import { TapBudget, type BudgetClock } from './tap-budget.ts';
import { rounded } from './tap-lines.ts';
import { EventQueue, MAX_PIECE_MS } from './watched/event-queue.ts';

/** CPU time of a worker for frames and reads, per tick of 100 ms. */
const FRAMES_BUDGET_MS = 1;
/** CPU time of a worker for opening sessions and tunnels, per tick. */
const OPENINGS_BUDGET_MS = 1.5;
/** Max budgets saved up for sudden work. */
const SAVED_TICKS = 6;
/**
 * Openings that are watched even without budget, up to an overdraft: a session's first lines are rare and
 * important.
 */
const GUARANTEED_OPENINGS: BurstRate = { burst: 50, everyMs: 2 };
/** Max overdraft of guaranteed openings: a flood of long handshakes must not take the worker's time. */
const OPENINGS_OVERDRAFT_MS = 30;
/**
 * Reads that are watched even without budget, up to an overdraft: quiet sessions must not pay for busy ones.
 * A rate spreads them, because all sessions of the worker wait for a burst.
 */
const GUARANTEED_READS: BurstRate = { burst: 20, everyMs: 5 };
/** Time after a refused read until the next is tried. */
const SPENT_MS = 5;
/** Frames of a guaranteed read that may use the overdraft. A long read must not use all of it at once. */
const GUARANTEED_FRAMES = 16;
/** Max overdraft of guaranteed reads. */
const READS_OVERDRAFT_MS = 30;
/** Max sessions and tunnels that a worker watches at a time. */
const MAX_WATCHED = 10_000;
/** Max inflation contexts of a worker. Each takes 32 KiB. */
const MAX_CONTEXTS = 64;
/** Max bytes of incomplete messages that a worker holds. */
const MAX_HELD_BYTES = 8 * 1024 * 1024;

/** Counts frames in the stats page. */
export interface TapCounters {
  shown(): void;
  lost(reason: TapLoss, frames: number): void;
}

export interface TapClock extends BudgetClock {
  /** Add to `now` for milliseconds since 1970. */
  readonly origin: number;
}

/** State shared by all watched sessions and tunnels of a worker. */
export class TapState {
  /** Identifies this run of the worker in the ids of sessions. */
  readonly run: string;
  readonly counters: TapCounters;
  readonly frames: TapBudget;
  readonly openings: TapBudget;
  /** Events of sessions that wait for the taps. */
  readonly events: EventQueue;
  /** Increases with each ended tap: its watchers then check again who wants lines. */
  endedTaps = 0;
  readonly #clock: TapClock;
  readonly #onFault: (error: unknown) => void;
  /** Whether a fault of this tick was reported. */
  #hasFault = false;
  readonly #guaranteedOpenings: BurstLimit;
  readonly #guaranteedReads: BurstLimit;
  /** Frames of the current read that may still use the overdraft. Null while the budget is enough. */
  #guaranteedFrames: number | null = null;
  #spentUntil = -Infinity;
  #watched = 0;
  #contexts = 0;
  #heldBytes = 0;

  /**
   * @param savedTicks max budgets saved up; undefined for {@link SAVED_TICKS}
   * @param onDue called while events arrive, when it is time to handle them
   * @param onFault called with exceptions from the code of taps, at most once per tick
   */
  constructor(
    run: string,
    counters: TapCounters,
    clock: TapClock,
    savedTicks: number | undefined,
    onDue: (now: number) => void,
    onFault: (error: unknown) => void,
  ) {
    this.run = run;
    this.counters = counters;
    this.#clock = clock;
    this.#onFault = onFault;
    this.frames = new TapBudget(FRAMES_BUDGET_MS, savedTicks ?? SAVED_TICKS, clock);
    this.openings = new TapBudget(OPENINGS_BUDGET_MS, savedTicks ?? SAVED_TICKS, clock);
    this.events = new EventQueue(clock.now, onDue);
    this.#guaranteedOpenings = new BurstLimit(clock.now, GUARANTEED_OPENINGS);
    this.#guaranteedReads = new BurstLimit(clock.now, GUARANTEED_READS);
  }

  /** Returns the time of a line that is made now: milliseconds since 1970, with three decimals. */
  at(): string {
    return this.timeOf(this.#clock.now());
  }

  /**
   * Returns a line's time.
   *
   * @param ms time on the monotonic clock
   */
  timeOf(ms: number): string {
    return String(rounded(this.#clock.origin + ms));
  }

  /** Starts a tick. */
  renew(): void {
    this.frames.measure();
    this.openings.measure();
    this.#hasFault = false;
  }

  /** Reports an exception from the code of taps, which must reach neither a session nor the worker. */
  fault(error: unknown): void {
    if (this.#hasFault) return;
    this.#hasFault = true;
    this.#onFault(error);
  }

  /**
   * Starts the work for a read. Returns false if the work must not run. Otherwise the caller ends it on
   * `frames`.
   *
   * @param overdraftMs see `TapBudget.begin`
   */
  beginRead(overdraftMs = 0): boolean {
    this.#guaranteedFrames = null;
    if (this.frames.begin(overdraftMs)) return true;
    if (this.#isGuaranteed() && this.frames.begin(READS_OVERDRAFT_MS)) return true;
    // Work with an overdraft is tried at all times. It must not prevent other work.
    if (overdraftMs === 0) this.#spentUntil = this.#clock.now() + SPENT_MS;
    return false;
  }

  /** Whether a read was refused a moment ago. Then further reads are not even copied, which costs much less. */
  isSpent(now: number): boolean {
    return now < this.#spentUntil;
  }

  /** Starts to take an event of a session or tunnel. Returns the time on the monotonic clock. */
  startEvent(): number {
    const now = this.#clock.now();
    this.events.workIfDue(now);
    return now;
  }

  /**
   * Whether the rest of the current read must be skipped. Called after each frame.
   *
   * @param overdraftMs see `TapBudget.begin`
   */
  isReadOver(overdraftMs: number): boolean {
    if (!this.frames.isOver(overdraftMs)) return false;
    return !this.#isGuaranteed() || this.frames.isOver(READS_OVERDRAFT_MS);
  }

  /** Whether the current read may use the overdraft for another frame. */
  #isGuaranteed(): boolean {
    this.#guaranteedFrames ??= this.#guaranteedReads.take() > 0 ? GUARANTEED_FRAMES : 0;
    return this.#guaranteedFrames-- > 0;
  }

  /**
   * Starts the work for an opening session or tunnel. Returns false if it must not run. Otherwise the caller
   * ends it on `openings`.
   */
  beginOpening(): boolean {
    if (this.openings.begin()) return true;
    return this.#guaranteedOpenings.take() > 0 && this.openings.begin(OPENINGS_OVERDRAFT_MS);
  }

  /** Takes a slot for a session or tunnel. Returns false if there is none. */
  takeSlot(): boolean {
    // Ends that wait may release slots.
    if (this.#watched >= MAX_WATCHED) this.events.handleUntil(this.#clock.now() + MAX_PIECE_MS);
    if (this.#watched >= MAX_WATCHED) return false;
    this.#watched++;
    return true;
  }

  releaseSlot(): void {
    this.#watched--;
  }

  /** Takes an inflation context. Returns false if there is none. */
  takeContext(): boolean {
    if (this.#contexts >= MAX_CONTEXTS) return false;
    this.#contexts++;
    return true;
  }

  releaseContext(): void {
    this.#contexts--;
  }

  /** Takes memory for part of a message. Returns false if there is not enough. */
  takeBytes(bytes: number): boolean {
    if (this.#heldBytes + bytes > MAX_HELD_BYTES) return false;
    this.#heldBytes += bytes;
    return true;
  }

  releaseBytes(bytes: number): void {
    this.#heldBytes -= bytes;
  }
}
