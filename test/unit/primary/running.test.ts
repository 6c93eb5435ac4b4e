import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StartError } from '../../../src/core/errors.ts';
import { Lifecycle } from '../../../src/primary/control/lifecycle.ts';
import { Running } from '../../../src/primary/running.ts';
import { config } from './fixtures/config.ts';

const GRACE_MS = 5000;

/** Every part of a primary: notes its calls, and does not finish those that the test holds. */
class FakeParts {
  readonly calls: string[] = [];
  readonly lifecycle = new Lifecycle();
  readonly slots: { readonly name: string; state: 'up' | 'ended' | 'stuck' }[] = [
    { name: 'l7-0', state: 'up' },
    { name: 'l7-1', state: 'up' },
  ];
  readonly running: Running;
  problem: string | null = null;
  /** How often the admin address is still in use. */
  occupied = 0;
  readonly #held = new Map<string, PromiseWithResolvers<null>>();

  constructor({ predecessor = false } = {}) {
    const problem = (): string | null => this.problem;
    this.running = new Running({
      config,
      lifecycle: this.lifecycle,
      claim: {
        release: () => this.#note('claim.release'),
        free: () => this.#note('claim.free'),
      },
      predecessor: predecessor ? { handOver: () => this.#step('predecessor.handOver') } : null,
      supervisor: {
        config,
        generation: 1,
        slots: this.slots,
        leftBehind: { count: 0 },
        get problem() {
          return problem();
        },
        start: () => this.#step('supervisor.start'),
        end: async ({ graceMs, successors }) => {
          await this.#step(`supervisor.end ${graceMs} ${successors}`);
          return true;
        },
      },
      clusters: {
        ready: () => this.#step('clusters.ready'),
        stop: () => this.#note('clusters.stop'),
      },
      drains: { stop: () => this.#note('drains.stop') },
      reloader: {
        reload: async (cause) => {
          await this.#step(`reload: ${cause}`);
          return { generation: 2, problem: null, needsRestart: [] };
        },
      },
      admin: {
        listen: async (address) => {
          await this.#step('admin.listen');
          if (this.occupied-- > 0) throw new Error('the address is in use');
          return { ...address, port: 9901 };
        },
        close: () => this.#step('admin.close'),
      },
      keySets: {
        start: () => this.#step('keySets.start'),
        stop: () => this.#note('keySets.stop'),
      },
      eventWatch: { start: () => undefined, stop: () => undefined },
      redis: { start: () => undefined, stop: () => Promise.resolve() },
      spans: {
        stop: () => this.#step('spans.stop'),
        hurry: () => this.#note('spans.hurry'),
      },
      taps: { stop: (reason) => this.#step(`taps.stop: ${reason}`) },
      passwords: {
        close: () => {
          this.#note('passwords.close');
          return Promise.resolve();
        },
      },
      revocations: {
        inherit: () => this.#note('revocations.inherit'),
        close: () => {
          this.#note('revocations.close');
          return Promise.resolve();
        },
      },
      watch: {
        start: (onChange) => {
          this.#note('watch.start');
          this.changeFile = onChange;
        },
        stop: () => this.#note('watch.stop'),
      },
    });
  }

  changeFile: () => Promise<unknown> = () => assert.fail('the files are not watched');

  /** Keeps a call from finishing until the test lets it. */
  hold(call: string): PromiseWithResolvers<null> {
    const held = Promise.withResolvers<null>();
    this.#held.set(call, held);
    return held;
  }

  end(graceMs = GRACE_MS, handOver = false): Promise<boolean> {
    this.lifecycle.end();
    return this.running.end({ graceMs, handOver });
  }

  /** The calls since the last look. */
  takeCalls(): string[] {
    return this.calls.splice(0);
  }

  #note(call: string): void {
    this.calls.push(call);
  }

  async #step(call: string): Promise<void> {
    this.#note(call);
    await this.#held.get(call)?.promise;
  }
}

/** Lets everything happen that waits for nothing else. */
function settle(): Promise<unknown> {
  return new Promise(setImmediate);
}

describe('the start of the primary', () => {
  it('lets workers listen once the clusters are known, and only then releases the addresses', async () => {
    const parts = new FakeParts();
    const started = await parts.running.start();
    assert.deepEqual(parts.takeCalls(), [
      'admin.listen',
      'clusters.ready',
      'keySets.start',
      'claim.release',
      'supervisor.start',
      'claim.free',
      'watch.start',
    ]);
    assert.equal(parts.lifecycle.state, 'ready');
    assert.deepEqual([started.admin.port, started.generation, started.workers], [9901, 1, ['l7-0', 'l7-1']]);
    await parts.changeFile();
    assert.deepEqual(parts.takeCalls(), ['reload: file change']);
  });

  it('takes over the admin address when its workers listen and it is free', async () => {
    const parts = new FakeParts({ predecessor: true });
    parts.occupied = 2;
    await parts.running.start();
    assert.deepEqual(parts.takeCalls(), [
      'clusters.ready',
      'keySets.start',
      'claim.release',
      'supervisor.start',
      'claim.free',
      'predecessor.handOver',
      'revocations.inherit',
      'admin.listen',
      'admin.listen',
      'admin.listen',
      'watch.start',
    ]);
  });

  it('frees the addresses if a worker does not start, and ends the others on request', async () => {
    const parts = new FakeParts();
    const start = parts.hold('supervisor.start');
    const started = assert.rejects(parts.running.start(), /worker l7-0 did not start/);
    await settle();
    start.reject(new StartError('worker l7-0 did not start'));
    await started;
    assert.equal(parts.calls.at(-1), 'claim.free');
    assert.equal(parts.lifecycle.state, 'starting');
    parts.takeCalls();
    assert.equal(await parts.end(0), true);
    assert.deepEqual(parts.takeCalls(), [
      'drains.stop',
      'watch.stop',
      'supervisor.end 0 null',
      'supervisor.end 0 null',
      'clusters.stop',
      'keySets.stop',
      'passwords.close',
      'revocations.close',
      'spans.stop',
      'taps.stop: the proxy has ended',
      'admin.close',
    ]);
  });

  it('keeps its announced end if it becomes ready later', async () => {
    const parts = new FakeParts();
    parts.lifecycle.announceEnd();
    await parts.running.start();
    assert.equal(parts.lifecycle.state, 'draining');
  });
});

describe('the end of the primary', () => {
  it('ends the workers, then their clusters and the admin server', async () => {
    const parts = new FakeParts();
    await parts.running.start();
    parts.takeCalls();
    const workers = parts.hold(`supervisor.end ${GRACE_MS} null`);
    const ended = parts.end();
    await settle();
    assert.equal(parts.calls.includes('admin.close'), false, 'the admin server shows the drain');
    workers.resolve(null);
    assert.equal(await ended, true);
    assert.deepEqual(parts.calls.slice(-7), [
      'clusters.stop',
      'keySets.stop',
      'passwords.close',
      'revocations.close',
      'spans.stop',
      'taps.stop: the proxy has ended',
      'admin.close',
    ]);
  });

  it('is accelerated by a shorter grace period, but not delayed by a longer one', async () => {
    const parts = new FakeParts();
    await parts.running.start();
    const workers = parts.hold(`supervisor.end ${GRACE_MS} null`);
    const ended = parts.end();
    assert.equal(parts.end(1000), ended);
    void parts.end(60_000);
    const graces = parts.calls.filter((call) => call.startsWith('supervisor.end'));
    assert.deepEqual(graces.slice(0, 3), [
      `supervisor.end ${GRACE_MS} null`,
      'supervisor.end 1000 null',
      'supervisor.end 1000 null',
    ]);
    workers.resolve(null);
    assert.equal(await ended, true);
  });

  it('waits less for the last spans only on a second request', async () => {
    for (const graces of [
      [GRACE_MS, 0],
      [0, GRACE_MS],
    ]) {
      const parts = new FakeParts();
      await parts.running.start();
      const spans = parts.hold('spans.stop');
      const ended = parts.end(graces[0]);
      await settle();
      assert.equal(parts.calls.at(-1), 'spans.stop');
      assert.equal(parts.calls.includes('spans.hurry'), false);
      void parts.end(graces[1]);
      assert.equal(parts.calls.includes('spans.hurry'), true);
      spans.resolve(null);
      assert.equal(await ended, true);
    }
  });

  it('leaves the admin address at once to a process that takes over', async () => {
    const parts = new FakeParts();
    await parts.running.start();
    parts.takeCalls();
    const workers = parts.hold(`supervisor.end ${GRACE_MS} process`);
    const ended = parts.end(GRACE_MS, true);
    await settle();
    const said = parts.calls.indexOf('taps.stop: another process takes over');
    assert.ok(said >= 0 && said < parts.calls.indexOf('admin.close'));
    workers.resolve(null);
    assert.equal(await ended, true);
  });

  it('stops a start between two steps, and stops what has been started', async () => {
    const parts = new FakeParts();
    const clusters = parts.hold('clusters.ready');
    const started = assert.rejects(parts.running.start(), /^StartError: stopped before it was ready$/);
    await settle();
    const ended = parts.end(0);
    await settle();
    assert.equal(parts.calls.includes('clusters.stop'), false, 'it waits for the start');
    clusters.resolve(null);
    await started;
    assert.equal(await ended, true);
    assert.equal(parts.calls.includes('supervisor.start'), false);
    assert.equal(parts.calls.includes('claim.free'), true);
    assert.deepEqual(parts.calls.slice(-8), [
      'supervisor.end 0 null',
      'clusters.stop',
      'keySets.stop',
      'passwords.close',
      'revocations.close',
      'spans.stop',
      'taps.stop: the proxy has ended',
      'admin.close',
    ]);
  });

  it('ends starting workers, instead of waiting until they listen', async () => {
    const parts = new FakeParts();
    const start = parts.hold('supervisor.start');
    const started = assert.rejects(parts.running.start(), /stopped before it was ready/);
    await settle();
    const ended = parts.end(0);
    assert.equal(parts.calls.at(-1), 'supervisor.end 0 null');
    start.reject(new StartError('worker l7-0 was stopped before it was ready'));
    await started;
    assert.equal(await ended, true);
  });
});

describe('the running primary', () => {
  it('names the workers that have not ended, except stuck ones', () => {
    const parts = new FakeParts();
    assert.deepEqual(parts.running.workers, ['l7-0', 'l7-1']);
    parts.slots[0]!.state = 'stuck';
    parts.slots[1]!.state = 'ended';
    assert.deepEqual(parts.running.workers, []);
  });

  it('is unhealthy only while it should serve', async () => {
    const parts = new FakeParts();
    parts.problem = 'no l7 worker is up';
    assert.equal(parts.running.unhealthy, null, 'it starts');
    await parts.running.start();
    assert.equal(parts.running.unhealthy, 'no l7 worker is up');
    await parts.end(0);
    assert.equal(parts.running.unhealthy, null, 'it has ended');
  });
});
