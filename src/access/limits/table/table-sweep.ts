import { ticksAt, isIdle } from './slot-state.ts';
import { CLAIMED, HEAD, RATE_KINDS, SLOT, TableLayout } from './table-layout.ts';

/** Number of parts of a table. Each step sweeps one part. */
const PARTS = 60;

/**
 * Frees idle slots and clears past times, in the primary. Times are compared modulo 2^32: one kept for half
 * that range would seem to lie in the future.
 */
export class TableSweep {
  readonly layout: TableLayout;
  readonly #clock: () => number;
  #next = 0;

  /** @param clock see `LimitTable` */
  constructor(memory: SharedArrayBuffer, clock: () => number) {
    this.layout = new TableLayout(memory);
    this.#clock = clock;
  }

  /** Sweeps the next part of the table. {@link PARTS} calls sweep all of it. */
  step(): void {
    const { slots } = this.layout;
    const now = this.#clock();
    const end = Math.min(this.#next + Math.ceil((slots + 1) / PARTS), slots + 1);
    for (let slot = this.#next; slot < end; slot++) this.#sweep(slot, now);
    this.#next = end > slots ? 0 : end;
  }

  #sweep(slot: number, now: number): void {
    const { words, tags, slots } = this.layout;
    const hasKey = slot === slots || Atomics.load(words, tags + slot) !== 0;
    // Do not touch unused memory.
    if (!hasKey) return;
    const at = this.layout.at(slot);
    for (let rate = 0; rate < RATE_KINDS.length; rate++) {
      const word = at + SLOT.fullAt + rate;
      const fullAt = Atomics.load(words, word);
      const isPast = ((fullAt - ticksAt(now, this.layout.ticksOf(rate))) | 0) <= 0;
      if (fullAt !== 0 && isPast) Atomics.compareExchange(words, word, fullAt, 0);
    }
    if (slot < slots) this.#free(slot, now);
  }

  #free(slot: number, now: number): void {
    const { words, tags } = this.layout;
    const pins = this.layout.at(slot) + SLOT.pins;
    if (Atomics.load(words, pins) !== 0 || !isIdle(this.layout, slot, now)) return;
    if (Atomics.compareExchange(words, pins, 0, CLAIMED) !== 0) return;
    if (isIdle(this.layout, slot, now) && Atomics.exchange(words, tags + slot, 0) !== 0) {
      Atomics.sub(words, HEAD.keys, 1);
    }
    Atomics.sub(words, pins, CLAIMED);
  }
}
