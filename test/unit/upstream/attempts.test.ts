import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CONNECT_FAILURES, pageMetrics } from '../../../src/telemetry/names.ts';
import { Attempts } from '../../../src/upstream/attempts.ts';
import { RoundRobin } from '../../../src/upstream/balancers/round-robin.ts';
import { Cluster } from '../../../src/upstream/cluster.ts';
import type { Endpoint } from '../../../src/upstream/endpoint.ts';
import { clusterConfig, endpointConfigs, endpointsOf, workers } from './endpoints.ts';

function attempts(
  endpoints: readonly Endpoint[],
  retries: number,
): { trying: Attempts; retried: () => number } {
  let count = 0;
  const counter = {
    countRetry: () => {
      count++;
    },
  };
  const balancer = new RoundRobin(endpoints, () => 0);
  return { trying: new Attempts(counter, balancer, retries), retried: () => count };
}

describe('the attempts for one connection', () => {
  it('go on to another endpoint while retries are left', () => {
    const endpoints = endpointsOf(1, 1, 1, 1);
    const { trying, retried } = attempts(endpoints, 2);
    const tried: Endpoint[] = [];
    for (let endpoint = trying.next(); endpoint !== null; endpoint = trying.next()) {
      assert.equal(retried(), tried.length);
      tried.push(endpoint);
      trying.fail(endpoint, 'refused');
    }
    assert.deepEqual(tried, endpoints.slice(0, 3));
    assert.equal(retried(), 2);
    assert.equal(trying.next(), null);
    assert.equal(retried(), 2);
  });

  it('try no endpoint twice, and count no retry that finds none', () => {
    const endpoints = endpointsOf(1, 1);
    const { trying, retried } = attempts(endpoints, 10);
    for (let count = 0; count < 2; count++) trying.fail(trying.next()!, 'timeout');
    assert.equal(trying.next(), null);
    assert.equal(retried(), 1);
  });

  it('end with the first failure where there are no retries', () => {
    const { trying, retried } = attempts(endpointsOf(1, 1), 0);
    trying.fail(trying.next()!, 'refused');
    assert.equal(trying.next(), null);
    assert.equal(retried(), 0);
  });

  it('find nothing in a cluster without endpoints, which is no failure', () => {
    const { trying } = attempts([], 3);
    assert.equal(trying.next(), null);
    assert.equal(trying.lastFailure, null);
  });

  it('remember the last failure', () => {
    const { trying } = attempts(endpointsOf(1, 1), 1);
    assert.equal(trying.lastFailure, null);
    trying.fail(trying.next()!, 'refused');
    assert.equal(trying.lastFailure, 'refused');
    trying.fail(trying.next()!, 'tls');
    assert.equal(trying.lastFailure, 'tls');
  });

  it('count a connection from when its endpoint is given out until it fails or is released', () => {
    const endpoints = endpointsOf(1, 1);
    const active = (): number[] => endpoints.map((endpoint) => endpoint.active);
    const { trying } = attempts(endpoints, 1);
    const first = trying.next()!;
    assert.deepEqual(active(), [1, 0]);
    trying.fail(first, 'reset');
    assert.deepEqual(active(), [0, 0]);
    const second = trying.next()!;
    assert.deepEqual(active(), [0, 1]);
    second.release();
    assert.deepEqual(active(), [0, 0]);
  });
});

describe('an endpoint', () => {
  const configs = endpointConfigs([1, 1]);

  it('counts its connections over all workers and each on its own page', () => {
    const { endpoints, pages } = workers(3, configs);
    const seen = endpoints.map((list) => list[1]!);
    for (const [worker, endpoint] of seen.entries()) {
      for (let count = 0; count <= worker; count++) endpoint.acquire();
    }
    for (const endpoint of seen) assert.equal(endpoint.active, 6);
    seen[2]!.release();
    assert.equal(seen[0]!.active, 5);
    assert.equal(endpoints[0]![0]!.active, 0);
    const labels = { cluster: 'app', endpoint: '192.0.2.1:2' };
    assert.deepEqual(
      pages.map((page) => page.values[page.slot(pageMetrics.endpointConnectionsActive, labels)]),
      [1, 2, 2],
    );
  });

  it('counts failures by their reason', () => {
    const { endpoints, pages } = workers(1, configs);
    const endpoint = endpoints[0]![0]!;
    for (const [index, reason] of CONNECT_FAILURES.entries()) {
      for (let count = 0; count <= index; count++) endpoint.countFailure(reason);
    }
    const page = pages[0]!;
    for (const [index, reason] of CONNECT_FAILURES.entries()) {
      const slot = (label: string): number =>
        page.slot(pageMetrics.endpointConnectFailures, { cluster: 'app', endpoint: label, reason });
      assert.equal(page.values[slot('192.0.2.1:1')], index + 1, reason);
      assert.equal(page.values[slot('192.0.2.1:2')], 0, reason);
    }
  });

  it('is labelled by its address', () => {
    const { endpoints } = workers(1, [
      { address: { kind: 'tcp', host: '::1', port: 80 }, weight: 7 },
      { address: { kind: 'unix', path: '/run/app' }, weight: 1 },
    ]);
    assert.deepEqual(
      endpoints[0]!.map(({ label, weight }) => [label, weight]),
      [
        ['[::1]:80', 7],
        ['unix:/run/app', 1],
      ],
    );
  });
});

describe('a cluster', () => {
  const configs = endpointConfigs([1, 1, 1]);

  it('gives out its endpoints with its retries, and counts those', () => {
    const { pages, all } = workers(1, configs);
    const cluster = new Cluster(clusterConfig({ endpoints: configs, retries: 2 }), pages[0]!, all);
    const trying = cluster.attempts();
    const tried = new Set<string>();
    for (let endpoint = trying.next(); endpoint !== null; endpoint = trying.next()) {
      tried.add(endpoint.label);
      trying.fail(endpoint, 'refused');
    }
    assert.equal(tried.size, 3);
    const slot = pages[0]!.slot(pageMetrics.clusterRetries, { cluster: 'app' });
    assert.equal(pages[0]!.values[slot], 2);
  });

  it('uses the balancer that it is configured with', () => {
    const { pages, all, endpoints } = workers(2, configs);
    const [page] = pages;
    for (const [index, endpoint] of endpoints[1]!.entries()) if (index !== 1) endpoint.acquire();
    const least = new Cluster(
      clusterConfig({ endpoints: configs, balancer: 'least_connections' }),
      page!,
      all,
    );
    const first = least.attempts().next()!;
    assert.equal(first.label, '192.0.2.1:2');
    const robin = new Cluster(clusterConfig({ endpoints: configs }), page!, all);
    const labels = Array.from({ length: 3 }, () => robin.attempts().next()!.label);
    assert.equal(new Set(labels).size, 3);
  });

  it('has TLS where it is configured, and refuses what cannot be used', () => {
    const { pages, all } = workers(1, configs);
    const tls = { serverName: null, ca: null, verify: true, cert: null, key: null };
    const make = (changes: Parameters<typeof clusterConfig>[0]): Cluster =>
      new Cluster(clusterConfig({ endpoints: configs, ...changes }), pages[0]!, all);
    assert.equal(make({}).tls, null);
    assert.equal(make({ tls }).tls?.verify, true);
    assert.throws(() => make({ tls: { ...tls, cert: 'no PEM', key: 'no PEM' } }));
  });
});
