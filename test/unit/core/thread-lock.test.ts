import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { ThreadLock } from '../../../src/core/thread-lock.ts';

const THREADS = 4;
const TURNS = 2000;
const MODULE = new URL('../../../src/core/thread-lock.ts', import.meta.url).href;

/** Adds to a number that it reads and writes in two steps, which is wrong without a lock. */
const CODE = `
  const { workerData: { lock, value, module, turns } } = require('node:worker_threads');
  import(module).then(({ ThreadLock }) => {
    const own = new ThreadLock(lock);
    const words = new Int32Array(value);
    for (let turn = 0; turn < turns; turn++) {
      own.hold(() => {
        const before = words[0];
        for (let wait = 0; wait < 50; wait++) words[1] = wait;
        words[0] = before + 1;
      });
    }
  });
`;

describe('a lock over threads', { timeout: 300_000 }, () => {
  it('is held by one thread at a time', async () => {
    const lock = new SharedArrayBuffer(4);
    const value = new SharedArrayBuffer(8);
    const workers = Array.from(
      { length: THREADS },
      () => new Worker(CODE, { eval: true, workerData: { lock, value, module: MODULE, turns: TURNS } }),
    );
    await Promise.all(workers.map((worker) => once(worker, 'exit')));
    assert.equal(new Int32Array(value)[0], THREADS * TURNS);
  });

  it('is free after an exception, and returns the result', () => {
    const memory = new SharedArrayBuffer(4);
    const lock = new ThreadLock(memory);
    assert.throws(
      () =>
        lock.hold(() => {
          throw new Error('within');
        }),
      /within/,
    );
    assert.equal(
      lock.hold(() => 7),
      7,
    );
  });

  it('is taken over from a terminated thread, which does not release it', async () => {
    const memory = new SharedArrayBuffer(4);
    const code = `
      const { parentPort, workerData: { lock, module } } = require('node:worker_threads');
      import(module).then(({ ThreadLock }) => {
        new ThreadLock(lock).hold(() => {
          parentPort.postMessage('held');
          for (;;);
        });
      });
    `;
    const holder = new Worker(code, { eval: true, workerData: { lock: memory, module: MODULE } });
    await once(holder, 'message');
    await holder.terminate();
    const lock = new ThreadLock(memory, 20);
    assert.equal(
      lock.hold(() => new Int32Array(memory)[0]),
      1,
    );
    assert.equal(new Int32Array(memory)[0], 0);
  });

  it('that was taken over stays with its new holder', () => {
    const memory = new SharedArrayBuffer(4);
    const words = new Int32Array(memory);
    new ThreadLock(memory).hold(() => void (words[0] = 77));
    assert.equal(words[0], 77);
  });
});
