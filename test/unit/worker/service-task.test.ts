import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { MessageChannel } from 'node:worker_threads';
import { EventLoop } from '../../../src/loop/event-loop.ts';
import { Pulse } from '../../../src/protocol/pulse.ts';
import { layoutOf } from '../../../src/protocol/stats-layout.ts';
import { allocateDescriptorTable } from '../../../src/sys/descriptors/descriptor-table.ts';
import { unsupportedReason } from '../../../src/sys/support.ts';
import { SeriesDirectory } from '../../../src/telemetry/series-directory.ts';
import { allocatePage } from '../../../src/telemetry/stats-page.ts';
import { runService } from '../../../src/worker/service-task.ts';
import type { Service } from '../../../src/worker/service.ts';
import { within } from '../../support/deadline.ts';
import { config } from '../primary/fixtures/config.ts';
import { clusterState } from '../upstream/endpoints.ts';

describe("a worker's task", { skip: unsupportedReason() ?? false, timeout: 60_000 }, () => {
  it('that fails during its warm-up ends when the services of the warm-up have closed', async () => {
    const directory = new SeriesDirectory(layoutOf(config, ['l7-0']).series);
    let open = 0;
    let made = 0;
    const task = runService(
      {
        kind: 'l7',
        name: 'l7-0',
        generation: 1,
        config: { ...config, workers: { ...config.workers, warmUpMs: 60_000 } },
        series: directory.table,
        pages: [allocatePage({ size: directory.capacity })],
        page: 0,
        clusters: config.clusters.map(clusterState),
        lineWindows: new Map(),
        secret: '',
        drained: [],
        listenLock: new SharedArrayBuffer(4),
        pulse: new Pulse().memory,
        descriptors: allocateDescriptorTable(),
        descriptorPlan: null,
        port: new MessageChannel().port2,
      },
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
