/** The state that the monitor of a changed cluster takes over from the previous monitor. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import type {
  Cluster as ClusterConfig,
  HealthCheck,
  OutlierSettings,
} from '../../../../src/config/types/cluster.ts';
import { ClusterMonitor } from '../../../../src/primary/clusters/cluster-monitor.ts';
import type { EndpointRecord } from '../../../../src/primary/clusters/endpoint-record.ts';
import { createMonitorTools } from '../../../../src/primary/clusters/monitor-tools.ts';
import type { ClusterState } from '../../../../src/protocol/cluster-state.ts';
import { eventually } from '../../../support/deadline.ts';
import { clusterConfig, endpointConfigs } from '../../upstream/endpoints.ts';
import { capture } from '../fixtures/config.ts';

const OUTLIER: OutlierSettings = {
  failures: ['connect'],
  windowMs: 10_000,
  minClients: 5,
  consecutiveFailures: 2,
  ejectionMs: 1500,
  maxEjectionMs: 60_000,
  maxEjectedPercent: 100,
};
const CHECK: HealthCheck = {
  type: 'tcp',
  path: '/',
  host: null,
  status: { min: 200, max: 399 },
  intervalMs: 100,
  timeoutMs: 5000,
  rise: 1,
  fall: 1,
};

type Lookup = NonNullable<ConstructorParameters<typeof ClusterMonitor>[0]['lookup']>;

describe('a cluster that changes', { timeout: 300_000 }, () => {
  const monitors: ClusterMonitor[] = [];
  const servers: Server[] = [];
  let published: ClusterState[] = [];
  let lookup: Lookup | null = null;
  let lend: (label: string) => number | null = () => 0;
  let returnSeries: (label: string) => void = () => undefined;

  afterEach(() => {
    for (const monitor of monitors.splice(0)) monitor.stop();
    for (const server of servers.splice(0)) server.close();
    published = [];
    lookup = null;
    lend = () => 0;
    returnSeries = () => undefined;
  });

  function monitor(config: ClusterConfig, previous?: ClusterMonitor): ClusterMonitor {
    const made = new ClusterMonitor({
      config,
      owner: {
        log: capture().log,
        tools: createMonitorTools(),
        publish: (_, state) => void published.push(state),
        successes: () => ({ dials: 0, answers: 0, serverErrors: 0 }),
        leaseSeries: (_cluster, label) => lend(label),
        returnSeries: (_cluster, label) => returnSeries(label),
        wentDown: () => undefined,
        report: () => undefined,
      },
      ...(previous !== undefined && { previous }),
      ...(lookup !== null && { lookup }),
    });
    monitors.push(made);
    return made;
  }

  /** Changes it as a reload does. */
  async function change(before: ClusterMonitor, config: ClusterConfig): Promise<ClusterMonitor> {
    const next = monitor(config, before);
    await next.ready();
    next.commit();
    before.stop();
    return next;
  }

  function failDial(of: ClusterMonitor, { facts }: EndpointRecord): void {
    of.endpointFailed({ endpoint: facts.label, kind: 'connect', count: 1, client: '' });
  }

  const healthOf = ({ records }: ClusterMonitor): string[] => records.map(({ health }) => health);

  async function listening(): Promise<{ server: Server; port: number }> {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    servers.push(server);
    await new Promise((resolve) => server.once('listening', resolve));
    return { server, port: (server.address() as AddressInfo).port };
  }

  it("keeps the rest of an ejection, its count, and an operator's drain", async () => {
    const config = clusterConfig({ outlier: OUTLIER, endpoints: endpointConfigs([1, 1, 1]) });
    const first = monitor(config);
    await first.ready();
    const [one, , three] = first.records;
    for (let count = 0; count < 2; count++) failDial(first, one!);
    three!.setDraining(true, 'drained by an operator');
    const ejectedAt = performance.now();
    const second = await change(first, { ...config, retries: 5 });
    assert.deepEqual(healthOf(second), ['ejected', 'up', 'draining']);
    const { reason, since, counts } = second.records[0]!;
    assert.deepEqual([reason, since, counts.ejections], [one!.reason, one!.since, 1]);
    await eventually(() => assert.equal(second.records[0]!.health, 'up'));
    assert.ok(performance.now() - ejectedAt >= OUTLIER.ejectionMs - 50);
    // It is on probation, as it would have been.
    failDial(second, second.records[0]!);
    assert.equal(second.records[0]!.health, 'ejected');
    assert.equal(second.records[0]!.counts.ejections, 2);
  });

  it('keeps the cursor of its turns, so that a reload gives nobody two turns in a row', async () => {
    const config = clusterConfig({ endpoints: endpointConfigs([1, 1]) });
    const first = monitor(config);
    const second = await change(first, { ...config, retries: 5 });
    const third = await change(second, { ...config, retries: 6 });
    assert.equal(third.state().cursor, first.state().cursor);
  });

  it('takes over what happens between its preparation and its commit, and publishes nothing before', async () => {
    const config = clusterConfig({ outlier: OUTLIER, endpoints: endpointConfigs([1, 1]) });
    const first = monitor(config);
    await first.ready();
    const second = monitor({ ...config, retries: 5, endpoints: endpointConfigs([1, 1, 1]) }, first);
    await second.ready();
    const [one, two] = first.records;
    for (let count = 0; count < 2; count++) failDial(first, one!);
    two!.setDraining(true, 'drained by an operator');
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(published.every(({ endpoints }) => endpoints.length === 2));
    second.commit();
    first.stop();
    assert.deepEqual(
      published.at(-1)!.endpoints.map(({ health }) => health),
      ['ejected', 'draining', 'up'],
    );
  });

  it("drops an ejection without outlier detection, and a probe's verdict without probes", async () => {
    const { server, port } = await listening();
    const address = { kind: 'tcp', host: '127.0.0.1', port } as const;
    const endpoints = [{ address, weight: 1, maxConnections: 0 }];
    const probed = clusterConfig({ healthCheck: CHECK, outlier: OUTLIER, endpoints });
    const first = monitor(probed);
    await first.ready();
    assert.deepEqual(healthOf(first), ['up']);
    server.close();
    await eventually(() => assert.deepEqual(healthOf(first), ['down']));
    const { probes } = first.records[0]!.counts;

    const alike = await change(first, { ...probed, retries: 5 });
    assert.deepEqual(healthOf(alike), ['down']);
    assert.ok(alike.records[0]!.counts.probes >= probes);
    await eventually(() => assert.ok(alike.records[0]!.counts.probes > probes + 1, 'probed further on'));

    for (let count = 0; count < 2; count++) failDial(alike, alike.records[0]!);
    assert.deepEqual(healthOf(alike), ['ejected']);
    const bare = await change(alike, clusterConfig({ endpoints }));
    assert.deepEqual(healthOf(bare), ['up']);
  });

  it('needs as many failed probes as before to go down', async () => {
    const { server, port } = await listening();
    const address = { kind: 'tcp', host: '127.0.0.1', port } as const;
    const endpoints = [{ address, weight: 1, maxConnections: 0 }];
    const config = clusterConfig({ healthCheck: { ...CHECK, fall: 1000 }, endpoints });
    const first = monitor(config);
    await first.ready();
    server.close();
    const second = await change(first, { ...config, retries: 5 });
    await eventually(() => assert.ok(second.records[0]!.streak <= -3));
    assert.deepEqual(healthOf(second), ['up']);
  });

  it('keeps the endpoints of a name with their series, even while lookups fail', async () => {
    const entry = {
      address: { kind: 'tcp', host: 'app.example', port: 80 },
      weight: 1,
      maxConnections: 0,
    } as const;
    const found = (...hosts: string[]): Lookup => ({
      find: () =>
        Promise.resolve({
          endpoints: hosts.map((host) => ({
            addresses: [{ kind: 'tcp', host, port: 80 } as const],
            weight: 1,
            priority: 0,
          })),
          omitted: 0,
          ttlMs: 60_000,
          failure: null,
        }),
    });
    const holders = new Map<string, number>();
    const slots: string[] = [];
    lend = (label) => {
      if (!slots.includes(label)) slots.push(label);
      holders.set(label, (holders.get(label) ?? 0) + 1);
      return slots.indexOf(label);
    };
    returnSeries = (label) => void holders.set(label, holders.get(label)! - 1);
    lookup = found('192.0.2.1', '192.0.2.2', '192.0.2.9');
    const config = clusterConfig({ endpoints: [entry] });
    const first = monitor(config);
    await first.ready();
    const slotsOf = ({ records }: ClusterMonitor): Record<string, number | null> =>
      Object.fromEntries(records.map(({ facts: { label, slot } }) => [label, slot]));
    const before = slotsOf(first);
    assert.deepEqual(before, { '192.0.2.1:80': 0, '192.0.2.2:80': 1, '192.0.2.9:80': 2 });

    lookup = { find: () => Promise.reject(new Error('the resolver is away')) };
    const second = await change(first, { ...config, retries: 5 });
    assert.deepEqual(slotsOf(second), before);
    await eventually(() => assert.equal(second.lookups.failures, 1));
    assert.ok(second.lookups.lookups >= 2, 'counted on');
    assert.deepEqual(new Set(holders.values()), new Set([1]), 'the previous monitor has returned them');

    lookup = found('192.0.2.2', '192.0.2.3');
    const third = await change(second, { ...config, retries: 6 });
    await eventually(() =>
      assert.deepEqual(slotsOf(third), { '192.0.2.2:80': before['192.0.2.2:80'], '192.0.2.3:80': 3 }),
    );
    third.stop();
    third.stop();
    assert.deepEqual(new Set(holders.values()), new Set([0]));
  });
});
