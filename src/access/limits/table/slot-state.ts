import { RATE_KINDS, SLOT, type TableLayout } from './table-layout.ts';

/** Converts a time to the ticks of a rate, modulo 2^32. @param ticks ticks per second */
export function ticksAt(nowMs: number, ticks: number): number {
  return Math.floor((nowMs * ticks) / 1000) | 0;
}

/** Whether a slot has no connections, here or elsewhere, and all its buckets are full. */
export function isIdle(table: TableLayout, slot: number, nowMs: number): boolean {
  const { words } = table;
  const at = table.at(slot);
  if (Atomics.load(words, at + SLOT.connections) !== 0) return false;
  if (Atomics.load(words, at + SLOT.elsewhere) !== 0) return false;
  for (let rate = 0; rate < RATE_KINDS.length; rate++) {
    const fullAt = Atomics.load(words, at + SLOT.fullAt + rate);
    if (fullAt !== 0 && ((fullAt - ticksAt(nowMs, table.ticksOf(rate))) | 0) > 0) return false;
  }
  return true;
}
