import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import type {
  Cluster as ClusterConfig,
  Endpoint as EndpointConfig,
} from '../../../../src/config/types/cluster.ts';
import type { Config } from '../../../../src/config/types/config.ts';
import type { ClusterMonitor } from '../../../../src/primary/clusters/cluster-monitor.ts';
import { ClusterMonitors } from '../../../../src/primary/clusters/cluster-monitors.ts';
import { Broadcast } from '../../../../src/primary/workers/broadcast.ts';
import { ClusterRecords } from '../../../../src/primary/workers/cluster-records.ts';
import type { EventFacts } from '../../../../src/protocol/admin/events.ts';
import { layoutOf } from '../../../../src/protocol/stats-layout.ts';
import type { EvictCommand, ToWorker } from '../../../../src/protocol/to-worker.ts';
import { createLogger } from '../../../../src/telemetry/primary-logger.ts';
import { pageMetrics } from '../../../../src/telemetry/metrics/page-metrics.ts';
import type { PageLayout } from '../../../../src/telemetry/page-layout.ts';
import { PageSums } from '../../../../src/telemetry/page-sums.ts';
import { SeriesDirectory } from '../../../../src/telemetry/series-directory.ts';
import { allocatePage } from '../../../../src/telemetry/stats-page.ts';
import { eventually, within } from '../../../support/deadline.ts';
import { clusterConfig, endpointConfigs } from '../../upstream/endpoints.ts';

const log = createLogger({ level: 'silent' }, { write: () => undefined });
const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** The monitors of one cluster, with workers that keep what they are told. */
class Rig {
  readonly monitors: ClusterMonitors;
  readonly told: ToWorker[][];
  readonly events: EventFacts[] = [];
  readonly #directory: SeriesDirectory;
  readonly #pages: readonly SharedArrayBuffer[];

  constructor(config: ClusterConfig, workers = 1) {
    this.#directory = new SeriesDirectory(layoutOfCluster(config).blocks);
    this.#pages = Array.from({ length: workers }, () => allocatePage({ size: this.#directory.capacity }));
    this.told = this.#pages.map(() => []);
    const workersTold = this.#pages.map((page, index) => ({
      page,
      generation: 1,
      send: (message: ToWorker) => void this.told[index]!.push(message),
    }));
    const directory = this.#directory;
    const broadcast = new Broadcast({
      roster: { serving: workersTold, everyone: workersTold },
      pages: { directory, slotsOf: () => [] },
      currentGeneration: { number: 1 },
      records: new ClusterRecords(directory),
    });
    const sums = new PageSums(directory, this.#pages);
    const report = (event: EventFacts): void => void this.events.push(event);
    this.monitors = new ClusterMonitors([config], { broadcast, pages: { directory, sums }, report }, log);
    cleanups.push(() => this.monitors.stop());
  }

  get app(): ClusterMonitor {
    return this.monitors.find('app')!;
  }

  /** Has a worker count a number of connections to an endpoint. */
  setActive(worker: number, endpoint: string, connections: number): void {
    const slot = this.#directory.slot(pageMetrics.endpointConnectionsActive, { cluster: 'app', endpoint });
    new Float64Array(this.#pages[worker]!)[slot] = connections;
  }

  get evictions(): EvictCommand[] {
    return this.told.flat().filter((message) => message.type === 'evict');
  }

  /** Makes a change that nothing is in the way of. */
  async change(config: ClusterConfig): Promise<void> {
    const change = this.monitors.prepare([config]);
    await within('the new cluster', change.ready());
    this.#directory.plan({ added: layoutOfCluster(config).blocks, removed: [] }, 2)!.commit();
    change.commit();
  }

  get states(): string[] {
    return this.app.records.map(({ health }) => health);
  }
}

function layoutOfCluster(config: ClusterConfig): PageLayout {
  // It reads no other key of a configuration.
  return layoutOf({ listeners: [], clusters: [config] } as unknown as Config, []);
}

/** An endpoint that accepts connections. */
async function listening(): Promise<EndpointConfig> {
  const server = createServer((socket) => socket.on('error', () => undefined).resume());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { address: { kind: 'tcp', host: '127.0.0.1', port }, weight: 1, maxConnections: 0 };
}

const PROBES = {
  type: 'tcp',
  path: '/',
  host: null,
  status: { min: 200, max: 399 },
  intervalMs: 60_000,
  timeoutMs: 20_000,
  rise: 2,
  fall: 3,
} as const;
const NAME: EndpointConfig = {
  address: { kind: 'tcp', host: 'app.internal', port: 80 },
  weight: 3,
  maxConnections: 0,
};

