import type { TapLoss } from '../../telemetry/metrics/label-values.ts';
import { TapBudget, type BudgetClock } from './tap-budget.ts';
import { rounded } from './tap-lines.ts';

/** CPU time of a worker for frames and reads in a tick of 100 ms. */
const FRAMES_BUDGET_MS = 2;
/** CPU time of a worker in a tick for sessions and tunnels that begin. */
const PLACES_BUDGET_MS = 1.5;
/** CPU time of a worker in a tick for the search of open sessions and tunnels. None is saved up: a session would wait for all of it. */
const WALKS_BUDGET_MS = 2;
/** Budgets that are saved up at most, for sudden work. */
const SAVED_TICKS = 6;
/** Sessions and tunnels of a tick that are watched whether or not CPU time is left: what a session begins with is rare. */
const SURE_OPENINGS = 50;
/** What they may use beyond the budget: whoever floods a worker with long handshakes must not take its time. */
const OPENINGS_OVERDRAFT_MS = 30;
/** Reads of a tick that are looked at whether or not CPU time is left: a quiet session must not pay for busy ones. */
const SURE_READS = 20;
/** What they may use beyond the budget. */
const READS_OVERDRAFT_MS = 30;
/** Max sessions and tunnels of a worker that are watched at a time. */
const MAX_WATCHED = 10_000;
/** Max contexts of inflation of a worker: each takes 32 KiB. */
const MAX_CONTEXTS = 64;
/** Max bytes of messages of a worker that wait for their rest. */
const MAX_HELD_BYTES = 8 * 1024 * 1024;

/** Counts frames in the stats page. */
export interface TapCounters {
  told(): void;
  lost(reason: TapLoss, frames: number): void;
}

export interface TapClock extends BudgetClock {
  /** What to add to `now` for the time since 1970. */
  readonly origin: number;
}

/** What all watched sessions and tunnels of a worker share. */
export class TapHome {
  /** Names this run of the worker in the ids of sessions. */
  readonly run: string;
  readonly counters: TapCounters;
  readonly frames: TapBudget;
  readonly places: TapBudget;
  readonly walks: TapBudget;
  /** Grows by one with each tap that ends: whoever has watched for it looks again who wants lines. */
  endedTaps = 0;
  readonly #clock: TapClock;
  readonly #onFault: (error: unknown) => void;
  /** Whether a fault of this tick has been told. */
  #hasFault = false;
  #openings = 0;
  #reads = 0;
  #watched = 0;
  #contexts = 0;
  #heldBytes = 0;

  /**
   * @param savedTicks budgets that can be saved up; undefined for {@link SAVED_TICKS}
   * @param onFault told of exceptions of the code of taps, at most once a tick
   */
  constructor(
    run: string,
    counters: TapCounters,
    clock: TapClock,
    savedTicks: number | undefined,
    onFault: (error: unknown) => void,
  ) {
    this.run = run;
    this.counters = counters;
    this.#clock = clock;
    this.#onFault = onFault;
    this.frames = new TapBudget(FRAMES_BUDGET_MS, savedTicks ?? SAVED_TICKS, clock);
    this.places = new TapBudget(PLACES_BUDGET_MS, savedTicks ?? SAVED_TICKS, clock);
    this.walks = new TapBudget(WALKS_BUDGET_MS, 1, clock);
  }

  /** Returns the time for a line: milliseconds since 1970, with three decimals. */
  at(): string {
    const { origin, now } = this.#clock;
    return String(rounded(origin + now()));
  }

  /** Begins a tick. */
  renew(): void {
    this.frames.measure();
    this.places.measure();
    this.walks.measure();
    this.#openings = 0;
    this.#reads = 0;
    this.#hasFault = false;
  }

  /** Takes an exception of the code of taps. It must reach neither a session nor the worker. */
  fault(error: unknown): void {
    if (this.#hasFault) return;
    this.#hasFault = true;
    this.#onFault(error);
  }

  /**
   * Begins the work for a read. Returns false if there must be none; else `frames` tells its end.
   *
   * @param overdraftMs as for `TapBudget.begin`
   */
  beginRead(overdraftMs = 0): boolean {
    const isSure = this.#reads++ < SURE_READS;
    return this.frames.begin(isSure ? Math.max(overdraftMs, READS_OVERDRAFT_MS) : overdraftMs);
  }

  /** Begins the work for a session or tunnel that opens. Returns false if there must be none; else `places` tells its end. */
  beginOpening(): boolean {
    return this.places.begin(this.#openings++ < SURE_OPENINGS ? OPENINGS_OVERDRAFT_MS : 0);
  }

  /** Takes a place for a session or tunnel. Returns false if there is none. */
  takePlace(): boolean {
    if (this.#watched >= MAX_WATCHED) return false;
    this.#watched++;
    return true;
  }

  leavePlace(): void {
    this.#watched--;
  }

  /** Takes a context of inflation. Returns false if there is none. */
  takeContext(): boolean {
    if (this.#contexts >= MAX_CONTEXTS) return false;
    this.#contexts++;
    return true;
  }

  leaveContext(): void {
    this.#contexts--;
  }

  /** Takes memory for a part of a message. Returns false if there is not enough. */
  takeBytes(bytes: number): boolean {
    if (this.#heldBytes + bytes > MAX_HELD_BYTES) return false;
    this.#heldBytes += bytes;
    return true;
  }

  leaveBytes(bytes: number): void {
    this.#heldBytes -= bytes;
  }
}
