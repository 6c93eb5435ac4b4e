import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StatsPage } from '../../../../src/telemetry/stats-page.ts';
import { Attempts, type AttemptSource } from '../../../../src/upstream/attempts/attempts.ts';
import { addressContext } from '../../../../src/upstream/balancers/balancer.ts';
import { RoundRobin } from '../../../../src/upstream/balancers/round-robin.ts';
import { Cluster } from '../../../../src/upstream/cluster.ts';
import type { Endpoint } from '../../../../src/upstream/endpoint.ts';
import {
  clusterConfig,
  clusterState,
  cursorOf,
  endpointConfigs,
  endpointsOf,
  contextOf,
  workers,
} from '../endpoints.ts';

const context = addressContext('192.0.2.9');

function attempts(
  endpoints: readonly Endpoint[],
  retries: number,
  changes: Partial<AttemptSource> = {},
): { trying: Attempts; retried: () => number; limits: string[]; failed: Endpoint[] } {
  let count = 0;
  const limits: string[] = [];
  const failed: Endpoint[] = [];
  const balancer = new RoundRobin(cursorOf(), () => 0);
  balancer.update(endpoints);
  const source: AttemptSource = {
    makeRoom: () => false,
    endpoints,
    pick: (context, excluded) => balancer.pick(context, excluded),
    full: false,
    mayDial: () => true,
    takeRetry: () => {
      count++;
      return true;
    },
    countLimit: (limit) => limits.push(limit),
    failed: (endpoint) => failed.push(endpoint),
    cookieFor: () => null,
    ...changes,
  };
  return { trying: new Attempts(source, context, retries), retried: () => count, limits, failed };
}

describe('the attempts for one connection', () => {
  it('close an idle connection to make room, without counting a limit', () => {
    for (const isFull of [true, false]) {
      const asked: unknown[] = [];
      const [endpoint] = endpointsOf(1);
      const makeRoom = (...wanted: unknown[]): boolean => asked.push(...wanted) > 0;
      const full = { full: isFull, makeRoom };
      if (!isFull) Object.defineProperty(endpoint, 'full', { value: true });
      const { trying, limits } = attempts([endpoint!], 0, full);
      assert.equal(trying.next(), endpoint);
      assert.deepEqual([asked, limits], [[isFull ? null : endpoint, context.source], []]);
    }
  });

  it('try another endpoint while retries remain', () => {
    const endpoints = endpointsOf(1, 1, 1, 1);
    const { trying, retried } = attempts(endpoints, 2);
    const tried: Endpoint[] = [];
    for (let endpoint = trying.next(); endpoint !== null; endpoint = trying.next()) {
      assert.equal(retried(), tried.length);
      tried.push(endpoint);
      trying.fail(endpoint, 'refused', 'connect');
    }
    assert.deepEqual(tried, endpoints.slice(0, 3));
    assert.equal(retried(), 2);
    assert.equal(trying.next(), null);
    assert.equal(retried(), 2);
  });

  it('never try an endpoint twice, or count a retry without an endpoint', () => {
    const endpoints = endpointsOf(1, 1);
    const { trying, retried } = attempts(endpoints, 10);
    for (let count = 0; count < 2; count++) trying.fail(trying.next()!, 'timeout', 'connect');
    assert.equal(trying.next(), null);
    assert.equal(retried(), 1);
  });

  it('end at the first failure without retries', () => {
    const { trying, retried } = attempts(endpointsOf(1, 1), 0);
    trying.fail(trying.next()!, 'refused', 'connect');
    assert.equal(trying.next(), null);
    assert.equal(retried(), 0);
  });

  it('find no endpoint in an empty cluster, without a failure', () => {
    const { trying } = attempts([], 3);
    assert.equal(trying.next(), null);
    assert.equal(trying.lastFailure, null);
  });

  it('end if the proxy lacks a resource, without blaming an endpoint', () => {
    const { trying, retried, failed } = attempts(endpointsOf(1, 1, 1), 2);
    trying.fail(trying.next()!, 'own_shortage', 'connect');
    assert.equal(trying.next(), null);
    assert.deepEqual([trying.lastFailure, retried(), failed], ['own_shortage', 0, []]);
  });

  it('retry outside the budget when local ports run out, within the max retries', () => {
    const endpoints = endpointsOf(1, 1, 1, 1);
    const { trying, retried, failed, limits } = attempts(endpoints, 2, { takeRetry: () => false });
    const tried: Endpoint[] = [];
    for (let endpoint = trying.next(); endpoint !== null; endpoint = trying.next()) {
      tried.push(endpoint);
      trying.fail(endpoint, 'own_ports', 'connect');
    }
    assert.deepEqual(tried, endpoints.slice(0, 3));
    assert.deepEqual([retried(), failed, limits], [0, [], []]);
  });

  it("take a retry from the budget after an endpoint's failure, whatever came before", () => {
    const { trying, retried, failed } = attempts(endpointsOf(1, 1, 1), 2);
    trying.fail(trying.next()!, 'own_ports', 'connect');
    const second = trying.next()!;
    trying.fail(second, 'refused', 'connect');
    assert.ok(trying.next() !== null);
    assert.equal(retried(), 1);
    assert.deepEqual(failed, [second]);
  });

  it('remember the last failure', () => {
    const { trying } = attempts(endpointsOf(1, 1), 1);
    assert.equal(trying.lastFailure, null);
    trying.fail(trying.next()!, 'refused', 'connect');
    assert.equal(trying.lastFailure, 'refused');
    trying.fail(trying.next()!, 'tls', 'connect');
    assert.equal(trying.lastFailure, 'tls');
  });

  it('count a connection from the choice of its endpoint until failure or release', () => {
    const endpoints = endpointsOf(1, 1);
    const active = (): number[] => endpoints.map((endpoint) => endpoint.active);
    const { trying } = attempts(endpoints, 1);
    const first = trying.next()!;
    assert.deepEqual(active(), [1, 0]);
    trying.fail(first, 'reset', 'connect');
    assert.deepEqual(active(), [0, 0]);
    const second = trying.next()!;
    assert.deepEqual(active(), [0, 1]);
    second.release();
    assert.deepEqual(active(), [0, 0]);
  });
});

