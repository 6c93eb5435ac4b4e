import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { EventLoop } from '../../../src/loop/event-loop.ts';
import { unsupportedReason } from '../../../src/sys/support.ts';
import { runService } from '../../../src/worker/service-task.ts';
import type { Service } from '../../../src/worker/service.ts';
import { within } from '../../support/deadline.ts';
import { config } from '../primary/fixtures/config.ts';
import { workerStart } from './fixtures/worker-start.ts';

describe("a worker's task", { skip: unsupportedReason() ?? false, timeout: 60_000 }, () => {
  it("that fails during its warm-up ends after the warm-up's services are closed", async () => {
    let open = 0;
    let made = 0;
    const task = runService(
      workerStart('l7', { ...config, workers: { ...config.workers, warmUpMs: 60_000 } }),
      () => {
        open++;
        if (made++ === 0) {
          // The task's own handler: the test runner has one, too.
          const fail = process.listeners('uncaughtException').at(-1)!;
          fail(new Error('broken'), 'uncaughtException');
        }
        const innerLoop = Object.create(EventLoop.prototype) as EventLoop;
        const listen = (): Promise<never> => delay(50).then(() => assert.fail('listens late, and in vain'));
        return { innerLoop, listen, abort: () => open-- } as unknown as Service;
      },
    );
    await within('the end of the task', assert.rejects(task, /broken/));
    assert.deepEqual([made, open], [3, 0]);
  });
});
