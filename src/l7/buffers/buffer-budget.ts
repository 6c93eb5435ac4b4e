import type { SHED_REASONS } from '../../telemetry/metrics/label-values.ts';
import { pageMetrics } from '../../telemetry/metrics/page-metrics.ts';
import type { StatsPage } from '../../telemetry/stats-page.ts';

/** The kind of buffered bytes that a shed session held most of. */
export type ShedReason = (typeof SHED_REASONS)[number];

/**
 * Holds buffered bytes, as a session does: bytes that wait for one of its sides, or for the rest of a
 * client's message. {@link BufferBudget} updates the three counts.
 */
export interface Buffering {
  bufferedDownstream: number;
  bufferedUpstream: number;
  /** Bytes of an incomplete message. */
  bufferedUnfinished: number;
  /**
   * Reports the buffered bytes of both sides to the budget: sockets do not report every byte that they drain.
   */
  measureBuffers(): void;
  /** Closes the holder because the worker's buffers are full. It must free its bytes soon. */
  shed(reason: ShedReason): void;
}

/**
 * Bounds the buffered bytes of a whole worker. Each session has its own bounds, but many slow peers together
 * must not exhaust the process. Over the bound, the sessions with the most bytes are closed first.
 */
export class BufferBudget {
  #maxBytes: number;
  readonly #values: Float64Array;
  readonly #downstream: number;
  readonly #upstream: number;
  readonly #unfinished: number;
  readonly #sheds: Readonly<Record<ShedReason, number>>;
  readonly #holders = new Set<Buffering>();
  #total = 0;
  #reserved = 0;
  #shedding = false;

  constructor(maxBytes: number, page: StatsPage) {
    this.#maxBytes = maxBytes;
    this.#values = page.values;
    this.#downstream = page.slot(pageMetrics.bufferedBytes, { direction: 'downstream' });
    this.#upstream = page.slot(pageMetrics.bufferedBytes, { direction: 'upstream' });
    this.#unfinished = page.slot(pageMetrics.unfinishedBytes, {});
    const shedSlot = (reason: ShedReason): number => page.slot(pageMetrics.sessionsShed, { reason });
    this.#sheds = {
      downstream: shedSlot('downstream'),
      upstream: shedSlot('upstream'),
      unfinished: shedSlot('unfinished'),
    };
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** Bytes that may still be buffered. */
  get left(): number {
    return Math.max(0, this.#maxBytes - this.#reserved - this.#total);
  }

  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
  }

  /** Sets the bytes buffered for the client. May close this session or others before it returns. */
  setDownstream(session: Buffering, bytes: number): void {
    const change = bytes - session.bufferedDownstream;
    if (change === 0) return;
    session.bufferedDownstream = bytes;
    this.#values[this.#downstream]! += change;
    this.#changed(session, change);
  }

  /** Sets the bytes buffered for the endpoint. May close this session or others before it returns. */
  setUpstream(session: Buffering, bytes: number): void {
    const change = bytes - session.bufferedUpstream;
    if (change === 0) return;
    session.bufferedUpstream = bytes;
    this.#values[this.#upstream]! += change;
    this.#changed(session, change);
  }

  /** Sets the bytes of an incomplete message. May close this session or others before it returns. */
  setUnfinished(session: Buffering, bytes: number): void {
    const change = bytes - session.bufferedUnfinished;
    if (change === 0) return;
    session.bufferedUnfinished = bytes;
    this.#values[this.#unfinished]! += change;
    this.#changed(session, change);
  }

  /** Sets the part of the budget that is reserved for bytes without a count. */
  reserve(bytes: number): void {
    this.#reserved = bytes;
  }

  /** Measures all holders again. Must be called about once a second. */
  refresh(): void {
    for (const holder of this.#holders) holder.measureBuffers();
  }

  /** Stops counting a session that has ended. */
  forget(session: Buffering): void {
    this.#values[this.#downstream]! -= session.bufferedDownstream;
    this.#values[this.#upstream]! -= session.bufferedUpstream;
    this.#values[this.#unfinished]! -= session.bufferedUnfinished;
    this.#total -= bufferedBy(session);
    session.bufferedDownstream = session.bufferedUpstream = session.bufferedUnfinished = 0;
    this.#holders.delete(session);
  }

  #changed(session: Buffering, change: number): void {
    this.#total += change;
    if (bufferedBy(session) > 0) this.#holders.add(session);
    else this.#holders.delete(session);
    if (this.#total > this.#maxBytes - this.#reserved && !this.#shedding) this.#shedLargest();
  }

  #shedLargest(): void {
    this.#shedding = true;
    // Sorted once: with many sessions of equal size, one search per session would take seconds.
    const largestFirst = [...this.#holders].sort((a, b) => bufferedBy(b) - bufferedBy(a));
    for (const session of largestFirst) {
      // Stops at nine tenths. At the bound itself, the next byte would start another search.
      if (this.#total <= (this.#maxBytes - this.#reserved) * 0.9) break;
      // Closing one session may free another.
      if (bufferedBy(session) === 0) continue;
      const reason = reasonOf(session);
      this.forget(session);
      this.#values[this.#sheds[reason]]! += 1;
      session.shed(reason);
    }
    this.#shedding = false;
  }
}

function bufferedBy(session: Buffering): number {
  return session.bufferedDownstream + session.bufferedUpstream + session.bufferedUnfinished;
}

function reasonOf({ bufferedDownstream, bufferedUpstream, bufferedUnfinished }: Buffering): ShedReason {
  if (bufferedUnfinished >= Math.max(bufferedDownstream, bufferedUpstream)) return 'unfinished';
  return bufferedDownstream >= bufferedUpstream ? 'downstream' : 'upstream';
}