describe('the limits of attempts', () => {
  it('exclude full endpoints, and leave none if all are full', () => {
    const configs = endpointConfigs([1, 1]).map((config) => ({ ...config, maxConnections: 2 }));
    const [endpoints] = workers(1, configs).endpoints;
    const got: string[] = [];
    for (let count = 0; count < 4; count++) got.push(attempts(endpoints!, 2).trying.next()!.label);
    assert.deepEqual(got.sort(), ['192.0.2.1:1', '192.0.2.1:1', '192.0.2.1:2', '192.0.2.1:2']);
    const { trying, limits } = attempts(endpoints!, 2);
    assert.equal(trying.next(), null);
    assert.equal(trying.limit, 'endpoint_max_connections');
    assert.deepEqual(limits, ['endpoint_max_connections']);
    endpoints![1]!.release();
    assert.equal(attempts(endpoints!, 2).trying.next(), endpoints![1]);
  });

  it('need two picks to find that all endpoints are full', () => {
    const configs = endpointConfigs(new Array<number>(500).fill(1)).map((config) => ({
      ...config,
      maxConnections: 1,
    }));
    const [endpoints] = workers(1, configs).endpoints;
    for (const endpoint of endpoints!) endpoint.acquire();
    const balancer = new RoundRobin(cursorOf());
    balancer.update(endpoints!);
    let picks = 0;
    const pick: AttemptSource['pick'] = (context, excluded) => {
      picks++;
      return balancer.pick(context, excluded);
    };
    assert.equal(attempts(endpoints!, 2, { pick }).trying.next(), null);
    assert.equal(picks, 2);
  });

  it('leave no endpoint if the cluster is full', () => {
    const { trying, limits } = attempts(endpointsOf(1), 2, { full: true });
    assert.equal(trying.next(), null);
    assert.deepEqual(
      [trying.limit, trying.lastFailure, limits],
      ['max_connections', null, ['max_connections']],
    );
  });

  it('leave no endpoint without a free descriptor, and blame none', () => {
    const { trying, limits, failed } = attempts(endpointsOf(1), 2, { mayDial: () => false });
    assert.equal(trying.next(), null);
    assert.deepEqual(
      [trying.limit, trying.lastFailure, limits, failed],
      ['descriptors', null, ['descriptors'], []],
    );
  });

  it('allow an endpoint with a kept connection without a free descriptor', () => {
    const { trying, limits } = attempts(endpointsOf(1), 2, { mayDial: () => false });
    assert.notEqual(
      trying.next(() => true),
      null,
    );
    assert.deepEqual(limits, []);
  });

  it('stop retries when the budget is spent', () => {
    const { trying, limits } = attempts(endpointsOf(1, 1), 2, { takeRetry: () => false });
    trying.fail(trying.next()!, 'refused', 'connect');
    assert.equal(trying.next(), null);
    assert.deepEqual(
      [trying.limit, trying.lastFailure, limits],
      ['retry_budget', 'refused', ['retry_budget']],
    );
  });

  it('apply to the connections of all workers together', () => {
    const configs = endpointConfigs([1, 1]);
    const { pages, all, endpoints } = workers(2, configs);
    const cluster = (page: StatsPage): Cluster => {
      const config = clusterConfig({ endpoints: configs, maxConnections: 3 });
      return new Cluster(config, clusterState(config), contextOf({ pages: [page], all, endpoints }));
    };
    const [mine, theirs] = [cluster(pages[0]!), cluster(pages[1]!)];
    assert.ok(mine.attempts(context).next() !== null);
    assert.ok(theirs.attempts(context).next() !== null);
    const last = mine.attempts(context).next();
    assert.equal(theirs.attempts(context).next(), null);
    last?.release();
    assert.ok(theirs.attempts(context).next() !== null);
    assert.equal(mine.active, 3);
  });
});
