import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import { BoundConnections, type Bound } from '../../../../src/l7/bound/bound-connections.ts';
import type {
  Asker,
  ClientConnection,
  ClientConnections,
} from '../../../../src/l7/contract/client-connections.ts';
import type { UpstreamOwner, UpstreamSocket } from '../../../../src/l7/contract/upstream-socket.ts';
import { BOUND_CLOSES } from '../../../../src/telemetry/metrics/label-values.ts';
import { pageMetrics } from '../../../../src/telemetry/metrics/page-metrics.ts';
import { PageLayout } from '../../../../src/telemetry/page-layout.ts';
import { StatsPage, allocatePage } from '../../../../src/telemetry/stats-page.ts';
import type { Cluster } from '../../../../src/upstream/cluster.ts';
import type { Endpoint } from '../../../../src/upstream/endpoint.ts';
import { networkOf } from '../../../../src/wire/ip-address.ts';

class FakeSocket {
  owner: UpstreamOwner | null = null;
  destroyed = false;

  destroy(): void {
    this.destroyed = true;
  }
}

interface FakeEndpoint {
  held: number;
  eligible: boolean;
  removed: boolean;
  release(): void;
}

class Rig {
  readonly wheel = new TimerWheel(0);
  readonly open = new Set<ClientConnection>();
  readonly watched = new Set<ClientConnection>();
  readonly endpoint: FakeEndpoint = {
    held: 0,
    eligible: true,
    removed: false,
    release: () => this.endpoint.held--,
  };
  readonly warnings: string[] = [];
  readonly bound: BoundConnections;
  readonly #page: StatsPage;
  now = 0;

