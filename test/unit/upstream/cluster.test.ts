import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OutlierSettings } from '../../../src/config/types/cluster.ts';
import type { EndpointFailure } from '../../../src/protocol/from-worker.ts';
import { pageMetrics } from '../../../src/telemetry/metrics/page-metrics.ts';
import { addressContext } from '../../../src/upstream/balancers/balancer.ts';
import { Cluster, type ClusterContext } from '../../../src/upstream/cluster.ts';
import {
  clusterConfig,
  clusterState,
  endpointConfigs,
  endpointState,
  contextOf,
  workers,
} from './endpoints.ts';

const context = addressContext('192.0.2.9');
const OUTLIER: OutlierSettings = {
  failures: ['connect'],
  windowMs: 10_000,
  minClients: 5,
  consecutiveFailures: 5,
  ejectionMs: 1,
  maxEjectionMs: 1,
  maxEjectedPercent: 50,
};

describe('a cluster', () => {
  const configs = endpointConfigs([1, 1, 1]);

  function make(
    changes: Parameters<typeof clusterConfig>[0] = {},
    clusterContext: Partial<ClusterContext> = {},
  ): Cluster {
    const config = clusterConfig({ endpoints: configs, ...changes });
    return new Cluster(config, clusterState(config), contextOf(workers(1, configs), clusterContext));
  }

  it('offers endpoints while retries remain, and counts the retries', () => {
    const clusterContext = contextOf(workers(1, configs));
    const cluster = make({ retries: 2 }, clusterContext);
    const trying = cluster.attempts(context);
    const tried = new Set<string>();
    for (let endpoint = trying.next(); endpoint !== null; endpoint = trying.next()) {
      tried.add(endpoint.label);
      trying.fail(endpoint, 'refused', 'connect');
    }
    assert.equal(tried.size, 3);
    const slot = clusterContext.page.slot(pageMetrics.clusterRetries, { cluster: 'app' });
    assert.equal(clusterContext.page.values[slot], 2);
  });

  it('reports only the failures that outlier detection counts', () => {
    const told: EndpointFailure[] = [];
    const onEndpointFailed = (failure: EndpointFailure): void => void told.push(failure);
    const fail = (outlier: OutlierSettings | null): string[] => {
      told.length = 0;
      const cluster = make({ outlier }, { onEndpointFailed });
      for (const kind of ['connect', 'reset', 'handshake', null] as const) {
        const trying = cluster.attempts(context);
        trying.fail(trying.next()!, 'reset', kind);
      }
      const trying = cluster.attempts(context);
      for (const status of [200, 499, 600, 999, 500]) trying.answered(trying.next()!, status, 0);
      return told.map(({ kind }) => kind);
    };
    assert.deepEqual(fail(null), []);
    assert.deepEqual(fail({ ...OUTLIER, failures: ['connect'] }), ['connect']);
    assert.deepEqual(fail({ ...OUTLIER, failures: ['5xx', 'reset'] }), ['reset', '5xx']);
    const { cluster, endpoint, count, client } = told[0]!;
    assert.deepEqual([cluster, count, client], ['app', 1, context.source]);
    assert.match(endpoint, /^192\.0\.2\.1:\d$/);
  });

  it('reports a flood of failures in a few messages that count all of them', () => {
    let now = 0;
    const told: EndpointFailure[] = [];
    const cluster = make(
      { outlier: OUTLIER, endpoints: endpointConfigs([1]) },
      { clock: () => now, onEndpointFailed: (failure) => void told.push(failure) },
    );
    const flood = (): void => {
      for (let count = 0; count < 1000; count++) {
        const trying = cluster.attempts(context);
        trying.fail(trying.next()!, 'refused', 'connect');
      }
    };
    flood();
    // One report because the client is new, and a burst of 20.
    assert.equal(told.length, 1 + 20);
    now = 1000;
    flood();
    assert.equal(told.length, 2 + 30);
    now = 1100;
    const trying = cluster.attempts(context);
    trying.fail(trying.next()!, 'refused', 'connect');
    assert.equal(
      told.reduce((sum, { count }) => sum + count, 0),
      2001,
    );
  });

  it('counts dials, responses and server errors separately', () => {
    const clusterContext = contextOf(workers(1, configs));
    const cluster = make({}, clusterContext);
    const trying = cluster.attempts(context);
    const endpoint = trying.next()!;
    for (const [metric, count] of [
      [pageMetrics.endpointDials, () => endpoint.countDial()],
      [pageMetrics.endpointConnects, () => trying.answered(endpoint, 404, 0.5)],
      [pageMetrics.endpointServerErrors, () => trying.answered(endpoint, 599, 0.25)],
    ] as const) {
      const slot = clusterContext.page.slot(metric, { cluster: 'app', endpoint: endpoint.label });
      assert.equal(clusterContext.page.values[slot], 0);
      count();
      assert.equal(clusterContext.page.values[slot], 1);
    }
    const slot = clusterContext.page.slot(pageMetrics.endpointAnswerSeconds, {
      cluster: 'app',
      endpoint: endpoint.label,
    });
    assert.equal(clusterContext.page.values[slot], 0.75);
  });

  it('spreads clients with each balancer', () => {
    const balancers = [
      'round_robin',
      'least_connections',
      'random',
      'p2c',
      'source_ip',
      'consistent_hash',
    ] as const;
    for (const balancer of balancers) {
      const cluster = make({ balancer });
      const labels = Array.from({ length: 200 }, (_, index) => {
        return cluster.attempts(addressContext(`192.0.2.${index}`)).next()!.label;
      });
      assert.equal(new Set(labels).size, 3, balancer);
    }
  });

  it('uses endpoints that are up, and keeps connection counts when their health changes', () => {
    const cluster = make();
    const states = configs.map((config) => endpointState(config));
    const down = (...which: number[]): void =>
      cluster.update({
        ...clusterState({ name: 'app', endpoints: [] }),
        endpoints: states.map((state, index) => ({
          ...state,
          health: which.includes(index) ? 'down' : 'up',
        })),
      });
    const first = cluster.attempts(context).next()!;
    const picks = (): Set<string> => {
      const endpoints = Array.from({ length: 30 }, () => cluster.attempts(context).next()!);
      for (const endpoint of endpoints) endpoint.release();
      return new Set(endpoints.map(({ label }) => label));
    };
    down(0);
    assert.deepEqual(picks(), new Set(['192.0.2.1:2', '192.0.2.1:3']));
    // More than half are down: panic.
    down(0, 1);
    assert.equal(picks().size, 3);
    down();
    assert.equal(cluster.active, 1);
    assert.equal(first.active, 1);
    cluster.update(clusterState({ name: 'app', endpoints: [] }));
    assert.equal(cluster.attempts(context).next(), null);
    assert.equal(first.eligible, false);
    first.release();
    assert.equal(cluster.active, 0);
  });

  it('ramps up the share of a recovered endpoint', () => {
    let now = 0;
    const cluster = make({ slowStartMs: 10_000 }, { clock: () => now });
    const [warm, ...others] = configs.map((config) => endpointState(config));
    cluster.update({
      ...clusterState({ name: 'app', endpoints: [] }),
      endpoints: [{ ...warm!, warmLeftMs: 10_000 }, ...others],
    });
    const share = (): number => {
      const endpoints = Array.from({ length: 2100 }, () => cluster.attempts(context).next()!);
      for (const endpoint of endpoints) endpoint.release();
      return endpoints.filter(({ label }) => label === warm!.label).length / 2100;
    };
    assert.ok(Math.abs(share() - 0.1 / 2.1) < 0.01);
    now = 5000;
    assert.ok(Math.abs(share() - 0.5 / 2.5) < 0.01);
    now = 10_000;
    assert.ok(Math.abs(share() - 1 / 3) < 0.01);
  });

  it('has TLS if configured, and refuses invalid settings', () => {
    const tls = { serverName: null, ca: null, verify: true, cert: null, key: null };
    assert.equal(make({}).tls, null);
    assert.equal(make({ tls }).tls?.verify, true);
    assert.throws(() => make({ tls: { ...tls, cert: 'no PEM', key: 'no PEM' } }));
  });

  it('trusts kept connections until its TLS settings change', () => {
    const tls = { serverName: null, ca: null, verify: true, cert: null, key: null };
    const cluster = make();
    const [endpoint] = cluster.endpoints;
    const trusts: number[] = [];
    const change = (changes: Parameters<typeof clusterConfig>[0]): void => {
      const config = clusterConfig({ endpoints: configs, ...changes });
      cluster.prepare(config, clusterState(config))();
      trusts.push(endpoint!.tlsGeneration);
    };
    change({ retries: 1 });
    change({ tls });
    change({ tls: { ...tls }, retries: 2 });
    change({ tls: { ...tls, verify: false } });
    change({ tls: { ...tls, serverName: 'a.example' } });
    change({});
    assert.deepEqual(trusts, [0, 1, 1, 2, 3, 4]);
  });

  it('trusts no kept connection to an address that now belongs to another name', () => {
    const tls = { serverName: null, ca: null, verify: true, cert: null, key: null };
    const named = (host: string): ReturnType<typeof endpointState> =>
      endpointState(configs[0]!, { server: { kind: 'tcp', host, port: 443 } });
    for (const [settings, isTrusted] of [
      [tls, false],
      [{ ...tls, serverName: 'app.example' }, true],
      [null, true],
    ] as const) {
      const cluster = make({ tls: settings });
      const [endpoint] = cluster.endpoints;
      const [before, now] = ['a.example', 'b.example'].map((host) => {
        cluster.update({ ...clusterState(clusterConfig()), endpoints: [named(host)] });
        return endpoint!.tlsGeneration;
      });
      assert.equal(before === now, isTrusted);
    }
  });

  it('keeps only the TLS sessions of its endpoints', () => {
    const tls = { serverName: null, ca: null, verify: true, cert: null, key: null };
    const cluster = make({ tls });
    const [endpoint] = cluster.endpoints;
    const { sessions } = cluster.tls!;
    const session = { name: '', ticket: Buffer.from('ticket') };
    sessions.set(endpoint!.label, session).set('10.0.0.9:443', session);
    cluster.update(clusterState(clusterConfig()));
    assert.deepEqual([...sessions.keys()], [endpoint!.label]);
  });
});
