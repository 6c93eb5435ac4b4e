import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import type { Successors } from '../../../src/protocol/to-worker.ts';
import { ServiceThread } from '../../../src/worker/service-thread.ts';
import type { Service } from '../../../src/worker/service.ts';
import { createWorkerLogger } from '../../../src/telemetry/worker-logger.ts';
import { within } from '../../support/deadline.ts';
import { config } from '../primary/fixtures/config.ts';
import { workerStart } from './fixtures/worker-start.ts';

/** A service without connections, which notes what is asked of it. */
class Idle implements Service {
  readonly innerLoop = null;
  readonly nextTurn = setImmediate;
  readonly asked: string[] = [];
  listen = (): Promise<void> => Promise.resolve();
  prepare = (): Promise<never> => Promise.reject(new Error('not asked for'));
  older = (generation: number): { connections: number; oldest: number } => ({
    connections: 0,
    oldest: generation,
  });
  liveConnections = (): [] => [];
  sessions = (): [] => [];
  closedAtEnd = (): [] => [];
  admit = (): void => undefined;
  abort = (): void => undefined;
  handOver = (from: number | null): void => void this.asked.push(`leave ${from}`);
  stop = (): void => void this.asked.push('stop');
  cancelPending = (): void => void this.asked.push('cancel');
  untilEmpty = (): Promise<void> => Promise.resolve();
}

describe('a worker that ends', { timeout: 300_000 }, () => {
  async function ending(
    act: (
      end: (successors: Successors | null, graceMs?: number) => Promise<void>,
      idle: Idle,
    ) => Promise<void>,
  ): Promise<readonly string[]> {
    const { port1, port2 } = new MessageChannel();
    const start = workerStart('l7', config, { port: port2 });
    const idle = new Idle();
    const thread = new ServiceThread(
      start,
      createWorkerLogger(config.log, 'l7-0', () => undefined),
      () => undefined,
      () => idle,
    );
    await thread.listen();
    try {
      await act(
        (successors, graceMs = 10_000) => thread.end({ type: 'end', graceMs, pace: null, successors }),
        idle,
      );
      return idle.asked;
    } finally {
      thread.close();
      port1.close();
    }
  }

  for (const [successors, from] of [
    ['process', config.workers.l7],
    ['newest', -1],
    ['siblings', null],
  ] as const) {
    it(`hands its addresses over to ${successors}, and then stops listening`, async () => {
      assert.deepEqual(await ending((end) => end(successors)), [`leave ${from}`, 'stop']);
    });
  }

  it('stops at once if nobody else listens', async () => {
    assert.deepEqual(await ending((end) => end(null)), ['stop', 'cancel']);
  });

  it('ends neither earlier because of a second command, nor after its grace period', async () => {
    await ending(async (end, { asked }) => {
      const [first, second] = [end('process'), end('process')];
      await within('its end', second);
      assert.deepEqual(asked, [`leave ${config.workers.l7}`, 'stop']);
      await first;
    });
    await ending(async (end, { asked }) => {
      void end('process');
      await end('process', 1);
      assert.deepEqual(asked, [`leave ${config.workers.l7}`]);
    });
  });
});