  constructor(isSupported = true) {
    const layout = new PageLayout();
    layout.add(pageMetrics.boundActive, {});
    for (const reason of BOUND_CLOSES) layout.add(pageMetrics.boundCloses, { reason });
    this.#page = new StatsPage(allocatePage(layout), layout);
    const clients: ClientConnections = {
      recognise: (asker) => {
        const client = clientOf(asker);
        return client !== null && this.watched.has(client) ? client : null;
      },
      find: (asker, found) => {
        found(clientOf(asker));
        return () => undefined;
      },
      findNow: clientOf,
    };
    const log = { warn: (_fields: unknown, text: string) => this.warnings.push(text) };
    this.bound = new BoundConnections(this.wheel, isSupported ? clients : null, this.#page, log as never);
  }

  client(peer = '192.0.2.1'): ClientConnection {
    const client: ClientConnection = {
      peer,
      isOpen: () => this.open.has(client),
      watch: () => this.open.has(client) && this.watched.add(client).size > 0,
      unwatch: () => void this.watched.delete(client),
    };
    this.open.add(client);
    return client;
  }

  cluster(): Cluster {
    return { draining: false, makeRoom: () => false } as unknown as Cluster;
  }

  asker(client: ClientConnection | null, peer = '192.0.2.1'): Asker {
    return { peer, client: { address: peer }, connection: { client }, body: null, startedAt: 0 };
  }

  /** Keeps a connection, which is counted at its endpoint. */
  keep(
    client: ClientConnection,
    cluster: Cluster,
    { ms = 1000, accepted = true, ofRoute = '' } = {},
  ): FakeSocket {
    const fake = new FakeSocket();
    this.endpoint.held++;
    const endpoint = this.endpoint as unknown as Endpoint;
    const socket = fake as unknown as UpstreamSocket;
    const binding = { client, network: networkOf(client.peer), cluster };
    this.bound.keep(binding, { endpoint, socket, accepted, ofRoute }, ms);
    return fake;
  }

  take(client: ClientConnection, cluster: Cluster, ofRoute = ''): Bound | null {
    return this.bound.take(client, cluster, ofRoute);
  }

  pass(ms: number): void {
    for (const end = this.now + ms; this.now < end;) this.wheel.advance((this.now += 100));
  }

  get active(): number {
    return this.#page.values[this.#page.slot(pageMetrics.boundActive, {})]!;
  }

  closed(): Record<string, number> {
    const counts = BOUND_CLOSES.map((reason): [string, number] => [
      reason,
      this.#page.values[this.#page.slot(pageMetrics.boundCloses, { reason })]!,
    ]);
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  }
}

function clientOf({ connection }: Asker): ClientConnection | null {
  return (connection as { client: ClientConnection | null }).client;
}

describe('bound connections', () => {
  it('are for their client and cluster only, and count at their endpoint until they close', () => {
    const rig = new Rig();
    const [alice, bob] = [rig.client(), rig.client()];
    const cluster = rig.cluster();
    const socket = rig.keep(alice, cluster);
    assert.equal(rig.bound.clientOf(rig.asker(bob)), null);
    assert.equal(rig.bound.clientOf(rig.asker(alice, '192.0.2.2')), null);
    assert.equal(rig.take(bob, cluster), null);
    assert.equal(rig.take(alice, rig.cluster()), null);
    assert.equal(rig.bound.clientOf(rig.asker(alice)), alice);
    assert.equal(rig.take(alice, cluster)?.socket, socket as unknown as UpstreamSocket);
    assert.deepEqual([socket.owner, socket.destroyed, rig.endpoint.held, rig.active], [null, false, 1, 0]);
    assert.equal(rig.take(alice, cluster), null);
    assert.equal(rig.bound.clientOf(rig.asker(alice)), null);
  });

  for (const [when, reason, end] of [
    ['they have waited long enough', 'idle_timeout', (rig: Rig) => rig.pass(1100)],
    ['the endpoint sends FIN', 'endpoint', (_rig: Rig, socket: FakeSocket) => socket.owner!.upstreamEnded()],
    [
      'the endpoint says something',
      'endpoint',
      (_rig: Rig, socket: FakeSocket) => socket.owner!.upstreamData(Buffer.of(1), 0, 1),
    ],
    [
      'the endpoint closes',
      'endpoint',
      (_rig: Rig, socket: FakeSocket) => socket.owner!.upstreamClosed(null),
    ],
    ['the worker ends', 'drained', (rig: Rig) => rig.bound.close()],
    [
      'their endpoint is removed',
      'drained',
      (rig: Rig) => {
        rig.endpoint.removed = true;
        rig.bound.closeRemoved();
      },
    ],
    [
      'their client has gone',
      'client_gone',
      (rig: Rig) => {
        rig.open.clear();
        rig.bound.clientClosed();
        rig.pass(200);
      },
    ],
  ] as const) {
    it(`close when ${when}`, () => {
      const rig = new Rig();
      const client = rig.client();
      const cluster = rig.cluster();
      const socket = rig.keep(client, cluster);
      end(rig, socket);
      assert.deepEqual([socket.destroyed, rig.endpoint.held, rig.active], [true, 0, 0]);
      assert.deepEqual(rig.closed(), { [reason]: 1 });
      assert.equal(rig.take(client, cluster), null);
    });
  }

  it('are not used once their endpoint takes no connections', () => {
    const rig = new Rig();
    const client = rig.client();
    const cluster = rig.cluster();
    const socket = rig.keep(client, cluster);
    rig.endpoint.eligible = false;
    assert.equal(rig.take(client, cluster), null);
    assert.deepEqual([socket.destroyed, rig.closed()], [true, { drained: 1 }]);
  });

  it('are not kept if their endpoint takes no connections any more when their request ends', () => {
    for (const state of [{ removed: true }, { eligible: false }]) {
      const rig = new Rig();
      const [client, cluster] = [rig.client(), rig.cluster()];
      rig.keep(client, cluster);
      assert.ok(rig.take(client, cluster));
      // Drained while the request is under way.
      Object.assign(rig.endpoint, state, { held: 0 });
      const socket = rig.keep(client, cluster);
      assert.deepEqual([socket.destroyed, rig.endpoint.held, rig.active], [true, 0, 0]);
      assert.deepEqual(rig.closed(), { drained: 1 });
    }
  });

  it('that a route has logged in are for requests with the same credentials only', () => {
    const rig = new Rig();
    const [client, cluster] = [rig.client(), rig.cluster()];
    const routes = rig.keep(client, cluster, { ofRoute: 'authorization: Negotiate YII=' });
    assert.equal(rig.take(client, cluster), null);
    const own = rig.keep(client, cluster);
    assert.deepEqual([routes.destroyed, rig.active], [false, 2]);
    assert.equal(rig.take(client, cluster, 'authorization: Negotiate other'), null);
    const taken = rig.take(client, cluster, 'authorization: Negotiate YII=');
    assert.equal(taken?.socket, routes as unknown as UpstreamSocket);
    assert.equal(rig.take(client, cluster)?.socket, own as unknown as UpstreamSocket);
  });

  it('of other clients stay when one goes', () => {
    const rig = new Rig();
    const [alice, bob] = [rig.client(), rig.client()];
    const sockets = [rig.keep(alice, rig.cluster()), rig.keep(bob, rig.cluster())];
    rig.open.delete(alice);
    rig.bound.clientClosed();
    rig.pass(200);
    assert.deepEqual(
      sockets.map(({ destroyed }) => destroyed),
      [true, false],
    );
  });

  it('are 8 for each client and 1,024 in all: the ones used longest ago close', () => {
    const rig = new Rig();
    const alice = rig.client();
    const sockets = Array.from({ length: 10 }, () => rig.keep(alice, rig.cluster()));
    assert.deepEqual(
      sockets.map(({ destroyed }) => destroyed),
      [true, true, ...Array<boolean>(8).fill(false)],
    );
    for (let count = 0; count < 1100; count++) rig.keep(rig.client(`192.0.2.${count}`), rig.cluster());
    assert.deepEqual([rig.active, rig.endpoint.held], [1024, 1024]);
    assert.ok(sockets.every(({ destroyed }) => destroyed));
  });

  it('give way to connections that carry something', () => {
    const rig = new Rig();
    const [one, other] = [rig.cluster(), rig.cluster()];
    const sockets = [one, one, other].map((cluster) => rig.keep(rig.client(), cluster));
    assert.equal(one.makeRoom({ label: 'another' } as unknown as Endpoint, ''), false);
    assert.equal(one.makeRoom(rig.endpoint as unknown as Endpoint, ''), true);
    assert.equal(one.makeRoom(null, ''), true);
    assert.equal(one.makeRoom(null, ''), false);
    assert.deepEqual(
      sockets.map(({ destroyed }) => destroyed),
      [true, true, false],
    );
    assert.deepEqual(rig.closed(), { limit: 2 });
  });

  it('give way first while their login has not been accepted', () => {
    const rig = new Rig();
    const cluster = rig.cluster();
    const sockets = [true, false, true, false].map((accepted) =>
      rig.keep(rig.client(), cluster, { accepted }),
    );
    const order = sockets.map(() => {
      const before = sockets.map(({ destroyed }) => destroyed);
      assert.equal(cluster.makeRoom(null, ''), true);
      return sockets.findIndex(({ destroyed }, index) => destroyed !== before[index]);
    });
    assert.deepEqual(order, [1, 3, 0, 2]);
  });

  it('give way to others of the worker first while their login has not been accepted', () => {
    const rig = new Rig();
    const honest = rig.keep(rig.client(), rig.cluster());
    for (let count = 0; count < 1100; count++) rig.keep(rig.client(), rig.cluster(), { accepted: false });
    assert.deepEqual([honest.destroyed, rig.active], [false, 1024]);
  });

  for (const limit of ['worker', 'cluster', 'endpoint'] as const) {
    it(`of one network close when a flood from it reaches the limit of the ${limit}`, () => {
      const rig = new Rig();
      const cluster = rig.cluster();
      const victims = [1, 2, 3].map((number) => rig.keep(rig.client(`192.0.2.${number}`), cluster));
      for (let count = 0; count < 1100; count++) {
        // Addresses of one IPv6 network.
        const attacker = `2001:db8:0:1::${count.toString(16)}`;
        if (limit !== 'worker' && rig.active >= 8) {
          const limited = limit === 'cluster' ? null : (rig.endpoint as unknown as Endpoint);
          assert.equal(cluster.makeRoom(limited, attacker), true);
        }
        rig.keep(rig.client(attacker), cluster);
      }
      assert.deepEqual(
        victims.map(({ destroyed }) => destroyed),
        [false, false, false],
      );
      const most = limit === 'worker' ? 1024 : 8;
      assert.deepEqual([rig.active, rig.endpoint.held, rig.closed()], [most, most, { limit: 1103 - most }]);
    });
  }

  it('do not give way to more connections in use of a network that holds the most', () => {
    const rig = new Rig();
    const cluster = rig.cluster();
    const endpoint = rig.endpoint as unknown as Endpoint;
    const victims = [1, 2].map((number) => rig.keep(rig.client(`192.0.2.${number}`), cluster));
    for (let count = 0; count < 6; count++) rig.bound.beginUse('192.0.2.9', cluster, endpoint);
    assert.equal(cluster.makeRoom(null, '192.0.2.9'), false);
    assert.equal(cluster.makeRoom(endpoint, '192.0.2.9'), false);
    for (let count = 0; count < 6; count++) rig.bound.endUse('192.0.2.9', cluster, endpoint);
    assert.equal(cluster.makeRoom(endpoint, '192.0.2.9'), true);
    assert.deepEqual(
      victims.map(({ destroyed }) => destroyed),
      [true, false],
    );
  });

  it('are not kept if the worker is full and their network has more in use than all others keep', () => {
    const rig = new Rig();
    const cluster = rig.cluster();
    for (let count = 0; count < 1024; count++) rig.keep(rig.client(`192.0.2.${count}`), cluster);
    for (let count = 0; count < 6; count++) {
      rig.bound.beginUse('198.51.100.1', cluster, rig.endpoint as unknown as Endpoint);
    }
    const socket = rig.keep(rig.client('198.51.100.1'), cluster);
    assert.deepEqual([socket.destroyed, rig.active, rig.closed()], [true, 1024, { limit: 1 }]);
  });

  it('close if the client has gone before they are kept', () => {
    const rig = new Rig();
    const client = rig.client();
    rig.open.clear();
    const socket = rig.keep(client, rig.cluster());
    assert.deepEqual([socket.destroyed, rig.closed()], [true, { client_gone: 1 }]);
  });

  for (const isSupported of [false, true]) {
    const how = isSupported ? 'with' : 'without';
    it(`cannot be without an identity, which is counted and said once: ${how} system calls`, () => {
      const rig = new Rig(isSupported);
      let told = 0;
      for (let count = 0; count < 3; count++) {
        rig.bound.identify(rig.asker(null), (client) => {
          assert.equal(client, null);
          told++;
        });
      }
      assert.equal(rig.bound.identifyNow(rig.asker(null)), null);
      assert.deepEqual([told, rig.closed()], [3, { unidentified: 3, unauthenticated: 1 }]);
      assert.equal(rig.warnings.length, 1);
    });
  }
});
