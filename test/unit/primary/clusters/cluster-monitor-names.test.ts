/** How a monitor turns the addresses of a name into endpoints. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type {
  Cluster as ClusterConfig,
  Endpoint as EndpointConfig,
} from '../../../../src/config/types/cluster.ts';
import { ClusterMonitor } from '../../../../src/primary/clusters/cluster-monitor.ts';
import { createMonitorTools } from '../../../../src/primary/clusters/monitor-tools.ts';
import type { ClusterState } from '../../../../src/protocol/cluster-state.ts';
import type { FoundEndpoint } from '../../../../src/upstream/name-lookup.ts';
import { clusterConfig } from '../../upstream/endpoints.ts';
import { capture, type LogLine } from '../fixtures/config.ts';
import { mockedTimers } from '../fixtures/mocked-timers.ts';

type Lookup = NonNullable<ConstructorParameters<typeof ClusterMonitor>[0]['lookup']>;
type Answer = Awaited<ReturnType<Lookup['find']>>;

const NAME: EndpointConfig = {
  address: { kind: 'tcp', host: 'app.test', port: 80 },
  weight: 1,
  maxConnections: 0,
};

function found(hosts: readonly string[], changes: Partial<FoundEndpoint> = {}): FoundEndpoint[] {
  return hosts.map((host) => ({
    addresses: [{ kind: 'tcp', host, port: 80 }],
    weight: 1,
    priority: 0,
    ...changes,
  }));
}

function pods(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => `10.1.${(from + index) >> 8}.${(from + index) & 255}`);
}

describe('the addresses of a name', { timeout: 300_000 }, () => {
  const monitors: ClusterMonitor[] = [];
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'] }));
  afterEach(() => {
    mock.timers.reset();
    for (const monitor of monitors.splice(0)) monitor.stop();
  });

  /** A monitor whose name is looked up again when a test says so. */
  async function started(
    config: Partial<ClusterConfig>,
    first: Partial<Answer>,
    lend: (label: string) => number | null = () => 0,
  ): Promise<{
    monitor: ClusterMonitor;
    lines: readonly LogLine[];
    published: ClusterState[];
    answer: (next: Partial<Answer>) => Promise<void>;
  }> {
    const { log, lines } = capture();
    const published: ClusterState[] = [];
    let current: Answer = { endpoints: [], omitted: 0, ttlMs: 0, failure: null, ...first };
    const monitor = new ClusterMonitor({
      config: clusterConfig({ endpoints: [NAME], ...config }),
      owner: {
        log,
        tools: createMonitorTools(mockedTimers()),
        publish: (_, state) => void published.push(state),
        successes: () => ({ dials: 0, answers: 0, serverErrors: 0 }),
        leaseSeries: (_cluster, label) => lend(label),
        returnSeries: () => undefined,
        wentDown: () => undefined,
        report: () => undefined,
      },
      lookup: { find: () => Promise.resolve(current) },
    });
    monitors.push(monitor);
    await monitor.ready();
    const answer = async (next: Partial<Answer>): Promise<void> => {
      current = { endpoints: [], omitted: 0, ttlMs: 0, failure: null, ...next };
      // The next look-up, and then the publication.
      for (let count = 0; count < 2; count++) {
        mock.timers.tick(1050);
        await turn();
        await turn();
      }
    };
    return { monitor, lines, published, answer };
  }

  it('cause one warning while some are unused, and one line when all are used again', async () => {
    const few = found(pods(3));
    const { monitor, lines, answer } = await started({}, { endpoints: few, omitted: 7 });
    const about = (): unknown[] =>
      lines
        .filter(({ msg }) => msg.includes('addresses'))
        .map((line) => [line.level, line.msg, (line as { leftOut?: number }).leftOut]);
    const warning = ['warn', 'some addresses of the name are unused', 7];
    assert.deepEqual(about(), [warning]);
    assert.equal(monitor.leftOut, 7);
    await answer({ endpoints: few, omitted: 9 });
    assert.deepEqual(about(), [warning]);
    assert.equal(monitor.leftOut, 9);
    await answer({ endpoints: few });
    assert.deepEqual(about(), [warning, ['info', 'all addresses of the name are used', 0]]);
  });

  it('are unused while the stats pages are full', async () => {
    let room = 2;
    const lend = (): number | null => (room-- > 0 ? 0 : null);
    const { monitor, lines, answer } = await started({}, { endpoints: found(pods(5)) }, lend);
    assert.deepEqual([monitor.records.length, monitor.leftOut], [2, 3]);
    room = 10;
    await answer({ endpoints: found(pods(5)) });
    assert.deepEqual([monitor.records.length, monitor.leftOut], [5, 0]);
    assert.equal(lines.filter(({ msg }) => msg.includes('addresses')).length, 2);
  });

  it('are published and logged within limits, for any answers to queries', async () => {
    const { monitor, lines, published, answer } = await started({}, { endpoints: found(pods(4096)) });
    const before = published.length;
    for (let count = 1; count <= 3; count++) {
      await answer({ endpoints: found(pods(4096, 4096 * count)) });
      assert.equal(monitor.records.length, 4096);
    }
    assert.equal(published.length - before, 3);
    assert.equal(published.at(-1)!.endpoints.length, 4096);
    for (const line of lines) assert.ok(JSON.stringify(line).length < 1000);
    assert.ok(lines.length < 10);
  });

  it('share the weight of the name, for any number of them', async () => {
    const listed: EndpointConfig = { ...NAME, address: { kind: 'tcp', host: '192.0.2.1', port: 80 } };
    const endpoints = [{ ...NAME, weight: 19 }, listed];
    const { monitor, published, answer } = await started({ endpoints }, { endpoints: found(pods(3)) });
    const weights = (): number[] => monitor.state().endpoints.map(({ weight }) => weight);
    assert.deepEqual(weights(), [19 / 3, 19 / 3, 19 / 3, 1]);
    await answer({ endpoints: found(pods(500)) });
    assert.deepEqual(new Set(weights()), new Set([19 / 500, 1]));
    // Endpoints that are down keep their shares, so that the others are not overloaded.
    await answer({ endpoints: found(pods(2)) });
    monitor.records[0]!.setDown(true, 'its probe timed out');
    assert.deepEqual(weights(), [9.5, 9.5, 1]);
    assert.deepEqual(
      published.at(-1)!.endpoints.map(({ weight }) => weight),
      [9.5, 9.5, 1],
    );
  });

  it('share it by the weights of their SRV records, in each priority', async () => {
    const endpoints = [
      ...found(['10.0.0.1'], { weight: 30, priority: 1 }),
      ...found(['10.0.0.2', '10.0.0.3'], { weight: 5, priority: 1 }),
      ...found(['10.0.0.4'], { weight: 7, priority: 2 }),
    ];
    const { monitor } = await started({ endpoints: [{ ...NAME, weight: 8 }] }, { endpoints });
    assert.deepEqual(
      monitor.records.map(({ facts }) => facts.weight),
      [6, 1, 1, 8],
    );
  });

  it('do not replace an address that is configured itself', async () => {
    const [listed = ''] = pods(1);
    const entry: EndpointConfig = { ...NAME, address: { kind: 'tcp', host: listed, port: 80 } };
    const { monitor } = await started({ endpoints: [NAME, entry] }, { endpoints: found(pods(3)) });
    assert.deepEqual(
      monitor.records.map(({ facts: { label, slot } }) => [label, slot]).sort(),
      pods(3).map((host, index) => [`${host}:80`, index === 0 ? null : 0]),
    );
    assert.equal(monitor.find(`${listed}:80`)?.facts.slot, null);
    assert.equal(monitor.find('10.9.9.9:80'), undefined);
  });
});
