import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Broadcast } from '../../../../src/primary/workers/broadcast.ts';
import { ClusterRecords } from '../../../../src/primary/workers/cluster-records.ts';
import { WorkerPages } from '../../../../src/primary/workers/worker-pages.ts';
import { WorkerRoster } from '../../../../src/primary/workers/worker-roster.ts';
import type { DrainScope, ToWorker } from '../../../../src/protocol/to-worker.ts';
import { pageMetrics } from '../../../../src/telemetry/metrics/page-metrics.ts';
import { clusterState } from '../../upstream/endpoints.ts';
import { config } from '../fixtures/config.ts';

const web: DrainScope = { kind: 'listener', name: 'web' };
const settings = { rate: 100, deadlineMs: 60_000, jitterMs: 0 };
const state = clusterState(config.clusters[0]!);
const label = state.endpoints[0]!.label;

class FakeWorker {
  readonly told: ToWorker[] = [];
  readonly page: SharedArrayBuffer;
  generation = 1;

  constructor(page: SharedArrayBuffer) {
    this.page = page;
  }

  send(message: ToWorker): void {
    this.told.push(message);
  }

  get orders(): string[] {
    return this.told.map(({ type }) => type);
  }
}

/** A broadcast to two workers with slots, one that leaves and one that arrives. */
function setup(): {
  readonly broadcast: Broadcast;
  readonly pages: WorkerPages;
  readonly records: ClusterRecords;
  readonly currentGeneration: { number: number };
  readonly workers: Readonly<Record<'one' | 'two' | 'leaving' | 'arriving', FakeWorker>>;
} {
  const pages = new WorkerPages(config);
  const roster = new WorkerRoster<FakeWorker>();
  const make = (): FakeWorker => new FakeWorker(pages.add());
  const workers = { one: make(), two: make(), leaving: make(), arriving: make() };
  roster.slots = [workers.one, workers.two];
  roster.addLeaving(workers.leaving);
  roster.arrive(workers.arriving);
  const currentGeneration = { number: 1 };
  const records = new ClusterRecords(pages.directory);
  return {
    broadcast: new Broadcast({ roster, pages, currentGeneration, records }),
    pages,
    records,
    currentGeneration,
    workers,
  };
}

describe('the broadcast to the workers', () => {
  it('sends drains to all workers that take connections, and to a worker that starts later', () => {
    const { broadcast, pages, workers } = setup();
    broadcast.drain(web, settings);
    const order = { type: 'drain', scope: web, pace: settings, counted: pages.slotsOf(web) };
    assert.deepEqual(workers.one.told, [order]);
    assert.deepEqual(workers.arriving.told, [order]);
    assert.deepEqual(workers.leaving.told, []);
    assert.deepEqual(broadcast.drained, [web]);
    broadcast.undrain(web);
    assert.deepEqual(workers.two.told.at(-1), { type: 'undrain', scope: web });
    assert.deepEqual(broadcast.drained, []);
  });

  it('leaves connections open in a drain with a rate of 0', () => {
    const { broadcast, workers } = setup();
    broadcast.drain(web, { ...settings, rate: 0 });
    assert.partialDeepStrictEqual(workers.one.told, [{ type: 'drain', pace: null }]);
  });

  it('publishes endpoints to each worker with the current configuration', () => {
    const { broadcast, currentGeneration, records, workers } = setup();
    currentGeneration.number = 2;
    for (const worker of [workers.two, workers.arriving]) worker.generation = 2;
    const [app] = config.clusters;
    broadcast.publish(app!, state);
    assert.deepEqual(workers.two.told, [{ type: 'cluster', record: records.of(app!, state) }]);
    assert.deepEqual(workers.arriving.orders, ['cluster']);
    assert.deepEqual([workers.one.told, workers.leaving.told], [[], []]);
  });

  it("divides evictions by each worker's connections, without losing one to rounding", () => {
    const { broadcast, pages, workers } = setup();
    const slot = pages.directory.slot(pageMetrics.endpointConnectionsActive, {
      cluster: 'app',
      endpoint: label,
    });
    for (const worker of [workers.one, workers.two, workers.leaving]) {
      new Float64Array(worker.page)[slot] = 1;
    }
    const eviction = { cluster: 'app', endpoint: label, reason: 'rebalanced' };
    assert.equal(broadcast.evict({ ...eviction, count: 2, perSecond: 10 }), true);
    const told = Object.values(workers).flatMap(({ told }) => told);
    assert.equal(told.length, 2);
    for (const order of told) {
      assert.deepEqual(order, { type: 'evict', ...eviction, count: 1, perSecond: 5 });
    }
  });

  it('evicts nothing from an endpoint without connections', () => {
    const { broadcast, workers } = setup();
    const eviction = { cluster: 'app', endpoint: label, count: 5, perSecond: 10, reason: 'rebalanced' };
    assert.equal(broadcast.evict(eviction), false);
    assert.deepEqual(
      Object.values(workers).flatMap(({ told }) => told),
      [],
    );
  });

  it('announces the current pages to everyone', () => {
    const { broadcast, workers } = setup();
    broadcast.sendPages();
    const pages = [workers.one, workers.two, workers.leaving, workers.arriving].map(({ page }) => page);
    for (const { told } of Object.values(workers)) assert.deepEqual(told, [{ type: 'pages', pages }]);
  });
});
