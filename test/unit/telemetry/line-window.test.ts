import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { LineWindow, allocateLineWindow } from '../../../src/telemetry/line-window.ts';

const NOW = 1_800_000_000;

describe('the lines of a second', () => {
  it('are limited across all windows on the same memory, until the next second', () => {
    const memory = allocateLineWindow();
    const windows = [new LineWindow(memory, 3), new LineWindow(memory, 3)];
    const takes = (second: number): boolean[] => [0, 1, 0, 1, 0].map((index) => windows[index]!.take(second));
    assert.deepEqual(takes(NOW), [true, true, true, false, false]);
    assert.deepEqual(takes(NOW + 1), [true, true, true, false, false]);
    assert.equal(windows[0]!.collectAll(), 4);
  });

  it('are allowed again after the clock jumps, and after the state wraps around', () => {
    const window = new LineWindow(allocateLineWindow(), 1);
    for (const second of [0, NOW, 2 ** 20 - 1, 2 ** 20, 2 ** 32 + 5, 1]) {
      assert.deepEqual([window.take(second), window.take(second)], [true, false], String(second));
    }
  });

  it('are reported by one thread per second', () => {
    const memory = allocateLineWindow();
    const [first, second] = [new LineWindow(memory, 1), new LineWindow(memory, 1)];
    assert.equal(first.collect(0), 0);
    for (let lines = 0; lines < 5; lines++) first.take(0);
    assert.deepEqual([first.collect(0), second.collect(0)], [4, 0]);
    second.take(0);
    assert.deepEqual([first.collect(0), second.collect(0)], [null, null]);
    assert.equal(second.collect(1), 1);
  });

  it('are counted exactly if threads ask concurrently', { timeout: 60_000 }, async () => {
    const memory = allocateLineWindow();
    const url = new URL('../../../src/telemetry/line-window.ts', import.meta.url).href;
    const code = `
      const { parentPort, workerData } = require('node:worker_threads');
      import(workerData.url).then(({ LineWindow }) => {
        const window = new LineWindow(workerData.memory, 1000);
        let taken = 0;
        for (let line = 0; line < 5000; line++) if (window.take(${NOW})) taken++;
        parentPort.postMessage(taken);
      });`;
    const taken = await Promise.all(
      [0, 1, 2].map(
        () =>
          new Promise<number>((resolve, reject) => {
            const worker = new Worker(code, { eval: true, workerData: { url, memory } });
            worker.once('message', resolve);
            worker.once('error', reject);
          }),
      ),
    );
    assert.equal(
      taken.reduce((sum, count) => sum + count),
      1000,
    );
    assert.equal(new LineWindow(memory, 1000).collectAll(), 14_000);
  });
});
