import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import type { Listener } from '../../../../src/config/types/listener.ts';
import { Drains } from '../../../../src/primary/control/drains.ts';
import { scopeKey, type DrainScope } from '../../../../src/protocol/to-worker.ts';
import { capture, l7Listener } from '../fixtures/config.ts';

const settings = { rate: 100, deadlineMs: 60_000, jitterMs: 0 };
const all: DrainScope = { kind: 'all' };
const web: DrainScope = { kind: 'listener', name: 'web' };
const endpoint: DrainScope = { kind: 'endpoint', cluster: 'app', name: '192.0.2.1:80' };

class FakeWorkers {
  readonly config: { listeners: readonly Listener[] } = { listeners: [l7Listener] };
  readonly calls: string[] = [];
  connections = 10;

  count(): number {
    return this.connections;
  }
  drain(scope: DrainScope, { rate }: typeof settings): void {
    this.calls.push(`drain ${scopeKey(scope)} at ${rate}`);
  }
  undrain(scope: DrainScope): void {
    this.calls.push(`undrain ${scopeKey(scope)}`);
  }
}

/** One cluster with one endpoint; tells the workers' calls what happens to it. */
function fakeClusters(calls: string[]): ConstructorParameters<typeof Drains>[1] {
  const record = {
    setDraining: (draining: boolean, reason: string) => void calls.push(`${draining}: ${reason}`),
  };
  const app = { find: (label: string) => (label === '192.0.2.1:80' ? record : undefined) };
  return { find: (cluster) => (cluster === 'app' ? app : undefined) };
}

describe('drains', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'setInterval'] }));
  afterEach(() => mock.timers.reset());

  it('report their progress, until nothing remains and after that', () => {
    const workers = new FakeWorkers();
    const { log, lines } = capture();
    const drains = new Drains(workers, fakeClusters([]), log);
    assert.deepEqual(drains.begin(web, settings), { scope: web, total: 10, remaining: 10, seconds: 0 });
    assert.deepEqual(workers.calls, ['drain listener web at 100']);
    workers.connections = 4;
    assert.partialDeepStrictEqual(drains.progress, [{ total: 10, remaining: 4 }]);
    workers.connections = 0;
    mock.timers.tick(1000);
    assert.equal(lines.filter(({ msg }) => msg === 'drained').length, 1);
    mock.timers.tick(10_000);
    assert.equal(lines.filter(({ msg }) => msg === 'drained').length, 1);
    assert.partialDeepStrictEqual(drains.progress, [{ scope: web, remaining: 0 }]);
    drains.stop();
  });

  it('of everything are announced first, and can be cancelled or accelerated during that time', () => {
    const workers = new FakeWorkers();
    const drains = new Drains(workers, fakeClusters([]), capture().log);
    drains.begin(all, settings, 5000);
    assert.equal(drains.ofAll, true);
    mock.timers.tick(4999);
    assert.deepEqual(workers.calls, []);
    assert.equal(drains.progress[0]!.seconds, 0);
    assert.equal(drains.cancel(all), true);
    mock.timers.tick(10_000);
    assert.deepEqual(workers.calls, ['undrain all']);
    assert.equal(drains.ofAll, false);

    drains.begin(all, settings, 5000);
    mock.timers.tick(5000);
    assert.deepEqual(workers.calls.slice(1), ['drain all at 100']);
    // The drain has been announced already: other settings hold at once.
    drains.begin(all, { ...settings, rate: 500 }, 5000);
    assert.deepEqual(workers.calls.slice(2), ['drain all at 500']);
    drains.stop();
  });

  it('cannot be cancelled without a drain, and end for unconfigured scopes', () => {
    const workers = new FakeWorkers();
    const { log, lines } = capture();
    const drains = new Drains(workers, fakeClusters([]), log);
    assert.equal(drains.cancel(web), false);
    drains.begin(web, settings);
    drains.begin(endpoint, settings);
    workers.config.listeners = [];
    drains.endUnknown();
    assert.deepEqual(
      drains.progress.map(({ scope }) => scope),
      [endpoint],
    );
    assert.deepEqual(workers.calls.at(-1), 'undrain listener web');
    assert.equal(lines.at(-1)?.msg, 'drain ended: the scope is no longer configured');
    drains.stop();
  });

  it('do not start once they are stopped', () => {
    const workers = new FakeWorkers();
    const drains = new Drains(workers, fakeClusters([]), capture().log);
    drains.begin(all, settings, 5000);
    drains.stop();
    mock.timers.tick(10_000);
    assert.deepEqual(workers.calls, []);
  });

  it('mark an endpoint before the workers get the command, so that it gets no new work', () => {
    const workers = new FakeWorkers();
    const drains = new Drains(workers, fakeClusters(workers.calls), capture().log);
    drains.begin(endpoint, settings);
    assert.deepEqual(workers.calls.splice(0), [
      'true: drained by an operator',
      `drain ${scopeKey(endpoint)} at 100`,
    ]);
    drains.cancel(endpoint);
    assert.deepEqual(workers.calls, ['false: undrained by an operator', `undrain ${scopeKey(endpoint)}`]);
    drains.stop();
  });

  it('require a configured scope', () => {
    const workers = new FakeWorkers();
    const drains = new Drains(workers, fakeClusters([]), capture().log);
    const scopes: DrainScope[] = [all, web, endpoint, { kind: 'cluster', name: 'app' }];
    assert.deepEqual(
      scopes.map((scope) => drains.has(scope)),
      [true, true, true, true],
    );
    assert.equal(drains.has({ kind: 'listener', name: 'app' }), false);
    assert.equal(drains.has({ kind: 'cluster', name: 'web' }), false);
    assert.equal(drains.has({ ...endpoint, name: '192.0.2.2:80' }), false);
    assert.equal(drains.has({ ...endpoint, cluster: 'web' }), false);
  });
});
