import { type SHED_REASONS } from '../../telemetry/metrics/label-values.ts';
import { pageMetrics } from '../../telemetry/metrics/page-metrics.ts';
import type { StatsPage } from '../../telemetry/stats-page.ts';

/** What most of a session's buffered bytes are. */
export type ShedReason = (typeof SHED_REASONS)[number];

/** A session with bytes that wait for one of its sides, or for the rest of a client's message. */
export interface Buffering {
  bufferedDownstream: number;
  bufferedUpstream: number;
  /** Bytes of a client's message that has not come whole. */
  bufferedUnfinished: number;
  /** Reports again what waits for both sides: sockets do not tell each byte that they drain. */
  measureBuffers(): void;
  /** Closes the session because the worker's buffers are full. It must free what it buffers soon. */
  shed(reason: ShedReason): void;
}

/**
 * All that waits in the sessions of one worker, and its bound: each session has bounds of its own, but many
 * slow peers at once must not exhaust the process. Past the bound the sessions with the most go first.
 */
export class BufferBudget {
  #most: number;
  readonly #values: Float64Array;
  readonly #downstream: number;
  readonly #upstream: number;
  readonly #unfinished: number;
  readonly #sheds: Readonly<Record<ShedReason, number>>;
  readonly #holders = new Set<Buffering>();
  #total = 0;
  #reserved = 0;
  #shedding = false;

  /** @param most bytes */
  constructor(most: number, page: StatsPage) {
    this.#most = most;
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

  /** Bytes that may be buffered. */
  get most(): number {
    return this.#most;
  }

  /** Bytes that may still be buffered. */
  get left(): number {
    return Math.max(0, this.#most - this.#reserved - this.#total);
  }

  /** @param most bytes, from now on */
  resize(most: number): void {
    this.#most = most;
  }

  /** Notes how much waits for the session's client. The session may be closed before this returns. */
  setDownstream(session: Buffering, bytes: number): void {
    const change = bytes - session.bufferedDownstream;
    if (change === 0) return;
    session.bufferedDownstream = bytes;
    this.#values[this.#downstream]! += change;
    this.#changed(session, change);
  }

  /** Notes how much waits for the session's endpoint. The session may be closed before this returns. */
  setUpstream(session: Buffering, bytes: number): void {
    const change = bytes - session.bufferedUpstream;
    if (change === 0) return;
    session.bufferedUpstream = bytes;
    this.#values[this.#upstream]! += change;
    this.#changed(session, change);
  }

  /** Notes how much of an unfinished message the client has sent. The session may be closed before this returns. */
  setUnfinished(session: Buffering, bytes: number): void {
    const change = bytes - session.bufferedUnfinished;
    if (change === 0) return;
    session.bufferedUnfinished = bytes;
    this.#values[this.#unfinished]! += change;
    this.#changed(session, change);
  }

  /** Keeps a part of the budget for bytes that are not counted. @param bytes from now on */
  reserve(bytes: number): void {
    this.#reserved = bytes;
  }

  /** Brings the amounts up to date; to be called about once a second. */
  refresh(): void {
    for (const holder of this.#holders) holder.measureBuffers();
  }

  /** The session is over: nothing of it waits any more. */
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
    if (this.#total > this.#most - this.#reserved && !this.#shedding) this.#shedLargest();
  }

  #shedLargest(): void {
    this.#shedding = true;
    // Sorted once: a search for each would take seconds with many sessions of the same size.
    const largestFirst = [...this.#holders].sort((a, b) => bufferedBy(b) - bufferedBy(a));
    for (const session of largestFirst) {
      // Down to nine tenths, so that the next byte does not start the search again.
      if (this.#total <= (this.#most - this.#reserved) * 0.9) break;
      // To close one session may free another.
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