describe('a change of a cluster', () => {
  it('adds a new endpoint after its first probe, and evicts nothing although onDown is close', async () => {
    const [one, two] = [await listening(), await listening()];
    const config = clusterConfig({ healthCheck: PROBES, onDown: 'close', endpoints: [one] });
    const rig = new Rig(config);
    await within('the first probes', rig.monitors.ready());
    await rig.change({ ...config, endpoints: [one, two] });
    assert.deepEqual(rig.states, ['up', 'up']);
    assert.deepEqual(rig.evictions, []);
  });

  it('looks up a new name', async () => {
    const config = clusterConfig({ endpoints: endpointConfigs([1]) });
    const rig = new Rig(config);
    await rig.monitors.ready();
    const localhost: EndpointConfig = { ...NAME, address: { kind: 'tcp', host: 'localhost', port: 80 } };
    await rig.change({ ...config, endpoints: [localhost] });
    await eventually(() => assert.equal(rig.app.records.length, 1));
    assert.equal(rig.app.lookups.failures, 0);
  });
});

describe('the events of a cluster', () => {
  it("report an endpoint's change with its reason, and a panic", async () => {
    const rig = new Rig(clusterConfig({ endpoints: endpointConfigs([1]), panicThreshold: 0.5 }));
    await rig.monitors.ready();
    const record = rig.app.records[0]!;
    const facts = { kind: 'endpoint', cluster: 'app', endpoint: record.facts.label } as const;
    record.setDown(true, 'connect ECONNREFUSED');
    await eventually(() =>
      assert.deepEqual(rig.events, [
        { ...facts, reason: 'down', detail: 'connect ECONNREFUSED' },
        { kind: 'endpoint', reason: 'panic', cluster: 'app' },
      ]),
    );
    record.setDown(false, 'it answers again');
    await eventually(() =>
      assert.deepEqual(rig.events.slice(2), [
        { ...facts, reason: 'up', detail: 'it answers again' },
        { kind: 'endpoint', reason: 'panic_over', cluster: 'app' },
      ]),
    );
  });
});

describe('the state of a cluster', () => {
  it('is the same object until one of its endpoints changes', async () => {
    const config = clusterConfig({ endpoints: endpointConfigs([1, 1]) });
    const rig = new Rig(config);
    await rig.monitors.ready();
    const [first] = rig.monitors.states();
    const same = rig.monitors.prepare([{ ...config }]);
    assert.equal((await same.ready())[0], first);
    same.commit();
    assert.equal(rig.monitors.states()[0], first);
    rig.app.records[1]!.setDraining(true, 'drained by an operator');
    const [second] = rig.monitors.states();
    assert.notEqual(second, first);
    assert.equal(second!.endpoints[0], first!.endpoints[0]);
    assert.deepEqual(
      second!.endpoints.map(({ health }) => health),
      ['up', 'draining'],
    );
  });
});

describe('the evicted connections of a cluster', () => {
  it("are the excess over each eligible endpoint's share", async () => {
    const config = clusterConfig({ endpoints: endpointConfigs([1, 2, 1, 1]) });
    const rig = new Rig(config, 2);
    await rig.monitors.ready();
    const labels = rig.app.records.map(({ facts }) => facts.label);
    const [, , backup, down] = rig.app.records;
    // Clients that reconnect get neither.
    backup!.facts = { ...backup!.facts, priority: 1 };
    down!.setDown(true, 'its probe timed out');
    rig.setActive(0, labels[0]!, 100);
    rig.setActive(1, labels[0]!, 50);
    rig.setActive(0, labels[1]!, 30);
    assert.deepEqual(rig.monitors.rebalance(rig.app, 30), { [labels[0]!]: 90 });
    assert.deepEqual(
      rig.evictions.map(({ endpoint, count, reason }) => [endpoint, count, reason]),
      [
        [labels[0], 60, 'rebalanced'],
        [labels[0], 30, 'rebalanced'],
      ],
    );
    assert.equal(rig.monitors.evictions('app'), 90);
  });

  it('end at the requested rate, over all workers', async () => {
    const rig = new Rig(clusterConfig({ endpoints: endpointConfigs([1, 1]) }), 4);
    await rig.monitors.ready();
    const [record] = rig.app.records;
    for (let worker = 0; worker < 4; worker++) rig.setActive(worker, record!.facts.label, 25);
    assert.equal(rig.monitors.evictAll(rig.app, record!, 2, 'endpoint draining'), 100);
    assert.equal(rig.evictions.length, 4);
    const sum = rig.evictions.reduce((total, { perSecond }) => total + perSecond, 0);
    assert.ok(Math.abs(sum - 2) < 1e-9, String(sum));
  });

  it('include all connections to an endpoint that probes find down, even if it has other faults', async () => {
    const one = await listening();
    const healthCheck = { ...PROBES, intervalMs: 20, timeoutMs: 5000, fall: 1 };
    const config = clusterConfig({ healthCheck, onDown: 'close', outlier: null, endpoints: [one] });
    const rig = new Rig(config);
    await within('the first probe', rig.monitors.ready());
    const [record] = rig.app.records;
    rig.setActive(0, record!.facts.label, 3);
    record!.setEjected(true, '5 failures in a row; ejected for 30s');
    for (const cleanup of cleanups.splice(0, 1)) cleanup();
    await eventually(() =>
      assert.deepEqual(
        rig.evictions.map(({ reason }) => reason),
        ['endpoint down'],
      ),
    );
    assert.deepEqual(rig.states, ['ejected']);
  });
});
