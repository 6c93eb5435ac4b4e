import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Listener } from '../../../../../src/config/types/listener.ts';
import { statusPage } from '../../../../../src/primary/admin/pages/status.ts';
import { EndpointRecord } from '../../../../../src/primary/clusters/endpoint-record.ts';
import type { Status } from '../../../../../src/protocol/admin/status.ts';
import type { Metric } from '../../../../../src/telemetry/metrics/metric.ts';
import type { CONNECT_FAILURES } from '../../../../../src/telemetry/metrics/label-values.ts';
import { pageMetrics } from '../../../../../src/telemetry/metrics/page-metrics.ts';
import { pageShapes } from '../../../../../src/telemetry/metrics/page-shapes.ts';
import { clusterConfig, endpointConfigs, endpointState } from '../../../upstream/endpoints.ts';
import { config } from '../../fixtures/config.ts';
import { recordOwner } from '../../fixtures/records.ts';

type Facts = Parameters<typeof statusPage>[0];

function statusOf(facts: Facts): Status {
  const { type, pieces } = statusPage(facts);
  assert.equal(type, 'application/json');
  const text = [...pieces].join('');
  const status = JSON.parse(text) as Status;
  assert.equal(text, `${JSON.stringify(status, null, 2)}\n`);
  return status;
}

/** Slots. The directory no longer has the second endpoint. */
const WEB = 400;
const TCP = 401;
const CLUSTER = 500;
const ONE = 1000;

/** The state of the only log. */
const LOG = { log: 'log', file: '/var/log/sluice.log', dropped: 3, problem: 'no space left' };

/** The parts of the primary, with values by metric and labels, and worker pages of one series each. */
function facts(): Facts {
  const failure = (reason: (typeof CONNECT_FAILURES)[number]): number =>
    ONE + pageShapes.endpoint.offsetOf(pageMetrics.endpointConnectFailures, { reason })!;
  const slots = new Map([
    [WEB, 5],
    [TCP, 2],
    [CLUSTER, 7],
    [ONE, 6],
    [failure('refused'), 3],
    [failure('timeout'), 4],
  ]);
  const [one, two] = endpointConfigs([1, 1]).map(
    (entry, index) => new EndpointRecord({ ...endpointState(entry), weight: (index + 1) / 3 }, recordOwner()),
  );
  two!.setDraining(true, 'drained by an operator');
  two!.since = 86_400_000;
  one!.since = 0;
  one!.noteProbe(1000, 250, 'timed out');
  for (let count = 0; count < 9; count++) one!.count('ejections');
  const slot = (name: string, state: string, generation: number, ...page: number[]): object => ({
    name,
    kind: 'l7',
    state,
    restarts: 1,
    generation,
    page: new Float64Array(page).buffer,
  });
  const [up, replaced] = [slot('l7-0', 'up', 4, 1, 0.25049), slot('l7-0', 'stuck', 3, 0, 0)];
  const threads = ['sluice_worker_older_generation_connections', 'sluice_worker_event_loop_utilization'];
  const parts = {
    supervisor: {
      config,
      generation: 4,
      slots: [up],
      leaving: [slot('l7-7', 'draining', 2, 9, 9)],
      leftBehind: { slots: [replaced, up], count: 2 },
      count: (_scope: object, page?: object) => (page === undefined ? 7 : 3),
      directory: {
        find: ({ name }: Metric, { worker, listener, endpoint }: Record<string, string>) => {
          if (listener !== undefined) return listener === 'web' ? WEB : TCP;
          if (name === 'sluice_cluster_connections_active') return CLUSTER;
          if (worker === undefined) return endpoint === '192.0.2.1:1' ? ONE : undefined;
          return worker === 'l7-0' ? threads.indexOf(name) : undefined;
        },
      },
      sums: {
        at: (slot: number) => slots.get(slot) ?? 0,
      },
    },
    clusters: {
      all: [{ config: clusterConfig({ maxConnections: 100 }), panic: true, records: [one, two] }],
      evictions: () => 11,
    },
    engines: { choiceOf: (listener: Listener) => ({ listener, reason: `${listener.name} is like that` }) },
    reloader: { current: config, lastSucceeded: false, lastSuccessAt: 60_000, needsRestart: ['demo'] },
    drains: { progress: [{ scope: { kind: 'all' }, total: 9, remaining: 2, seconds: 1.5 }] },
    output: { states: [LOG] },
    taps: { active: 3 },
    versions: { sluice: '1.2.3', node: '22.18.0', uws: '20.1.0' },
    state: 'ready',
  };
  return parts as unknown as Facts;
}

