import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { Config } from '../../../../../src/config/types/config.ts';
import type { Supervisor } from '../../../../../src/primary/workers/supervisor.ts';
import { pageMetrics } from '../../../../../src/telemetry/metrics/page-metrics.ts';
import { clusterState } from '../../../upstream/endpoints.ts';
import { config as everything, l4Listener, until, workers } from '../../fixtures/config.ts';
import { thaw } from '../../fixtures/freezing-worker.ts';
import { slotOf, supervise, type Supervised } from '../../fixtures/supervised.ts';

describe('the supervision of workers that stick', { timeout: 300_000, concurrency: 4 }, () => {
  const quick: Config = { ...everything, workers: { ...everything.workers, stuckAfterMs: 1000 } };
  const ending = { graceMs: 0, drain: null, successors: null };

  const supervisors: Supervisor[] = [];

  async function start(
    l7: 'freezing' | 'obedient',
    l4: 'freezing' | 'obedient' | 'late',
    changes: Partial<Config> = {},
  ): Promise<Supervised> {
    // Only those that freeze beat.
    const made = await supervise(workers(l7, l4), {}, { ...quick, ...changes });
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

  it('replaces one at layer 7, leaves its thread behind, and counts nothing twice', async () => {
    const { supervisor, lines } = await start('freezing', 'obedient', l7Only);
    const stuck = slotOf(supervisor, 'l7-0');
    const active = supervisor.directory.slot(pageMetrics.connectionsActive, { listener: 'web' });
    const total = supervisor.directory.slot(pageMetrics.connections, { listener: 'web' });
    const values = new Float64Array(stuck.page);
    values[active] = 3;
    values[total] = 5;
    supervisor.injectFault('l7-0', { type: 'freeze', forMs: 3_600_000 });
    await isReplaced(supervisor, 'l7-0');
    assert.equal(stuck.state, 'stuck');
    assert.deepEqual(supervisor.leftBehind.slots, [stuck]);
    assert.equal(supervisor.leftBehind.total('l7-0'), 1);
    assert.deepEqual([supervisor.sums.at(active), supervisor.sums.at(total)], [0, 5]);
    assert.deepEqual([supervisor.problem, supervisor.unrecoverable], [null, null]);
    assert.deepEqual(
      lines.filter(({ level }) => level === 'error').map(({ msg, worker }) => `${worker} ${msg}`),
      ['l7-0 worker is stuck'],
    );
    // It ends in time, and the thread stays for a hard exit.
    assert.equal(await supervisor.end(ending), true);
    assert.equal(supervisor.leftBehind.count, 1);
  });

  it('drains one that turns again, and adds its counts since then', async () => {
    const { supervisor } = await start('freezing', 'obedient', l7Only);
    const stuck = slotOf(supervisor, 'l7-0');
    const total = supervisor.directory.slot(pageMetrics.connections, { listener: 'web' });
    const values = new Float64Array(stuck.page);
    values[total] = 5;
    supervisor.injectFault('l7-0', { type: 'freeze', forMs: 3_600_000 });
    await isReplaced(supervisor, 'l7-0');
    assert.deepEqual(supervisor.leftBehind.slots, [stuck]);
    values[total] = 7;
    new Float64Array(slotOf(supervisor, 'l7-0').page)[total] = 100;
    assert.equal(supervisor.sums.at(total), 105);
    thaw(stuck.pulse!);
    await stuck.ended;
    await until(() => supervisor.leftBehind.count === 0, 'nothing is left behind');
    assert.equal(supervisor.sums.at(total), 107);
    assert.equal(await supervisor.end(ending), true);
  });

  it('terminates the thread of one at layer 4', async () => {
    const { supervisor, lines } = await start('obedient', 'freezing', l4Only);
    const stuck = slotOf(supervisor, 'l4-0');
    supervisor.injectFault('l4-0', { type: 'freeze', forMs: 3_600_000 });
    await isReplaced(supervisor, 'l4-0');
    await stuck.ended;
    await until(() => supervisor.leftBehind.count === 0, 'nothing is left behind');
    assert.ok(lines.some(({ msg }) => msg === 'worker thread terminated'));
    assert.equal(await supervisor.end(ending), true);
  });

  it('reports a problem while the only worker of its kind is stuck', async () => {
    const { supervisor } = await start('obedient', 'freezing', l4Only);
    supervisor.injectFault('l4-0', { type: 'freeze', forMs: 3_600_000 });
    await until(() => supervisor.problem !== null, 'it is noticed');
    assert.equal(supervisor.problem, 'no l4 worker is up');
    assert.equal(supervisor.unrecoverable, null);
    await until(() => supervisor.problem === null, 'it is replaced');
    assert.equal(await supervisor.end(ending), true);
  });

  it('replaces no more while too many threads are left behind, and continues when one has ended', async () => {
    const { supervisor, lines } = await start('freezing', 'obedient', l7Only);
    supervisor.injectFault('l7-0', { type: 'freeze', forMs: 3_600_000 });
    const second = slotOf(supervisor, 'l7-1');
    supervisor.injectFault('l7-1', { type: 'freeze', forMs: 3_600_000 });
    await Promise.all([isReplaced(supervisor, 'l7-0'), isReplaced(supervisor, 'l7-1')]);
    assert.equal(supervisor.problem, null);
    supervisor.injectFault('l7-0', { type: 'freeze', forMs: 3_600_000 });
    await until(() => supervisor.unrecoverable !== null, 'there are too many');
    assert.equal(supervisor.leftBehind.count, 3);
    assert.equal(supervisor.unrecoverable, 'too many stuck threads, not replaced: l7-0');
    assert.equal(supervisor.problem, 'not up: l7-0');
    // The second turns again, and ends.
    thaw(second.pulse!);
    await isReplaced(supervisor, 'l7-0', 2);
    assert.equal(supervisor.leftBehind.count, 2);
    assert.deepEqual([supervisor.problem, supervisor.unrecoverable], [null, null]);
    const complaints = lines.filter(({ msg }) => msg === 'too many stuck threads: restart the process');
    assert.equal(complaints.length, 1);
    assert.equal(await supervisor.end(ending), true);
  });

  it('replaces one at layer 4, even with many layer 7 threads left behind', async () => {
    const { supervisor } = await start('freezing', 'freezing');
    for (const name of ['l7-0', 'l7-1']) supervisor.injectFault(name, { type: 'freeze', forMs: 3_600_000 });
    await Promise.all([isReplaced(supervisor, 'l7-0'), isReplaced(supervisor, 'l7-1')]);
    assert.equal(supervisor.leftBehind.count, 2);
    supervisor.injectFault('l4-0', { type: 'freeze', forMs: 3_600_000 });
    await isReplaced(supervisor, 'l4-0');
    assert.deepEqual([supervisor.problem, supervisor.unrecoverable], [null, null]);
    assert.equal(await supervisor.end(ending), true);
  });

  it('keeps the sockets of one until a restarted worker listens', async (context) => {
    const { supervisor, config } = await start('obedient', 'late', l4Only);
    await supervisor.reload({ ...config }, config.clusters.map(clusterState), () => undefined);
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
    supervisor.injectFault('l4-0', { type: 'freeze', forMs: 3_600_000 });
    await until(() => replacements.length > 0, 'it is noticed');
    assert.ok(replacements[0] instanceof Promise);
    const rejected = assert.rejects(replacements[0], /stopped before it was ready/);
    assert.equal(await supervisor.end(ending), true);
    await Promise.all([restarted, rejected]);
  });

  it('does not block a reload that waits for one', async () => {
    const { supervisor, config } = await start('freezing', 'obedient', l7Only);
    supervisor.injectFault('l7-0', { type: 'freeze', forMs: 3_600_000 });
    await supervisor.reload({ ...config }, config.clusters.map(clusterState), () => undefined);
    await isReplaced(supervisor, 'l7-0');
    assert.equal(slotOf(supervisor, 'l7-0').generation, 2);
    assert.equal(slotOf(supervisor, 'l7-1').generation, 2);
    // The number of workers follows, whichever threads are left behind.
    const fewer = { ...config, workers: { ...config.workers, l7: 1 } };
    await supervisor.reload(fewer, config.clusters.map(clusterState), () => undefined);
    await until(() => supervisor.leaving.length === 0, 'the other has ended');
    assert.equal(supervisor.slots.length, 1);
    assert.equal(await supervisor.end(ending), true);
  });

  it('does not block a restart that waits for one to drain', async () => {
    const { supervisor } = await start('freezing', 'obedient', l7Only);
    const stuck = slotOf(supervisor, 'l7-0');
    supervisor.injectFault('l7-0', { type: 'freeze', forMs: 3_600_000 });
    assert.equal(await supervisor.restart('l7-0'), true);
    await until(() => supervisor.leftBehind.count === 1, 'it is noticed');
    assert.equal(stuck.state, 'stuck');
    assert.deepEqual(supervisor.leaving, []);
    assert.equal(slotOf(supervisor, 'l7-0').state, 'up');
    assert.equal(slotOf(supervisor, 'l7-0').restarts, 1);
    assert.equal(await supervisor.end(ending), true);
  });

  it('detects one while all end, and stops waiting for it', async () => {
    const { supervisor } = await start('freezing', 'obedient', l7Only);
    supervisor.injectFault('l7-0', { type: 'freeze', forMs: 3_600_000 });
    const startedAt = performance.now();
    assert.equal(await supervisor.end({ ...ending, graceMs: 3_600_000 }), true);
    assert.ok(performance.now() - startedAt < 60_000);
    assert.equal(supervisor.leftBehind.count, 1);
    assert.equal(slotOf(supervisor, 'l7-0').restarts, 0);
  });
});
