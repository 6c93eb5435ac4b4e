import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { WorkerRestarts } from '../../../../src/primary/control/worker-restarts.ts';
import { capture } from '../fixtures/config.ts';

/** Workers whose restarts end when a test says so. */
class FakeWorkers {
  readonly slots = ['l7-0', 'l7-1', 'l4-0'].map((name) => ({ name }));
  readonly begun: string[] = [];
  #last = Promise.withResolvers<boolean>();

  restart(name: string): Promise<boolean> {
    this.begun.push(name);
    this.#last = Promise.withResolvers();
    return this.#last.promise;
  }

  /** Ends the restart that was begun last. @param found whether the worker was still there */
  async finish(found = true): Promise<void> {
    this.#last.resolve(found);
    await turn();
  }

  async fail(reason: string): Promise<void> {
    this.#last.reject(new Error(reason));
    await turn();
  }
}

describe('restarts of workers', () => {
  let workers: FakeWorkers;
  let restarts: WorkerRestarts;
  let messages: () => string[];

  beforeEach(() => {
    workers = new FakeWorkers();
    const { log, lines } = capture();
    restarts = new WorkerRestarts(workers, log);
    messages = () => lines.map(({ worker, msg }) => `${String(worker)}: ${msg}`);
  });

  it('restart all workers, each after the previous one was replaced', async () => {
    assert.ok(restarts.request(null));
    await turn();
    assert.deepEqual(workers.begun, ['l7-0']);
    await workers.finish();
    assert.deepEqual(workers.begun, ['l7-0', 'l7-1']);
    await workers.finish();
    await workers.finish();
    assert.deepEqual(workers.begun, ['l7-0', 'l7-1', 'l4-0']);
    assert.equal(messages().filter((line) => line.endsWith('worker restarted')).length, 3);
  });

  it('restart one worker by its name, and refuse an unknown name', async () => {
    assert.ok(!restarts.request('l7-9'));
    assert.ok(restarts.request('l4-0'));
    await turn();
    assert.deepEqual(workers.begun, ['l4-0']);
  });

  it('wait for earlier restarts', async () => {
    restarts.request('l7-0');
    restarts.request('l7-1');
    await turn();
    assert.deepEqual(workers.begun, ['l7-0']);
    await workers.finish();
    assert.deepEqual(workers.begun, ['l7-0', 'l7-1']);
  });

  it('stop at a worker whose restart fails, and continue with the next command', async () => {
    restarts.request(null);
    restarts.request('l4-0');
    await turn();
    await workers.fail('no memory');
    assert.deepEqual(workers.begun, ['l7-0', 'l4-0']);
    assert.ok(messages().includes('l7-0: worker restart failed'));
  });

  it('log nothing about a worker that was removed before its turn', async () => {
    restarts.request('l7-0');
    await turn();
    await workers.finish(false);
    assert.deepEqual(messages(), ['l7-0: restarting worker']);
  });
});
