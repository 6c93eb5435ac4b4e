import type { LimitSettings, RateLimit } from '../../config/types/limits.ts';
import type { TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { LimitKind, LimitRefusal } from '../contract/limit-guard.ts';
import { digestOf } from './limit-key.ts';
import { refusalOf } from './limit-answer.ts';
import { Bucket } from './table/bucket.ts';
import type { LimitTable } from './table/limit-table.ts';
import { RATE_KINDS, SLOT, type RateKind } from './table/table-layout.ts';
import { LimitQueues } from './limit-queues.ts';

/** The kind of entry: a WebSocket handshake, a plain request, or a layer 4 connection. */
export type Entry = 'handshake' | 'request' | 'tunnel';

/** Counters of one limit. */
export interface LimitCounts {
  refused(kind: LimitKind): void;
  /** Called when a client's key shares the overflow slot. */
  overflowed(): void;
}

interface LimitParts {
  /** Opened with the first client. */
  readonly table: () => LimitTable;
  readonly counts: LimitCounts;
  readonly wheel: TimerWheel;
  /** Milliseconds on a monotonic clock shared by all threads. */
  readonly clock: () => number;
}

/**
 * Min burst of a rate that slows sessions, in seconds of the rate. Sessions resume at ticks of 100 ms. A
 * smaller bucket would fill up before the tick and waste tokens.
 */
const MIN_SLOW_BURST_SECONDS = 0.2;

/** The rate that a read exceeded. */
export const WITHIN = 0;
export const TOO_MANY_MESSAGES = 1;
const TOO_MANY_BYTES = 2;

/** One limit, as counted by one worker. */
export class KeyedLimit {
  readonly settings: LimitSettings;
  readonly counts: LimitCounts;
  readonly clock: () => number;
  /** Sessions that wait for their bucket. */
  readonly queues: LimitQueues;
  readonly #open: () => LimitTable;
  readonly #isMetered: boolean;
  #table: LimitTable | null = null;
  /** In the order of {@link RATE_KINDS}. */
  #buckets: readonly (Bucket | null)[] = [];

  constructor(settings: LimitSettings, { table, counts, wheel, clock }: LimitParts) {
    this.settings = settings;
    this.counts = counts;
    this.clock = clock;
    this.queues = new LimitQueues(wheel, this);
    this.#open = table;
    this.#isMetered = settings.messages !== null || settings.bytes !== null;
  }

  /** Whether the limit counts anything for this kind of entry. */
  holdsFor(entry: Entry): boolean {
    const { connections, handshakes, requests } = this.settings;
    if (connections !== null) return true;
    if (entry === 'request') return requests !== null;
    return handshakes !== null || (entry === 'handshake' && this.#isMetered);
  }

  /** Whether the client's holds outlive the check. */
  isHeldBy(entry: Entry): boolean {
    return this.settings.connections !== null || (entry === 'handshake' && this.#isMetered);
  }

  /** Whether the limit counts what a session's client sends. */
  isMeteredFor(entry: Entry): boolean {
    return entry === 'handshake' && this.#isMetered;
  }

  /** Pins the slot of a key until {@link unpin}. */
  pin(key: string): number {
    const table = this.#opened();
    const slot = table.pin(digestOf(key));
    if (slot === table.overflow) this.counts.overflowed();
    return slot;
  }

  unpin(slot: number): void {
    this.#opened().unpin(slot);
  }

  /** Takes a place and a unit of the rate, or neither. @returns the refusal; null if both were taken */
  take(slot: number, entry: Entry): LimitRefusal | null {
    const table = this.#opened();
    const { connections } = this.settings;
    const isOverflow = slot === table.overflow;
    if (this.settings.isShared && table.refuses) return this.#refuse('unavailable', null, isOverflow);
    if (connections !== null && !table.connect(slot, connections)) {
      return this.#refuse('connections', null, isOverflow);
    }
    const rate = rateOf(entry);
    const bucket = this.#buckets[rate] ?? null;
    if (bucket !== null) {
      const ticks = bucket.take(table.layout.words, this.#wordOf(slot, rate), 1, this.clock());
      if (ticks > 0) {
        if (connections !== null) table.disconnect(slot);
        return this.#refuse(RATE_KINDS[rate]!, bucket.secondsOf(ticks), isOverflow);
      }
      if (table.layout.isShared) this.#note(slot, rate, 1);
    }
    return null;
  }

  /** Reverts {@link take}, because another limit refuses. */
  undo(slot: number, entry: Entry): void {
    const table = this.#opened();
    if (this.settings.connections !== null) table.disconnect(slot);
    const rate = rateOf(entry);
    const bucket = this.#buckets[rate] ?? null;
    bucket?.refund(table.layout.words, this.#wordOf(slot, rate), 1, this.clock());
    if (bucket !== null && table.layout.isShared) this.#note(slot, rate, -1);
  }

  /** Releases the connection's place. */
  disconnect(slot: number): void {
    if (this.settings.connections !== null) this.#opened().disconnect(slot);
  }

  isOverflow(slot: number): boolean {
    return slot === this.#opened().overflow;
  }

  /** Counts a read of a session's client. Returns {@link WITHIN}, or the exceeded rate. */
  charge(slot: number, messages: number, bytes: number, now: number): number {
    const table = this.#opened();
    const { words } = table.layout;
    const forMessages = this.#buckets[MESSAGES] ?? null;
    const forBytes = this.#buckets[BYTES] ?? null;
    let verdict = WITHIN;
    if (forMessages !== null && messages > 0) {
      if (table.layout.isShared) this.#note(slot, MESSAGES, messages);
      if (forMessages.charge(words, this.#wordOf(slot, MESSAGES), messages, now) > 0) {
        verdict = TOO_MANY_MESSAGES;
      }
    }
    if (forBytes !== null && bytes > 0) {
      if (table.layout.isShared) this.#note(slot, BYTES, bytes);
      if (forBytes.charge(words, this.#wordOf(slot, BYTES), bytes, now) > 0 && verdict === WITHIN) {
        verdict = TOO_MANY_BYTES;
      }
    }
    return verdict;
  }

  /** Whether a bucket of the slot is in debt, or would be after another read. */
  isInDebt(slot: number, messages: number, bytes: number, now: number): boolean {
    return this.#owes(slot, MESSAGES, messages, now) || this.#owes(slot, BYTES, bytes, now);
  }

  #owes(slot: number, rate: number, units: number, now: number): boolean {
    const bucket = this.#buckets[rate] ?? null;
    if (bucket === null) return false;
    return bucket.debt(this.#opened().layout.words, this.#wordOf(slot, rate), units, now) > 0;
  }

  /** Records usage for other machines. */
  #note(slot: number, rate: number, units: number): void {
    const { layout } = this.#opened();
    Atomics.add(layout.words, layout.at(slot) + SLOT.taken + rate, units);
    layout.markUsed(slot);
  }

  #refuse(kind: LimitKind, seconds: number | null, isOverflow: boolean): LimitRefusal {
    this.counts.refused(kind);
    return refusalOf(this.settings, { kind, seconds, isOverflow });
  }

  #wordOf(slot: number, rate: number): number {
    return this.#table!.layout.at(slot) + SLOT.fullAt + rate;
  }

  #opened(): LimitTable {
    if (this.#table !== null) return this.#table;
    const table = (this.#table = this.#open());
    this.#buckets = RATE_KINDS.map((kind, index) => {
      const rate = this.settings[kind];
      if (rate === null) return null;
      return new Bucket(rate, table.layout.ticksOf(index), this.#minBurst(kind, rate));
    });
    return table;
  }

  #minBurst(kind: RateKind, rate: RateLimit): number {
    const isSlowed = this.settings.over === 'slow' && (kind === 'messages' || kind === 'bytes');
    return isSlowed ? rate.perSecond * MIN_SLOW_BURST_SECONDS : 1;
  }
}

const HANDSHAKES = RATE_KINDS.indexOf('handshakes');
const REQUESTS = RATE_KINDS.indexOf('requests');
const MESSAGES = RATE_KINDS.indexOf('messages');
const BYTES = RATE_KINDS.indexOf('bytes');

function rateOf(entry: Entry): number {
  return entry === 'request' ? REQUESTS : HANDSHAKES;
}
