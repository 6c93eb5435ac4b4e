import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { threadCpuClock } from '../../../src/sys/thread-cpu-clock.ts';

/** Keeps the CPU busy for some time. */
function work(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe('the clock of CPU time', () => {
  it('advances with the work of this thread, within its error', () => {
    const { now, maxErrorMs } = threadCpuClock();
    // Another process may have the CPU for most of an attempt.
    for (let attempt = 0; ; attempt++) {
      const wallStart = performance.now();
      const start = now();
      work(20);
      const passed = now() - start;
      const wall = performance.now() - wallStart;
      assert.ok(passed > 0 && passed <= wall + maxErrorMs, `${passed} of ${wall} ms`);
      if (passed >= 10 - maxErrorMs) return;
      assert.ok(attempt < 50, `${passed} ms of 20`);
    }
  });

  it('advances between two timer interrupts where system calls are supported', (t) => {
    const { now, maxErrorMs } = threadCpuClock();
    if (maxErrorMs > 0) {
      t.skip('no system calls');
      return;
    }
    for (let step = 0; step < 100; step++) {
      const start = now();
      work(0.1);
      assert.ok(now() > start);
    }
  });

  it('stands still while the thread sleeps', async () => {
    const { now, maxErrorMs } = threadCpuClock();
    const start = now();
    await new Promise((settle) => setTimeout(settle, 200));
    assert.ok(now() - start < 100 + maxErrorMs);
  });
});
