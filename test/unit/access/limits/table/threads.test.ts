import assert from 'node:assert/strict';
import { on } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { HoldLedger } from '../../../../../src/access/limits/table/hold-ledger.ts';
import { allocateTable, SLOT, TableLayout } from '../../../../../src/access/limits/table/table-layout.ts';
import { TableSweep } from '../../../../../src/access/limits/table/table-sweep.ts';

const ROOM = new URL('../../../../../src/access/limits/', import.meta.url).href;
const THREADS = 3;
const KEYS = 400;
/** Fewer keys than the threads use: keys are replaced all the time. */
const MAX_KEYS = 64;
const MAX_CONNECTIONS = 3;
const TURNS = 30_000;

/**
 * Takes and releases places of random keys, and counts each key's places in `live`. Reports counts above the
 * limit.
 */
const CODE = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { memory, live, room, turns, keys, max, endless } = workerData;
  const modules = [room + 'table/limit-table.ts', room + 'limit-key.ts'];
  Promise.all(modules.map((url) => import(url))).then(([{ LimitTable }, { digestOf }]) => {
    const table = new LimitTable(memory, () => 0);
    const counts = new Int32Array(live);
    parentPort.postMessage(table.ledger.memory);
    const held = [];
    let excess = 0;
    const leave = ([slot, key]) => {
      if (slot !== table.overflow) Atomics.sub(counts, key, 1);
      table.disconnect(slot);
      table.unpin(slot);
    };
    for (let turn = 0; turn < turns || endless; turn++) {
      const key = Math.floor(Math.random() * keys);
      const slot = table.pin(digestOf(String(key)));
      if (table.connect(slot, max)) {
        if (slot !== table.overflow && Atomics.add(counts, key, 1) >= max) excess++;
        held.push([slot, key]);
      } else table.unpin(slot);
      if (held.length > 10) leave(held.splice(Math.floor(Math.random() * held.length), 1)[0]);
    }
    for (const hold of held) leave(hold);
    parentPort.postMessage(excess);
  });
`;

interface Hammering {
  readonly worker: Worker;
  readonly ledger: SharedArrayBuffer;
  /** Resolves with what was above the limit, when the thread has had its turns. */
  excess(): Promise<number>;
}

async function hammer(memory: SharedArrayBuffer, endless: boolean): Promise<Hammering> {
  const live = LIVE.get(memory) ?? new SharedArrayBuffer(KEYS * Int32Array.BYTES_PER_ELEMENT);
  LIVE.set(memory, live);
  const workerData = { memory, live, room: ROOM, turns: TURNS, keys: KEYS, max: MAX_CONNECTIONS, endless };
  const worker = new Worker(CODE, { eval: true, workerData });
  // From the start: a thread may have had all its turns before the last one begins.
  const messages = on(worker, 'message');
  const next = async (): Promise<unknown> => {
    const { value } = (await messages.next()) as { value: [unknown] };
    return value[0];
  };
  const ledger = (await next()) as SharedArrayBuffer;
  return { worker, ledger, excess: async () => (await next()) as number };
}

/** By the table's memory: what each key holds, as the threads count it. */
const LIVE = new WeakMap<SharedArrayBuffer, SharedArrayBuffer>();

function heldIn(layout: TableLayout): number {
  let held = 0;
  for (let slot = 0; slot <= layout.slots; slot++) {
    const at = layout.at(slot);
    held += Math.abs(layout.words[at + SLOT.pins]!) + Math.abs(layout.words[at + SLOT.connections]!);
  }
  return held;
}

const SHAPE = { maxKeys: MAX_KEYS, ticks: [65_536, 65_536, 65_536, 65_536], isShared: false };

describe('a table that several threads use', () => {
  it('never exceeds the limit of a key, and gets everything back', { timeout: 120_000 }, async () => {
    const memory = allocateTable(1, SHAPE);
    const sweep = new TableSweep(memory, () => 0);
    const sweeping = setInterval(() => sweep.step(), 1);
    const threads = await Promise.all(Array.from({ length: THREADS }, () => hammer(memory, false)));
    const excesses = await Promise.all(threads.map((thread) => thread.excess()));
    clearInterval(sweeping);
    assert.deepEqual(excesses, [0, 0, 0]);
    assert.equal(heldIn(new TableLayout(memory)), 0);
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  });

  it('is as if a terminated thread had never held anything', { timeout: 120_000 }, async () => {
    const memory = allocateTable(1, SHAPE);
    const layout = new TableLayout(memory);
    for (let round = 0; round < 10; round++) {
      const threads = await Promise.all([hammer(memory, true), hammer(memory, true)]);
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
      for (const { ledger } of threads) new HoldLedger(layout, ledger).release(layout);
      assert.equal(heldIn(layout), 0);
    }
  });
});
