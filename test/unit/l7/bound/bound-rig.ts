import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import { BoundConnections, type Bound } from '../../../../src/l7/bound/bound-connections.ts';
import type {
  Requester,
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
import { endsOf } from '../connection-ends.ts';

export class FakeSocket {
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
  tlsGeneration: number;
  release(): void;
}

/** The bound connections of a worker with fake clients, endpoints and sockets. */
export class Rig {
  readonly wheel = new TimerWheel(0);
  readonly open = new Set<ClientConnection>();
  readonly watched = new Set<ClientConnection>();
  readonly endpoint: FakeEndpoint = {
    held: 0,
    eligible: true,
    removed: false,
    tlsGeneration: 0,
    release: () => this.endpoint.held--,
  };
  readonly warnings: string[] = [];
  readonly bound: BoundConnections;
  readonly #page: StatsPage;
  readonly #clients: ClientConnections | null;
  now = 0;

  constructor(isSupported = true) {
    const layout = new PageLayout();
    layout.add(pageMetrics.boundActive, {});
    for (const reason of BOUND_CLOSES) layout.add(pageMetrics.boundCloses, { reason });
    this.#page = new StatsPage(allocatePage(layout), layout);
    this.#clients = isSupported ? this.#fakeClients() : null;
    const log = { warn: (_fields: unknown, text: string) => this.warnings.push(text) };
    this.bound = new BoundConnections(this.wheel, this.#page, log as never);
  }

  #fakeClients(): ClientConnections {
    return {
      recognise: (requester) => {
        const client = clientOf(requester);
        return client !== null && this.watched.has(client) ? client : null;
      },
      find: (requester, found) => {
        found(clientOf(requester));
        return () => undefined;
      },
      findNow: clientOf,
    };
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

  requester(client: ClientConnection | null, peer = '192.0.2.1'): Requester {
    const engine = { clients: this.#clients, clientsTouched: () => undefined };
    return {
      peer,
      client: { address: peer },
      engine,
      connection: { client },
      body: null,
      startedAt: 0,
      ends: () => endsOf(peer),
    };
  }

  /** Keeps a connection, which is counted at its endpoint. */
  keep(
    client: ClientConnection,
    cluster: Cluster,
    { ms = 1000, accepted = true, use = '' } = {},
  ): FakeSocket {
    const fake = new FakeSocket();
    this.endpoint.held++;
    const endpoint = this.endpoint as unknown as Endpoint;
    const socket = fake as unknown as UpstreamSocket;
    const binding = { client, network: networkOf(client.peer), cluster };
    this.bound.keep(binding, { endpoint, socket, accepted, use }, ms);
    return fake;
  }

  take(client: ClientConnection, cluster: Cluster, use = ''): Bound | null {
    return this.bound.take(client, cluster, use);
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

function clientOf({ connection }: Requester): ClientConnection | null {
  return (connection as { client: ClientConnection | null }).client;
}
