import { CLAIMED, HEAD, SLOT, type TableLayout } from './table-layout.ts';

/**
 * Records the holds of one worker run in one table. The worker is the only writer and uses plain stores. The
 * primary releases all holds when the run ends, however it ends.
 *
 * A thread can be terminated only at a call of a JavaScript function or at the end of a loop iteration. So a
 * hold and its record are two adjacent statements without a call or loop between them: both happen, or
 * neither.
 */
export class HoldLedger {
  readonly memory: SharedArrayBuffer;
  /** Pins by slot. */
  readonly pins: Int32Array;
  /** Connections by slot. */
  readonly connections: Int32Array;
  /** One word: 1 plus the slot whose key the worker is replacing, or 0. */
  readonly claim: Int32Array;

  /** @param memory from {@link allocateLedger} */
  constructor({ slots }: TableLayout, memory: SharedArrayBuffer) {
    const count = slots + 1;
    const bytes = count * Int32Array.BYTES_PER_ELEMENT;
    this.memory = memory;
    this.pins = new Int32Array(memory, 0, count);
    this.connections = new Int32Array(memory, bytes, count);
    this.claim = new Int32Array(memory, 2 * bytes, 1);
  }

  /** Releases all holds. Called by the primary after the worker has ended. Idempotent. */
  release(table: TableLayout): void {
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
      // The key may be half written: free the slot.
      if (Atomics.exchange(words, table.tags + claimed, 0) !== 0) Atomics.sub(words, HEAD.keys, 1);
      Atomics.sub(words, table.at(claimed) + SLOT.pins, CLAIMED);
    }
    this.pins.fill(0);
    this.connections.fill(0);
    this.claim[0] = 0;
  }
}

/** Allocates the memory of a {@link HoldLedger}. Untouched pages cost only address space. */
export function allocateLedger({ slots }: TableLayout): SharedArrayBuffer {
  return new SharedArrayBuffer((2 * (slots + 1) + 1) * Int32Array.BYTES_PER_ELEMENT);
}
