import assert from 'node:assert/strict';
import { afterEach, describe, it, mock } from 'node:test';
import { EventLoop } from '../../../../src/loop/event-loop.ts';
import type { WorkerStart } from '../../../../src/protocol/to-worker.ts';
import { unsupportedReason } from '../../../../src/sys/support.ts';
import type { Service } from '../../../../src/worker/service.ts';
import { warmUp } from '../../../../src/worker/warm-up/warm-up.ts';
import { config } from '../../primary/fixtures/config.ts';
import { workerStart } from '../fixtures/worker-start.ts';

function startOf(warmUpMs: number): WorkerStart {
  return workerStart('l7', { ...config, workers: { ...config.workers, warmUpMs } });
}

/** Warms up with services that fail to listen, for 300 ms of a clock that only moves while a service is made. */
async function warm(makingMs: readonly number[]): Promise<{ made: number; listened: number; open: number }> {
  let now = 1000;
  mock.method(performance, 'now', () => now);
  const seen = { made: 0, listened: 0, open: 0 };
  const complete = await warmUp(startOf(300), () => {
    now += makingMs[seen.made++] ?? 0;
    seen.open++;
    const listen = (): Promise<never> => {
      seen.listened++;
      return Promise.reject(new Error('no address'));
    };
    const innerLoop = Object.create(EventLoop.prototype) as EventLoop;
    return { innerLoop, listen, abort: () => seen.open-- } as unknown as Service;
  });
  assert.equal(complete, 0);
  return seen;
}

describe('a warm-up', { skip: unsupportedReason() ?? false, timeout: 60_000 }, () => {
  afterEach(() => mock.restoreAll());

  it('uses three services in turn', async () => {
    assert.deepEqual(await warm([10, 10, 10]), { made: 3, listened: 3, open: 0 });
  });

  it('ends after the step that used up its time', async () => {
    assert.deepEqual(await warm([5000]), { made: 1, listened: 0, open: 0 });
  });

  it('skips a service whose time is used up', async () => {
    assert.deepEqual(await warm([220, 10, 10]), { made: 2, listened: 1, open: 0 });
  });

  it('does not wait for workers that open or close listening sockets', async () => {
    const start = startOf(60_000);
    const locks: unknown[] = [];
    await warmUp(start, (_, { listenLock }) => {
      locks.push(listenLock);
      throw new Error('made in vain');
    });
    assert.ok(locks.length > 0);
    assert.ok(!locks.includes(start.listenLock));
  });
});
