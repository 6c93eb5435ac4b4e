import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import {
  MAX_TICKET_KEYS,
  TICKET_KEY_BYTES,
  TicketKeyRing,
  allocateTicketKeys,
} from '../../../src/core/ticket-key-ring.ts';

function key(fill: number): Buffer {
  return Buffer.alloc(TICKET_KEY_BYTES, fill);
}

/** Returns the first byte of each key. */
function fillsOf(ring: TicketKeyRing): number[] {
  return ring.keys.map((bytes) => {
    assert.deepEqual(bytes, key(bytes[0]!));
    return bytes[0]!;
  });
}

describe('the ring of ticket keys', () => {
  it('has no key before the first replacement', () => {
    assert.deepEqual(new TicketKeyRing().keys, []);
  });

  it('has the keys of the last replacement in their order, on all rings of the same memory', () => {
    const memory = allocateTicketKeys();
    const [writer, early] = [new TicketKeyRing(memory), new TicketKeyRing(memory)];
    for (const fills of [[1], [2, 1], [3, 2, 1], [4, 3]]) {
      writer.replace(fills.map(key));
      assert.deepEqual(fillsOf(early), fills);
      assert.deepEqual(fillsOf(writer), fills);
      assert.deepEqual(fillsOf(new TicketKeyRing(memory)), fills);
    }
  });

  it('returns the same array until the keys are replaced', () => {
    const ring = new TicketKeyRing();
    ring.replace([key(1)]);
    const before = ring.keys;
    assert.equal(ring.keys, before);
    ring.replace([key(2)]);
    assert.notEqual(ring.keys, before);
    assert.deepEqual(before, [key(1)]);
  });

  it('keeps copies: neither the given nor the returned bytes change it', () => {
    const memory = allocateTicketKeys();
    const ring = new TicketKeyRing(memory);
    const given = key(1);
    ring.replace([given]);
    given.fill(2);
    ring.keys[0]!.fill(3);
    assert.deepEqual(fillsOf(new TicketKeyRing(memory)), [1]);
  });

  it('refuses keys of another length, none, or too many, and keeps the current ones', () => {
    const ring = new TicketKeyRing();
    ring.replace([key(1)]);
    const tooMany = Array.from({ length: MAX_TICKET_KEYS + 1 }, (_, index) => key(index));
    for (const wrong of [[], tooMany, [key(2), Buffer.alloc(48)], [Buffer.alloc(81)]]) {
      assert.throws(() => ring.replace(wrong), RangeError);
    }
    assert.deepEqual(fillsOf(ring), [1]);
    ring.replace(tooMany.slice(1));
    assert.equal(ring.keys.length, MAX_TICKET_KEYS);
  });

  it('is never seen half replaced by another thread', { timeout: 60_000 }, async () => {
    const memory = allocateTicketKeys();
    const ring = new TicketKeyRing(memory);
    ring.replace([key(1)]);
    const url = new URL('../../../src/core/ticket-key-ring.ts', import.meta.url).href;
    const code = `
      const { parentPort, workerData } = require('node:worker_threads');
      import(workerData.url).then(({ TicketKeyRing }) => {
        const ring = new TicketKeyRing(workerData.memory);
        let seen = 0;
        let last = ring.keys;
        parentPort.postMessage('started');
        for (;;) {
          const { keys } = ring;
          if (keys === last) continue;
          last = keys;
          const first = keys[0][0];
          if (first === 0) break;
          seen++;
          const isWhole = keys.length === first && keys.every((key) => key.every((byte) => byte === first));
          if (!isWhole) throw new Error('half of a replacement');
        }
        parentPort.postMessage(seen);
      });`;
    const worker = new Worker(code, { eval: true, workerData: { url, memory } });
    await once(worker, 'message');
    const seen = once(worker, 'message');
    for (let round = 0; round < 500; round++) {
      const length = 1 + (round % MAX_TICKET_KEYS);
      ring.replace(Array.from({ length }, () => key(length)));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0.05);
    }
    ring.replace([key(0)]);
    const [count] = (await seen) as [number];
    assert.ok(count > 0, 'the thread has seen no replacement');
    await worker.terminate();
  });
});
