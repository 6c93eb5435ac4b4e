import { CLAIMED, HEAD, SLOT, type TableLayout } from './table-layout.ts';

/**
 * What one run of a worker holds in one table: one writer, plain stores. The primary gives all of it back
 * when the run ends, however it ends.
 *
 * A thread can be terminated at a call of a JavaScript function and at the end of a loop's turn only. So a
 * hold and its note stand in two statements next to each other, without a call or a loop between them, and
 * are done both or not at all.
 */
export class HoldLedger {
  readonly memory: SharedArrayBuffer;
  /** By slot: pins. */
  readonly pins: Int32Array;
  /** By slot: connections. */
  readonly connections: Int32Array;
  /** One word: 1 plus the slot whose key the worker is replacing; 0 for none. */
  readonly claim: Int32Array;

  /** @param memory of {@link allocateLedger} */
  constructor({ slots }: TableLayout, memory: SharedArrayBuffer) {
    const count = slots + 1;
    const bytes = count * Int32Array.BYTES_PER_ELEMENT;
    this.memory = memory;
    this.pins = new Int32Array(memory, 0, count);
    this.connections = new Int32Array(memory, bytes, count);
    this.claim = new Int32Array(memory, 2 * bytes, 1);
  }

  /** Gives all holds back. Called by the primary after the worker's end; a second call does nothing. */
  giveBack(table: TableLayout): void {
    const { words } = table;
    for (let slot = 0; slot <= table.slots; slot++) {
      const at = table.at(slot);
      const connections = this.connections[slot]!;
      if (connections !== 0) Atomics.sub(words, at + SLOT.connections, connections);
      const pins = this.pins[slot]!;
      if (pins !== 0) Atomics.sub(words, at + SLOT.pins, pins);
    }
    const claimed = this.claim[0]! - 1;
    if (claimed >= 0) {
      // Nobody knows how much of the key has been written: the slot becomes a free one.
      if (Atomics.exchange(words, table.tags + claimed, 0) !== 0) Atomics.sub(words, HEAD.keys, 1);
      Atomics.sub(words, table.at(claimed) + SLOT.pins, CLAIMED);
    }
    this.pins.fill(0);
    this.connections.fill(0);
    this.claim[0] = 0;
  }
}

/**
 * Allocates the memory of a {@link HoldLedger}. Only the parts that are used cost more than address space.
 */
export function allocateLedger({ slots }: TableLayout): SharedArrayBuffer {
  return new SharedArrayBuffer((2 * (slots + 1) + 1) * Int32Array.BYTES_PER_ELEMENT);
}
