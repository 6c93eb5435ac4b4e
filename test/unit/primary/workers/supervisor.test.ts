import assert from 'node:assert/strict';
import { clusterState } from '../../upstream/endpoints.ts';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { after, describe, it } from 'node:test';
import type { Config } from '../../../../src/config/types/config.ts';
import { StartError } from '../../../../src/core/errors.ts';
import { claimAddresses } from '../../../../src/primary/process/address-claim.ts';
import { Supervisor } from '../../../../src/primary/workers/supervisor.ts';
import type { SupervisorTimings } from '../../../../src/primary/workers/supervisor.ts';
import type { WorkerFiles } from '../../../../src/primary/workers/worker-threads.ts';
import type { WorkerSlot } from '../../../../src/primary/workers/worker-slot.ts';
import { pageMetrics } from '../../../../src/telemetry/names.ts';
import { capture, config as everything, l4Listener, timings, until, workers } from '../fixtures/config.ts';
import type { LogLine } from '../fixtures/config.ts';
import { thaw } from '../fixtures/freezing-worker.ts';

interface Setup {
  readonly supervisor: Supervisor;
  readonly config: Config;
  /** What the supervisor has logged. */
  readonly lines: LogLine[];
  /** What the workers have logged. */
  readonly workerLines: () => LogLine[];
}

async function setup(
  workerFiles: WorkerFiles,
  changes: Partial<SupervisorTimings> = {},
  wanted: Config = everything,
): Promise<Setup> {
  const claim = await claimAddresses(wanted.listeners);
  claim.free();
  const config = { ...wanted, listeners: claim.listeners };
  const { log, lines } = capture();
  let text = '';
  const supervisor = new Supervisor({
    config,
    generation: 1,
    log,
    onLines: (more) => void (text += more),
    onEndpointFailed: () => undefined,
    clusterStates: () => config.clusters.map(clusterState),
    workerFiles,
    timings: { ...timings, ...changes },
  });
  const workerLines = (): LogLine[] =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as LogLine);
  return { supervisor, config, lines, workerLines };
}

function slotOf(supervisor: Supervisor, name: string): WorkerSlot {
  return supervisor.slots.find((slot) => slot.name === name)!;
}

/** Connects and reads the name of the worker that got the connection. */
async function dial(config: Config, listener: string): Promise<{ socket: Socket; worker: string }> {
  const { address } = config.listeners.find(({ name }) => name === listener)!;
  const socket = connect(address.port, address.host);
  socket.on('error', () => undefined);
  const [data] = (await once(socket, 'data')) as [Buffer];
  return { socket, worker: data.toString().trim() };
}

