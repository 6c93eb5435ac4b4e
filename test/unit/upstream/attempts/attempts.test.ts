import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OutlierSettings, Sticky } from '../../../../src/config/types/cluster.ts';
import type { EndpointFailure } from '../../../../src/protocol/from-worker.ts';
import { CONNECT_FAILURES } from '../../../../src/telemetry/metrics/label-values.ts';
import { pageMetrics } from '../../../../src/telemetry/metrics/page-metrics.ts';
import type { StatsPage } from '../../../../src/telemetry/stats-page.ts';
import { Attempts, type AttemptSource } from '../../../../src/upstream/attempts/attempts.ts';
import { RoundRobin } from '../../../../src/upstream/balancers/round-robin.ts';
import { Cluster, type ClusterHome } from '../../../../src/upstream/cluster.ts';
import type { Endpoint } from '../../../../src/upstream/endpoint.ts';
import { addressContext } from '../../../../src/upstream/balancers/balancer.ts';
import {
  clusterConfig,
  clusterState,
  cursorOf,
  endpointConfigs,
  endpointState,
  endpointsOf,
  homeOf,
  workers,
} from '../endpoints.ts';

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
  it('get room that an idle connection makes, and no limit is counted then', () => {
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

  it('go on to another endpoint while retries are left', () => {
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

  it('try no endpoint twice, and count no retry that finds none', () => {
    const endpoints = endpointsOf(1, 1);
    const { trying, retried } = attempts(endpoints, 10);
    for (let count = 0; count < 2; count++) trying.fail(trying.next()!, 'timeout', 'connect');
    assert.equal(trying.next(), null);
    assert.equal(retried(), 1);
  });

  it('end with the first failure where there are no retries', () => {
    const { trying, retried } = attempts(endpointsOf(1, 1), 0);
    trying.fail(trying.next()!, 'refused', 'connect');
    assert.equal(trying.next(), null);
    assert.equal(retried(), 0);
  });

  it('find nothing in a cluster without endpoints, which is no failure', () => {
    const { trying } = attempts([], 3);
    assert.equal(trying.next(), null);
    assert.equal(trying.lastFailure, null);
  });

  it('end with a shortage of our own, which no other endpoint would mend and none is blamed for', () => {
    const { trying, retried, failed } = attempts(endpointsOf(1, 1, 1), 2);
    trying.fail(trying.next()!, 'own_shortage', 'connect');
    assert.equal(trying.next(), null);
    assert.deepEqual([trying.lastFailure, retried(), failed], ['own_shortage', 0, []]);
  });

  it('go on without the budget where ports towards one endpoint have run out, but no further than retries', () => {
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

  it('take a retry of the budget behind a failure of an endpoint, whatever came before', () => {
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

  it('count a connection from when its endpoint is given out until it fails or is released', () => {
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

describe('the limits', () => {
  it('keep a full endpoint out, and give none where all are full', () => {
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

  it('cost one look at each endpoint where all are full, however many there are', () => {
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

  it('give none where the cluster is full', () => {
    const { trying, limits } = attempts(endpointsOf(1), 2, { full: true });
    assert.equal(trying.next(), null);
    assert.deepEqual(
      [trying.limit, trying.lastFailure, limits],
      ['max_connections', null, ['max_connections']],
    );
  });

  it('give none where no descriptor is left for a dial, and blame no endpoint', () => {
    const { trying, limits, failed } = attempts(endpointsOf(1), 2, { mayDial: () => false });
    assert.equal(trying.next(), null);
    assert.deepEqual(
      [trying.limit, trying.lastFailure, limits, failed],
      ['descriptors', null, ['descriptors'], []],
    );
  });

  it('need no descriptor for an endpoint with a kept connection', () => {
    const { trying, limits } = attempts(endpointsOf(1), 2, { mayDial: () => false });
    assert.notEqual(
      trying.next(() => true),
      null,
    );
    assert.deepEqual(limits, []);
  });

  it('stop retries where the budget is spent', () => {
    const { trying, limits } = attempts(endpointsOf(1, 1), 2, { takeRetry: () => false });
    trying.fail(trying.next()!, 'refused', 'connect');
    assert.equal(trying.next(), null);
    assert.deepEqual(
      [trying.limit, trying.lastFailure, limits],
      ['retry_budget', 'refused', ['retry_budget']],
    );
  });

  it('of connections hold over all workers', () => {
    const configs = endpointConfigs([1, 1]);
    const { pages, all, endpoints } = workers(2, configs);
    const cluster = (page: StatsPage): Cluster => {
      const config = clusterConfig({ endpoints: configs, maxConnections: 3 });
      return new Cluster(config, clusterState(config), homeOf({ pages: [page], all, endpoints }));
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
      { address: { kind: 'tcp', host: '::1', port: 80 }, weight: 7, maxConnections: 0 },
      { address: { kind: 'unix', path: '/run/app' }, weight: 1, maxConnections: 0 },
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

  function make(changes: Parameters<typeof clusterConfig>[0] = {}, home: Partial<ClusterHome> = {}): Cluster {
    const config = clusterConfig({ endpoints: configs, ...changes });
    return new Cluster(config, clusterState(config), homeOf(workers(1, configs), home));
  }

  it('gives out its endpoints with its retries, and counts those', () => {
    const home = homeOf(workers(1, configs));
    const cluster = make({ retries: 2 }, home);
    const trying = cluster.attempts(context);
    const tried = new Set<string>();
    for (let endpoint = trying.next(); endpoint !== null; endpoint = trying.next()) {
      tried.add(endpoint.label);
      trying.fail(endpoint, 'refused', 'connect');
    }
    assert.equal(tried.size, 3);
    const slot = home.page.slot(pageMetrics.clusterRetries, { cluster: 'app' });
    assert.equal(home.page.values[slot], 2);
  });

  it('tells of the failures that its outlier detection counts, and of no others', () => {
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
      for (const status of [200, 499, 600, 999, 500]) trying.answered(trying.next()!, status);
      return told.map(({ kind }) => kind);
    };
    assert.deepEqual(fail(null), []);
    assert.deepEqual(fail({ ...OUTLIER, failures: ['connect'] }), ['connect']);
    assert.deepEqual(fail({ ...OUTLIER, failures: ['5xx', 'reset'] }), ['reset', '5xx']);
    const { cluster, endpoint, count, client } = told[0]!;
    assert.deepEqual([cluster, count, client], ['app', 1, context.source]);
    assert.match(endpoint, /^192\.0\.2\.1:\d$/);
  });

  it('tells of a flood of failures a few times, with all of them counted', () => {
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
    // One for the client, which was not reported before, and a burst for it again.
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

  it('counts dials, answers and answers with a server error apart', () => {
    const home = homeOf(workers(1, configs));
    const cluster = make({}, home);
    const trying = cluster.attempts(context);
    const endpoint = trying.next()!;
    for (const [metric, count] of [
      [pageMetrics.endpointDials, () => endpoint.countDial()],
      [pageMetrics.endpointConnects, () => trying.answered(endpoint, 404)],
      [pageMetrics.endpointServerErrors, () => trying.answered(endpoint, 599)],
    ] as const) {
      const slot = home.page.slot(metric, { cluster: 'app', endpoint: endpoint.label });
      assert.equal(home.page.values[slot], 0);
      count();
      assert.equal(home.page.values[slot], 1);
    }
  });

  it('spreads by each of its balancers', () => {
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

  it('uses those that are up, and keeps what it has counted', () => {
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
    // More than half is down: panic.
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

  it('gives an endpoint that has come back its share little by little', () => {
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

  it('has TLS where it is configured, and refuses what cannot be used', () => {
    const tls = { serverName: null, ca: null, verify: true, cert: null, key: null };
    assert.equal(make({}).tls, null);
    assert.equal(make({ tls }).tls?.verify, true);
    assert.throws(() => make({ tls: { ...tls, cert: 'no PEM', key: 'no PEM' } }));
  });
});

describe('a sticky cluster', () => {
  const configs = endpointConfigs([1, 1, 1]);
  const sticky: Sticky = { cookie: 'sluice', ttlMs: 0, secret: null, sameSite: 'lax', secure: 'auto' };
  const config = clusterConfig({ endpoints: configs, sticky });
  const make = (secret: string, changes: Partial<Sticky> = {}): Cluster =>
    new Cluster(
      { ...config, sticky: { ...sticky, ...changes } },
      clusterState(config),
      homeOf(workers(1, configs), { secret }),
    );
  const valueOf = (header: string): string => /^sluice=([\w-]+);/.exec(header)![1]!;

  it('brings a client back to its endpoint in every worker', () => {
    const [one, two] = [make('secret'), make('secret')];
    for (let count = 0; count < 10; count++) {
      const trying = one.attempts(context);
      const endpoint = trying.next()!;
      const cookie = trying.cookieFor(endpoint, true)!;
      assert.match(cookie, /^sluice=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
      const again = two.attempts({ ...context, sticky: [valueOf(cookie)] });
      const same = again.next()!;
      assert.equal(same.label, endpoint.label);
      assert.equal(again.cookieFor(same, true), null, 'the client has it');
    }
  });

  it('has the attributes that are configured', () => {
    const cookie = (changes: Partial<Sticky>, secure: boolean): string => {
      const trying = make('secret', changes).attempts(context);
      return trying.cookieFor(trying.next()!, secure)!;
    };
    assert.match(cookie({ sameSite: 'strict' }, false), /; HttpOnly; SameSite=Strict$/);
    assert.match(cookie({ sameSite: 'none', secure: 'on' }, false), /; HttpOnly; SameSite=None; Secure$/);
    assert.match(cookie({ secure: 'on' }, false), /; SameSite=Lax; Secure$/);
  });

  it('gives the cookie anew where it would run out', () => {
    const cluster = make('secret', { ttlMs: 3_600_000 });
    const trying = cluster.attempts(context);
    const cookie = trying.cookieFor(trying.next()!, false)!;
    assert.match(cookie, /; SameSite=Lax; Max-Age=3600$/);
    const again = cluster.attempts({ ...context, sticky: [valueOf(cookie)] });
    assert.equal(again.cookieFor(again.next()!, false), cookie);
  });

  it('takes a client elsewhere when its endpoint is down or fails, with a new cookie', () => {
    const cluster = make('secret');
    const trying = cluster.attempts(context);
    const endpoint = trying.next()!;
    const mine = { ...context, sticky: [valueOf(trying.cookieFor(endpoint, false)!)] };
    const failing = new Attempts(cluster, mine, 1);
    failing.fail(failing.next()!, 'refused', 'connect');
    assert.notEqual(failing.next()!.label, endpoint.label);
    const states = configs.map((entry) => endpointState(entry));
    cluster.update({
      ...clusterState({ name: 'app', endpoints: [] }),
      endpoints: states.map((state) => ({
        ...state,
        health: state.label === endpoint.label ? 'down' : 'up',
      })),
    });
    const elsewhere = cluster.attempts(mine);
    const other = elsewhere.next()!;
    assert.notEqual(other.label, endpoint.label);
    assert.ok(elsewhere.cookieFor(other, false)!.startsWith('sluice='));
  });

  it('finds its cookie among others of that name', () => {
    for (let count = 0; count < 10; count++) {
      const trying = make('secret').attempts(context);
      const endpoint = trying.next()!;
      const value = valueOf(trying.cookieFor(endpoint, false)!);
      const again = make('secret').attempts({ ...context, sticky: ['zz', value, 'y'] });
      const same = again.next()!;
      assert.equal(same.label, endpoint.label);
      assert.equal(again.cookieFor(same, false), null, 'the client has it');
    }
  });

  it('believes no cookie that it has not made', () => {
    const trying = make('secret').attempts(context);
    const endpoint = trying.next()!;
    const value = valueOf(trying.cookieFor(endpoint, false)!);
    const other = make('another secret');
    const labels = new Set<string>();
    for (const shown of [value, endpoint.label, '', 'x'.repeat(10_000)]) {
      for (let count = 0; count < 9; count++)
        labels.add(other.attempts({ ...context, sticky: [shown] }).next()!.label);
    }
    assert.equal(labels.size, 3);
  });
});
