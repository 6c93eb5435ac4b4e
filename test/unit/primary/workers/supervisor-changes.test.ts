import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Config } from '../../../../src/config/types/config.ts';
import type { DrainScope } from '../../../../src/protocol/to-worker.ts';
import { clusterState } from '../../upstream/endpoints.ts';
import { config, until } from '../fixtures/config.ts';
import { superviseFakes, type FakeTask } from '../fixtures/fake-threads.ts';

const clusters = config.clusters.map(clusterState);
const AT_ONCE = { graceMs: 0, drain: null, successors: null };
const web: DrainScope = { kind: 'listener', name: 'web' };

function withWorkers(l7: number): Config {
  return { ...config, workers: { ...config.workers, l7 } };
}

function names(tasks: readonly { readonly name: string }[]): string[] {
  return tasks.map(({ name }) => name);
}

/** Returns the order to end that a worker got. */
function endOf({ told }: FakeTask): object {
  return told.find(({ type }) => type === 'end') ?? assert.fail('it was not told to end');
}

function orders({ told }: FakeTask): string[] {
  return told.map(({ type }) => type);
}

describe('a change of the configuration in all workers', () => {
  it('is dropped by all if one of them refuses it', async () => {
    const { supervisor, threads } = superviseFakes();
    await supervisor.start();
    threads.tasks[1]!.problem = 'no such certificate';
    const onCommit = (): void => assert.fail('committed');
    await assert.rejects(
      supervisor.reload(withWorkers(5), clusters, onCommit),
      /^StartError: worker l7-1: no such certificate$/,
    );
    assert.deepEqual([supervisor.generation, supervisor.slots.length], [1, 3]);
    await supervisor.end(AT_ONCE);
    for (const { told } of threads.tasks) {
      const settled = told.find(({ type }) => type === 'settle');
      assert.deepEqual(settled, { type: 'settle', generation: 2, commit: false });
    }
  });

  it('adjusts the number of workers, and keeps the others', async () => {
    const { supervisor, threads } = superviseFakes();
    await supervisor.start();
    await supervisor.reload(withWorkers(3), clusters, () => undefined);
    assert.deepEqual(names(supervisor.slots), ['l7-0', 'l7-1', 'l7-2', 'l4-0']);
    assert.deepEqual(names(threads.tasks), ['l7-0', 'l7-1', 'l4-0', 'l7-2']);
    assert.equal(threads.tasks[3]!.start.generation, 2);
    await supervisor.reload(withWorkers(1), clusters, () => undefined);
    assert.deepEqual(names(supervisor.slots), ['l7-0', 'l4-0']);
    await until(() => supervisor.leaving.length === 0, 'the others have ended');
    const ended = threads.tasks.filter((task) => orders(task).includes('end'));
    assert.deepEqual(names(ended), ['l7-1', 'l7-2']);
    for (const task of ended) {
      assert.partialDeepStrictEqual(endOf(task), { successors: 'siblings', pace: config.drain });
    }
    await supervisor.end(AT_ONCE);
  });

  it('waits for the previous change', async () => {
    const { supervisor, threads } = superviseFakes();
    await supervisor.start();
    const committed: number[] = [];
    await Promise.all(
      [2, 3].map((generation) => supervisor.reload(config, clusters, () => committed.push(generation))),
    );
    assert.deepEqual(committed, [2, 3]);
    await supervisor.end(AT_ONCE);
    assert.deepEqual(orders(threads.tasks[0]!), ['prepare', 'settle', 'prepare', 'settle', 'end']);
  });
});

describe('a restart of a worker', () => {
  it('drains the old one when the new one listens, not before', async () => {
    const { supervisor, threads } = superviseFakes();
    await supervisor.start();
    threads.listens = false;
    const [old] = supervisor.slots;
    const restarted = supervisor.restart('l7-0');
    await until(() => threads.tasks.length === 4, 'another one starts');
    assert.equal(supervisor.slots[0], old);
    threads.tasks[3]!.listen();
    assert.equal(await restarted, true);
    const [fresh] = supervisor.slots;
    assert.deepEqual([fresh!.name, fresh!.restarts, fresh!.state], ['l7-0', 1, 'up']);
    assert.equal(old!.state, 'ended');
    assert.partialDeepStrictEqual(endOf(threads.tasks[0]!), { successors: 'newest' });
    assert.deepEqual(supervisor.leaving, []);
    await supervisor.end(AT_ONCE);
  });

  it('keeps the old one if the new one does not start', async () => {
    const { supervisor, threads } = superviseFakes();
    await supervisor.start();
    threads.listens = false;
    const restarted = assert.rejects(supervisor.restart('l7-0'), /worker l7-0 did not start: no memory/);
    await until(() => threads.tasks.length === 4, 'another one starts');
    threads.tasks[3]!.end(new Error('no memory'));
    await restarted;
    assert.deepEqual([supervisor.slots[0]!.state, supervisor.slots[0]!.restarts], ['up', 0]);
    assert.equal(orders(threads.tasks[0]!).includes('end'), false);
    await until(() => supervisor.leaving.length === 0, 'the new one is forgotten');
    await supervisor.end(AT_ONCE);
  });

  it('sends the new worker the drains and endpoints that change while it starts', async () => {
    const { supervisor, broadcast, threads } = superviseFakes();
    await supervisor.start();
    threads.listens = false;
    const restarted = supervisor.restart('l7-0');
    await until(() => threads.tasks.length === 4, 'another one starts');
    const [, , , fresh] = threads.tasks;
    assert.deepEqual([fresh!.start.drained, fresh!.start.clusters.length], [[], 1]);
    supervisor.drain(web, config.drain);
    broadcast.publish(config.clusters[0]!, clusters[0]!);
    fresh!.listen();
    await restarted;
    assert.deepEqual(
      orders(fresh!).filter((order) => order !== 'pages'),
      ['drain', 'cluster'],
    );
    await supervisor.end(AT_ONCE);
  });

  it('does nothing for an unknown worker, or while all end', async () => {
    const { supervisor, threads } = superviseFakes();
    await supervisor.start();
    assert.equal(await supervisor.restart('l7-9'), false);
    await supervisor.end(AT_ONCE);
    assert.equal(await supervisor.restart('l7-0'), false);
    assert.equal(threads.tasks.length, 3);
  });
});

describe('a worker that starts', () => {
  it('gets the current drains and endpoints', async () => {
    const { supervisor, threads, states } = superviseFakes();
    supervisor.drain(web, config.drain);
    states.current = [];
    await supervisor.start();
    for (const { start } of threads.tasks) {
      assert.deepEqual([start.drained, start.clusters, start.generation], [[web], [], 1]);
    }
    const [first] = threads.tasks;
    assert.equal(first!.start.pages[first!.start.page], supervisor.slots[0]!.page);
    assert.equal(first!.start.pages.length, 3);
    await supervisor.end(AT_ONCE);
  });
});

describe('the end of all workers', () => {
  it('closes the threads when the last task has ended', async () => {
    const { supervisor, threads } = superviseFakes();
    await supervisor.start();
    for (const task of threads.tasks) task.obeys = false;
    const ended = supervisor.end({ graceMs: 60_000, drain: null, successors: null });
    await until(() => threads.tasks.every((task) => orders(task).includes('end')), 'all are told');
    for (const task of threads.tasks.slice(1)) task.end();
    await new Promise(setImmediate);
    assert.equal(threads.isClosed, false);
    threads.tasks[0]!.end();
    assert.equal(await ended, true);
    assert.equal(threads.isClosed, true);
  });
});