describe('the supervisor', { timeout: 300_000 }, () => {
  it('tells workers the whole rate of a drain, which they divide between those that take part', async () => {
    const { supervisor, workerLines } = await setup(workers('obedient'));
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
    await supervisor.end({ graceMs: 100, drain: everything.drain, heirs: null });
  });

  it('starts the workers of both kinds on the same ports and ends them', async () => {
    const { supervisor, config, lines, workerLines } = await setup(workers('obedient'));
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
    assert.equal(await supervisor.end({ graceMs: 0, drain: null, heirs: null }), true);
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
    const { supervisor } = await setup(workers('missing'), {}, { ...everything, listeners: [l4Listener] });
    await supervisor.start();
    assert.deepEqual(
      supervisor.slots.map(({ name }) => name),
      ['l4-0'],
    );
    assert.equal(await supervisor.end({ graceMs: 0, drain: null, heirs: null }), true);
  });

  it('replaces a worker that fails, and disturbs no other', async () => {
    const { supervisor, config, lines } = await setup(workers('obedient'));
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
    assert.equal(supervisor.harm('l7-0', { type: 'fault' }), true);
    await until(() => slotOf(supervisor, 'l7-0').restarts === 1, 'it is started anew');
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
    assert.equal(await supervisor.end({ graceMs: 0, drain: null, heirs: null }), true);
  });

  it('clears the gauges of a worker that failed', async () => {
    const { supervisor } = await setup(workers('mortal'), { backoff: { first: 60_000, most: 60_000 } });
    await supervisor.start();
    const page = new Float64Array(supervisor.slots[0]!.page);
    const gauge = supervisor.directory.slot(pageMetrics.connectionsActive, { listener: 'web' });
    const counter = supervisor.directory.slot(pageMetrics.connections, { listener: 'web' });
    page[gauge] = 5;
    page[counter] = 7;
    supervisor.harm('l7-0', { type: 'fault' });
    await until(() => slotOf(supervisor, 'l7-0').state === 'waiting', 'it waits');
    assert.deepEqual([page[gauge], page[counter]], [0, 7]);
    assert.equal(
      await supervisor.end({ graceMs: 0, drain: null, heirs: null }),
      true,
      'nor is one that waits for its start in the way of a drain',
    );
  });

  it('replaces a worker whose thread has died, again and again', async () => {
    const { supervisor, lines } = await setup(workers('mortal'));
    await supervisor.start();
    for (let times = 1; times <= 3; times++) {
      supervisor.harm('l7-1', { type: 'fault' });
      await until(() => slotOf(supervisor, 'l7-1').restarts === times, 'it is started anew');
      await until(() => slotOf(supervisor, 'l7-1').state === 'up', 'it is up again');
    }
    assert.deepEqual(
      lines.filter(({ level }) => level === 'error').map(({ err }) => err?.message),
      Array<string>(3).fill('l7-1 was told to die'),
    );
    assert.equal(await supervisor.end({ graceMs: 0, drain: null, heirs: null }), true);
  });

  it('knows no worker that is not there', async () => {
    const { supervisor } = await setup(workers('obedient'));
    assert.equal(supervisor.harm('l7-2', { type: 'fault' }), false);
  });

  it('does not start where a worker refuses, and says why in one line', async () => {
    const { supervisor, workerLines } = await setup(workers('obedient', 'refusing'));
    await assert.rejects(supervisor.start(), (error) => {
      assert.ok(error instanceof StartError);
      assert.equal(error.message, 'worker l4-0 did not start: no such certificate');
      return true;
    });
    assert.equal(await supervisor.end({ graceMs: 0, drain: null, heirs: null }), true);
    assert.ok(workerLines().filter(({ msg }) => msg === 'worker ends').length <= 2);
  });

  it('does not start where a worker file cannot be loaded', async () => {
    const { supervisor } = await setup(workers('missing'));
    await assert.rejects(
      supervisor.start(),
      /^StartError: worker l7-[01] did not start: .*missing-worker\.ts/,
    );
    assert.equal(await supervisor.end({ graceMs: 0, drain: null, heirs: null }), true);
  });

  it('does not wait for ever for a worker that never listens', async () => {
    const { supervisor } = await setup(workers('silent'), { startMs: 200 });
    await assert.rejects(supervisor.start(), /^StartError: worker l[47]-[01] does not listen after 0\.2 s$/);
    assert.equal(await supervisor.end({ graceMs: 0, drain: null, heirs: null }), true);
  });

  it('gives connections their grace, and a second drain takes it away', async () => {
    const { supervisor, config } = await setup(workers('obedient'));
    await supervisor.start();
    const { socket, worker } = await dial(config, 'web');
    const drained = supervisor.end({ graceMs: 60_000, drain: null, heirs: null });
    const others = supervisor.slots.filter(({ name }) => name !== worker);
    await until(() => others.every(({ state }) => state === 'ended'), 'the idle workers have ended');
    assert.equal(slotOf(supervisor, worker).state, 'draining');
    assert.equal(socket.readyState, 'open');
    const closed = once(socket, 'close');
    void supervisor.end({ graceMs: 0, drain: null, heirs: null });
    assert.equal(await drained, true);
    await closed;
  });

  it('starts no worker anew that fails while it drains', async () => {
    const { supervisor, config, lines } = await setup(workers('obedient'));
    await supervisor.start();
    const { worker } = await dial(config, 'web');
    const drained = supervisor.end({ graceMs: 60_000, drain: null, heirs: null });
    supervisor.harm(worker, { type: 'fault' });
    assert.equal(await drained, true);
    assert.equal(slotOf(supervisor, worker).restarts, 0);
    assert.deepEqual(
      lines.map(({ level, msg }) => [level, msg]),
      [['error', 'worker failed while it drained']],
    );
  });

  it('gives up on workers that do not end, and leaves them alone', async () => {
    const { supervisor } = await setup(workers('stubborn'), { drainSlackMs: 50 });
    await supervisor.start();
    assert.equal(await supervisor.end({ graceMs: 0, drain: null, heirs: null }), false);
    assert.equal(slotOf(supervisor, 'l7-0').state, 'draining');
    // They end by themselves; until then their threads are not to be touched.
    await Promise.all(supervisor.slots.map(({ ended }) => ended));
  });

  it('takes no worker for failed that is stopped while it is added', async () => {
    const { supervisor, config, lines } = await setup(workers('obedient'));
    await supervisor.start();
    const more = { ...config, workers: { ...config.workers, l7: 3 } };
    const reloaded = supervisor.reload(more, 2, config.clusters.map(clusterState), () => undefined);
    await until(() => supervisor.slots.length === 4, 'a worker is added');
    assert.equal(slotOf(supervisor, 'l7-2').state, 'starting');
    assert.equal(await supervisor.end({ graceMs: 0, drain: null, heirs: null }), true);
    await reloaded;
    assert.deepEqual(lines, []);
  });

  it('is stopped while it starts', async () => {
    const { supervisor } = await setup(workers('silent'));
    const started = supervisor.start();
    const rejected = assert.rejects(started, /stopped before it was ready/);
    assert.equal(await supervisor.end({ graceMs: 0, drain: null, heirs: null }), true);
    await rejected;
  });

  it('is stopped before it starts', async () => {
    const { supervisor } = await setup(workers('obedient'));
    assert.equal(await supervisor.end({ graceMs: 0, drain: null, heirs: null }), true);
    await assert.rejects(supervisor.start(), /stopped before it was ready/);
  });
});