describe('the status', () => {
  it('has the process, its configuration and its drains', () => {
    const { workers, listeners, clusters, pid, uptimeSeconds, ...rest } = statusOf(facts());
    assert.deepEqual([pid, uptimeSeconds], [process.pid, Math.round(uptimeSeconds)]);
    assert.deepEqual([workers.length, listeners.length, clusters.length], [3, 2, 1]);
    assert.deepEqual(rest, {
      version: '1.2.3',
      node: '22.18.0',
      generation: 4,
      lastReloadSucceeded: false,
      lastReloadSuccessAt: '1970-01-01T00:01:00.000Z',
      needsRestart: ['demo'],
      state: 'ready',
      connections: 7,
      drains: [{ scope: { kind: 'all' }, total: 9, remaining: 2, seconds: 1.5 }],
      leftBehind: 2,
      taps: 3,
      logs: [LOG],
    });
  });

  it('lists current workers, draining ones, and replaced stuck ones, once each', () => {
    const { workers } = statusOf(facts());
    assert.deepEqual(
      workers.map(({ name, state, generation }) => [name, state, generation]),
      [
        ['l7-0', 'up', 4],
        ['l7-7', 'draining', 2],
        ['l7-0', 'stuck', 3],
      ],
    );
    assert.deepEqual(workers[0], {
      name: 'l7-0',
      kind: 'l7',
      state: 'up',
      restarts: 1,
      generation: 4,
      connections: 3,
      olderConnections: 1,
      eventLoopUtilization: 0.25,
    });
  });

  it('has the engine of listeners, and their TLS', () => {
    assert.deepEqual(statusOf(facts()).listeners, [
      {
        name: 'web',
        mode: 'l7',
        address: '127.0.0.1:0',
        tls: false,
        engine: 'uws',
        engineReason: 'web is like that',
        activeConnections: 5,
      },
      {
        name: 'tcp',
        mode: 'l4',
        address: '127.0.0.1:0',
        tls: false,
        engine: 'net',
        engineReason: 'tcp is like that',
        activeConnections: 2,
      },
    ]);
  });

  it('has each endpoint with its state, reason, last probe, and failures of all reasons', () => {
    const { endpoints, ...cluster } = statusOf(facts()).clusters[0]!;
    assert.deepEqual(cluster, {
      name: 'app',
      balancer: 'round_robin',
      panic: true,
      activeConnections: 7,
      maxConnections: 100,
      evictions: 11,
    });
    const [one, two] = endpoints;
    assert.deepEqual(one, {
      address: '192.0.2.1:1',
      weight: 0.333333,
      priority: 0,
      state: 'up',
      since: '1970-01-01T00:00:00.000Z',
      reason: '',
      activeConnections: 6,
      connectFailures: 7,
      ejections: 9,
      lastProbe: { at: '1970-01-01T00:00:01.000Z', seconds: 0.25, failure: 'timed out' },
    });
    assert.deepEqual(
      [two!.state, two!.reason, two!.since, two!.lastProbe],
      ['draining', 'drained by an operator', '1970-01-02T00:00:00.000Z', null],
    );
    assert.deepEqual([two!.activeConnections, two!.connectFailures], [0, 0]);
  });
});
