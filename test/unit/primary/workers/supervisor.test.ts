import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { StartError } from '../../../../src/core/errors.ts';
import { pageMetrics } from '../../../../src/telemetry/metrics/page-metrics.ts';
import { clusterState } from '../../upstream/endpoints.ts';
import { config as everything, l4Listener, until, workers } from '../fixtures/config.ts';
import { dial, slotOf, supervise } from '../fixtures/supervised.ts';

describe('the supervisor', { timeout: 300_000 }, () => {
  it('sends workers the whole rate of a drain, which they divide among themselves', async () => {
    const { supervisor, workerLines } = await supervise(workers('obedient'));
    await supervisor.start();
    const told = (order: string): unknown[] =>
      workerLines().flatMap((line) =>
        line.msg === order ? [(line as unknown as { pace: unknown }).pace] : [],
      );
    const settings = { rate: 12, deadlineMs: 5000, jitterMs: 7 };
    supervisor.drain({ kind: 'listener', name: 'web' }, settings);
    await until(() => told('told to drain').length === 3, 'all are told');
    assert.deepEqual(told('told to drain'), [settings, settings, settings]);
    assert.equal(await supervisor.restart('l7-0'), true);
    await until(() => told('told to end').length === 1, 'one is told');
    assert.deepEqual(told('told to end'), [everything.drain]);
    await supervisor.end({ graceMs: 100, drain: everything.drain, successors: null });
  });

  it('starts the workers of both kinds on the same ports and ends them', async () => {
    const { supervisor, config, lines, workerLines } = await supervise(workers('obedient'));
    await supervisor.start();
    assert.deepEqual(
      supervisor.slots.map(({ name, kind, state, restarts }) => [name, kind, state, restarts]),
      [
        ['l7-0', 'l7', 'up', 0],
        ['l7-1', 'l7', 'up', 0],
        ['l4-0', 'l4', 'up', 0],
      ],
    );
    const web = await dial(config, 'web');
    const tcp = await dial(config, 'tcp');
    assert.match(web.worker, /^l7-[01]$/);
    assert.equal(tcp.worker, 'l4-0');
    web.socket.destroy();
    tcp.socket.destroy();
    assert.equal(await supervisor.end({ graceMs: 0, drain: null, successors: null }), true);
    assert.deepEqual(
      supervisor.slots.map(({ state }) => state),
      ['ended', 'ended', 'ended'],
    );
    const said = workerLines().map(({ worker, msg }) => `${worker} ${msg}`);
    for (const { name } of supervisor.slots) {
      assert.deepEqual(
        said.filter((line) => line.startsWith(name)),
        [`${name} worker listens`, `${name} told to end`, `${name} worker ends`],
      );
    }
    assert.deepEqual(lines, []);
  });

  it('has no workers of a kind without a listener', async () => {
    const { supervisor } = await supervise(
      workers('missing'),
      {},
      { ...everything, listeners: [l4Listener] },
    );
    await supervisor.start();
    assert.deepEqual(
      supervisor.slots.map(({ name }) => name),
      ['l4-0'],
    );
    assert.equal(await supervisor.end({ graceMs: 0, drain: null, successors: null }), true);
  });

  it('replaces a worker that fails, and disturbs no other', async () => {
    const { supervisor, config, lines } = await supervise(workers('obedient'));
    await supervisor.start();
    const { socket } = await dial(config, 'tcp');
    const { sums } = supervisor;
    const total = { metric: pageMetrics.connections, labels: { listener: 'web' } };
    // Enough that with all but certainty both have some.
    const counted = new Set<string>();
    for (let index = 0; index < 200 && counted.size < 2; index++) {
      const { socket: one, worker } = await dial(config, 'web');
      counted.add(worker);
      one.destroy();
    }
    const before = sums.value(total.metric, total.labels);
    assert.equal(supervisor.injectFault('l7-0', { type: 'fault' }), true);
    await until(() => slotOf(supervisor, 'l7-0').restarts === 1, 'it is restarted');
    await until(() => slotOf(supervisor, 'l7-0').state === 'up', 'it is up again');
    assert.ok(sums.value(total.metric, total.labels) >= before, 'a counter never goes back');
    assert.deepEqual(
      lines.map(({ level, worker, msg }) => [level, worker, msg]),
      [
        ['error', 'l7-0', 'worker failed'],
        ['info', 'l7-0', 'worker is up again'],
      ],
    );
    assert.equal(lines[0]?.err?.message, 'l7-0 was told to fail');
    assert.match(lines[0].err.stack ?? '', /obedient-worker\.ts/);
    for (const name of ['l7-1', 'l4-0']) {
      assert.equal(slotOf(supervisor, name).restarts, 0);
      assert.equal(slotOf(supervisor, name).state, 'up');
    }
    assert.equal(socket.readyState, 'open', 'a connection of another worker is still there');
    socket.destroy();
    assert.equal(await supervisor.end({ graceMs: 0, drain: null, successors: null }), true);
  });

  it('clears the gauges of a worker that failed', async () => {
    const { supervisor } = await supervise(workers('mortal'), {
      backoff: { firstMs: 60_000, maxMs: 60_000 },
    });
    await supervisor.start();
    const page = new Float64Array(supervisor.slots[0]!.page);
    const gauge = supervisor.directory.slot(pageMetrics.connectionsActive, { listener: 'web' });
    const counter = supervisor.directory.slot(pageMetrics.connections, { listener: 'web' });
    page[gauge] = 5;
    page[counter] = 7;
    supervisor.injectFault('l7-0', { type: 'fault' });
    await until(() => slotOf(supervisor, 'l7-0').state === 'waiting', 'it waits');
    assert.deepEqual([page[gauge], page[counter]], [0, 7]);
    assert.equal(
      await supervisor.end({ graceMs: 0, drain: null, successors: null }),
      true,
      'nor is one that waits for its start in the way of a drain',
    );
  });

  it('replaces a worker whose thread has died, each time', async () => {
    const { supervisor, lines } = await supervise(workers('mortal'));
    await supervisor.start();
    for (let times = 1; times <= 3; times++) {
      supervisor.injectFault('l7-1', { type: 'fault' });
      await until(() => slotOf(supervisor, 'l7-1').restarts === times, 'it is restarted');
      await until(() => slotOf(supervisor, 'l7-1').state === 'up', 'it is up again');
    }
    assert.deepEqual(
      lines.filter(({ level }) => level === 'error').map(({ err }) => err?.message),
      Array<string>(3).fill('l7-1 was told to die'),
    );
    assert.equal(await supervisor.end({ graceMs: 0, drain: null, successors: null }), true);
  });

  it('ignores an unknown worker', async () => {
    const { supervisor } = await supervise(workers('obedient'));
    assert.equal(supervisor.injectFault('l7-2', { type: 'fault' }), false);
  });

  it('does not start if a worker refuses, and gives the reason in one line', async () => {
    const { supervisor, workerLines } = await supervise(workers('obedient', 'refusing'));
    await assert.rejects(supervisor.start(), (error) => {
      assert.ok(error instanceof StartError);
      assert.equal(error.message, 'worker l4-0 did not start: no such certificate');
      return true;
    });
    assert.equal(await supervisor.end({ graceMs: 0, drain: null, successors: null }), true);
    assert.ok(workerLines().filter(({ msg }) => msg === 'worker ends').length <= 2);
  });

  it('does not start if a worker file cannot be loaded', async () => {
    const { supervisor } = await supervise(workers('missing'));
    await assert.rejects(
      supervisor.start(),
      /^StartError: worker l7-[01] did not start: .*missing-worker\.ts/,
    );
    assert.equal(await supervisor.end({ graceMs: 0, drain: null, successors: null }), true);
  });

  it('stops waiting for a worker that never listens', async () => {
    const { supervisor } = await supervise(workers('silent'), { startMs: 100, firstStartMs: 200 });
    await assert.rejects(supervisor.start(), /^StartError: worker l[47]-[01] did not listen within 0\.2 s$/);
    assert.equal(await supervisor.end({ graceMs: 0, drain: null, successors: null }), true);
  });

  it('gives connections their grace period, and a second drain cuts it short', async () => {
    const { supervisor, config } = await supervise(workers('obedient'));
    await supervisor.start();
    const { socket, worker } = await dial(config, 'web');
    const drained = supervisor.end({ graceMs: 60_000, drain: null, successors: null });
    const others = supervisor.slots.filter(({ name }) => name !== worker);
    await until(() => others.every(({ state }) => state === 'ended'), 'the idle workers have ended');
    assert.equal(slotOf(supervisor, worker).state, 'draining');
    assert.equal(socket.readyState, 'open');
    const closed = once(socket, 'close');
    void supervisor.end({ graceMs: 0, drain: null, successors: null });
    assert.equal(await drained, true);
    await closed;
  });

  it('does not restart a worker that fails while it drains', async () => {
    const { supervisor, config, lines } = await supervise(workers('obedient'));
    await supervisor.start();
    const { worker } = await dial(config, 'web');
    const drained = supervisor.end({ graceMs: 60_000, drain: null, successors: null });
    supervisor.injectFault(worker, { type: 'fault' });
    assert.equal(await drained, true);
    assert.equal(slotOf(supervisor, worker).restarts, 0);
    assert.deepEqual(
      lines.map(({ level, msg }) => [level, msg]),
      [['error', 'worker failed during its drain']],
    );
  });

  it('gives up on workers that do not end, and leaves them alone', async () => {
    const { supervisor } = await supervise(workers('stubborn'), { drainSlackMs: 50 });
    await supervisor.start();
    assert.equal(await supervisor.end({ graceMs: 0, drain: null, successors: null }), false);
    assert.equal(slotOf(supervisor, 'l7-0').state, 'draining');
    // The workers end by themselves; until then nothing may touch their threads.
    await Promise.all(supervisor.slots.map(({ ended }) => ended));
  });

  it('does not report a worker as failed if it is stopped while it is added', async () => {
    const { supervisor, config, lines } = await supervise(workers('obedient'));
    await supervisor.start();
    const more = { ...config, workers: { ...config.workers, l7: 3 } };
    const reloaded = supervisor.reload(more, config.clusters.map(clusterState), () => undefined);
    await until(() => supervisor.slots.length === 4, 'a worker is added');
    assert.equal(slotOf(supervisor, 'l7-2').state, 'starting');
    assert.equal(await supervisor.end({ graceMs: 0, drain: null, successors: null }), true);
    await reloaded;
    assert.deepEqual(lines, []);
  });

  it('can be stopped while it starts', async () => {
    const { supervisor } = await supervise(workers('silent'));
    const started = supervisor.start();
    const rejected = assert.rejects(started, /stopped before it was ready/);
    assert.equal(await supervisor.end({ graceMs: 0, drain: null, successors: null }), true);
    await rejected;
  });

  it('can be stopped before it starts', async () => {
    const { supervisor } = await supervise(workers('obedient'));
    assert.equal(await supervisor.end({ graceMs: 0, drain: null, successors: null }), true);
    await assert.rejects(supervisor.start(), /stopped before it was ready/);
  });
});