describe('the supervision of workers that stick', { timeout: 300_000 }, () => {
  const quick: Config = { ...everything, workers: { ...everything.workers, stuckAfterMs: 1000 } };
  const ending = { graceMs: 0, drain: null, heirs: null };

  const supervisors: Supervisor[] = [];

  async function start(
    l7: 'freezing' | 'obedient',
    l4: 'freezing' | 'obedient' | 'late',
    changes: Partial<Config> = {},
  ): Promise<Setup> {
    // Only those that freeze beat.
    const made = await setup(workers(l7, l4), {}, { ...quick, ...changes });
    supervisors.push(made.supervisor);
    await made.supervisor.start();
    return made;
  }

  // A thread that is left behind would keep this process from ending.
  after(async () => {
    for (const { leftBehind } of supervisors) {
      for (const { pulse } of leftBehind.slots) if (pulse !== null) thaw(pulse);
      await until(() => leftBehind.count === 0, 'the frozen threads have ended');
    }
  });

  function isReplaced(supervisor: Supervisor, name: string, restarts = 1): Promise<void> {
    return until(() => {
      const slot = slotOf(supervisor, name);
      return slot.state === 'up' && slot.restarts === restarts;
    }, `${name} is replaced`);
  }

  const l7Only = { listeners: [everything.listeners[0]!] };
  const l4Only = { listeners: [l4Listener] };

  it('replaces one at layer 7, leaves its thread behind, and does not count what it counted twice', async () => {
    const { supervisor, lines } = await start('freezing', 'obedient', l7Only);
    const stuck = slotOf(supervisor, 'l7-0');
    const active = supervisor.directory.slot(pageMetrics.connectionsActive, { listener: 'web' });
    const total = supervisor.directory.slot(pageMetrics.connections, { listener: 'web' });
    const values = new Float64Array(stuck.page);
    values[active] = 3;
    values[total] = 5;
    supervisor.harm('l7-0', { type: 'freeze', forMs: 3_600_000 });
    await isReplaced(supervisor, 'l7-0');
    assert.equal(stuck.state, 'stuck');
    assert.deepEqual(supervisor.leftBehind.slots, [stuck]);
    assert.equal(supervisor.leftBehind.total('l7-0'), 1);
    assert.deepEqual([supervisor.sums.at(active), supervisor.sums.at(total)], [0, 5]);
    assert.deepEqual([supervisor.problem, supervisor.hopeless], [null, null]);
    assert.deepEqual(
      lines.filter(({ level }) => level === 'error').map(({ msg, worker }) => `${worker} ${msg}`),
      ['l7-0 worker is stuck'],
    );
    // It ends in time, and the thread stays for a hard exit.
    assert.equal(await supervisor.end(ending), true);
    assert.equal(supervisor.leftBehind.count, 1);
  });

  it('drains one that turns again, and adds what it counted meanwhile', async () => {
    const { supervisor } = await start('freezing', 'obedient', l7Only);
    const stuck = slotOf(supervisor, 'l7-0');
    const total = supervisor.directory.slot(pageMetrics.connections, { listener: 'web' });
    const values = new Float64Array(stuck.page);
    values[total] = 5;
    supervisor.harm('l7-0', { type: 'freeze', forMs: 4000 });
    await isReplaced(supervisor, 'l7-0');
    values[total] = 7;
    new Float64Array(slotOf(supervisor, 'l7-0').page)[total] = 100;
    assert.equal(supervisor.sums.at(total), 105);
    await stuck.ended;
    await until(() => supervisor.leftBehind.count === 0, 'nothing is left behind');
    assert.equal(supervisor.sums.at(total), 107);
    assert.equal(await supervisor.end(ending), true);
  });

  it('terminates the thread of one at layer 4', async () => {
    const { supervisor, lines } = await start('obedient', 'freezing', l4Only);
    const stuck = slotOf(supervisor, 'l4-0');
    supervisor.harm('l4-0', { type: 'freeze', forMs: 3_600_000 });
    await isReplaced(supervisor, 'l4-0');
    await stuck.ended;
    await until(() => supervisor.leftBehind.count === 0, 'nothing is left behind');
    assert.ok(lines.some(({ msg }) => msg === 'worker thread has been terminated'));
    assert.equal(await supervisor.end(ending), true);
  });

  it('is not well while the only worker of its kind is stuck', async () => {
    const { supervisor } = await start('obedient', 'freezing', l4Only);
    supervisor.harm('l4-0', { type: 'freeze', forMs: 3_600_000 });
    await until(() => supervisor.problem !== null, 'it is noticed');
    assert.equal(supervisor.problem, 'no l4 worker is up');
    assert.equal(supervisor.hopeless, null);
    await until(() => supervisor.problem === null, 'it is replaced');
    assert.equal(await supervisor.end(ending), true);
  });

  it('replaces no more where too many threads are left behind, and goes on when one has ended', async () => {
    const { supervisor, lines } = await start('freezing', 'obedient', l7Only);
    supervisor.harm('l7-0', { type: 'freeze', forMs: 3_600_000 });
    supervisor.harm('l7-1', { type: 'freeze', forMs: 10_000 });
    await Promise.all([isReplaced(supervisor, 'l7-0'), isReplaced(supervisor, 'l7-1')]);
    assert.equal(supervisor.problem, null);
    supervisor.harm('l7-0', { type: 'freeze', forMs: 3_600_000 });
    await until(() => supervisor.hopeless !== null, 'there are too many');
    assert.equal(supervisor.leftBehind.count, 3);
    assert.equal(supervisor.hopeless, 'too many threads are left behind, not replaced: l7-0');
    assert.equal(supervisor.problem, 'not up: l7-0');
    // The second turns again, and ends.
    await isReplaced(supervisor, 'l7-0', 2);
    assert.equal(supervisor.leftBehind.count, 2);
    assert.deepEqual([supervisor.problem, supervisor.hopeless], [null, null]);
    const complaints = lines.filter(
      ({ msg }) => msg === 'too many threads are left behind: restart the process',
    );
    assert.equal(complaints.length, 1);
    assert.equal(await supervisor.end(ending), true);
  });

  it('replaces one at layer 4, however many threads of layer 7 are left behind', async () => {
    const { supervisor } = await start('freezing', 'freezing');
    for (const name of ['l7-0', 'l7-1']) supervisor.harm(name, { type: 'freeze', forMs: 3_600_000 });
    await Promise.all([isReplaced(supervisor, 'l7-0'), isReplaced(supervisor, 'l7-1')]);
    assert.equal(supervisor.leftBehind.count, 2);
    supervisor.harm('l4-0', { type: 'freeze', forMs: 3_600_000 });
    await isReplaced(supervisor, 'l4-0');
    assert.deepEqual([supervisor.problem, supervisor.hopeless], [null, null]);
    assert.equal(await supervisor.end(ending), true);
  });

  it('leaves the sockets of one alone until the worker listens that a restart brings', async (context) => {
    const { supervisor, config } = await start('obedient', 'late', l4Only);
    await supervisor.reload({ ...config }, 2, config.clusters.map(clusterState), () => undefined);
    const replacements: (Promise<unknown> | null)[] = [];
    const { leftBehind } = supervisor;
    const add = leftBehind.add.bind(leftBehind);
    context.mock.method(leftBehind, 'add', (...[slot, leaving]: Parameters<typeof add>) => {
      const replace = (): Promise<unknown> | null => {
        const replacement = leaving.replace();
        replacements.push(replacement);
        return replacement;
      };
      add(slot, { ...leaving, replace });
    });
    const restarted = assert.rejects(supervisor.restart('l4-0'), /stopped before it was ready/);
    supervisor.harm('l4-0', { type: 'freeze', forMs: 3_600_000 });
    await until(() => replacements.length > 0, 'it is noticed');
    assert.ok(replacements[0] instanceof Promise);
    const rejected = assert.rejects(replacements[0], /stopped before it was ready/);
    assert.equal(await supervisor.end(ending), true);
    await Promise.all([restarted, rejected]);
  });

  it('lets a reload pass that waits for one', async () => {
    const { supervisor, config } = await start('freezing', 'obedient', l7Only);
    supervisor.harm('l7-0', { type: 'freeze', forMs: 3_600_000 });
    await supervisor.reload({ ...config }, 2, config.clusters.map(clusterState), () => undefined);
    await isReplaced(supervisor, 'l7-0');
    assert.equal(slotOf(supervisor, 'l7-0').generation, 2);
    assert.equal(slotOf(supervisor, 'l7-1').generation, 2);
    // The number of workers follows, whoever is left behind.
    const fewer = { ...config, workers: { ...config.workers, l7: 1 } };
    await supervisor.reload(fewer, 3, config.clusters.map(clusterState), () => undefined);
    await until(() => supervisor.leaving.length === 0, 'the other has ended');
    assert.equal(supervisor.slots.length, 1);
    assert.equal(await supervisor.end(ending), true);
  });

  it('lets a restart pass that waits for one to drain', async () => {
    const { supervisor } = await start('freezing', 'obedient', l7Only);
    const stuck = slotOf(supervisor, 'l7-0');
    supervisor.harm('l7-0', { type: 'freeze', forMs: 3_600_000 });
    assert.equal(await supervisor.restart('l7-0'), true);
    await until(() => supervisor.leftBehind.count === 1, 'it is noticed');
    assert.equal(stuck.state, 'stuck');
    assert.deepEqual(supervisor.leaving, []);
    assert.equal(slotOf(supervisor, 'l7-0').state, 'up');
    assert.equal(slotOf(supervisor, 'l7-0').restarts, 1);
    assert.equal(await supervisor.end(ending), true);
  });

  it('notices one while all end, and waits for it no longer', async () => {
    const { supervisor } = await start('freezing', 'obedient', l7Only);
    supervisor.harm('l7-0', { type: 'freeze', forMs: 3_600_000 });
    const startedAt = performance.now();
    assert.equal(await supervisor.end({ ...ending, graceMs: 3_600_000 }), true);
    assert.ok(performance.now() - startedAt < 60_000);
    assert.equal(supervisor.leftBehind.count, 1);
    assert.equal(slotOf(supervisor, 'l7-0').restarts, 0);
  });
});
