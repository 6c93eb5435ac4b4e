import { TICK_MS, Timed, type TimerWheel } from '../../core/timer-wheel.ts';
import { BOUND_CLOSES, pageMetrics } from '../../telemetry/names.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { StatsPage } from '../../telemetry/stats-page.ts';
import type { Cluster } from '../../upstream/cluster.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import type { UpstreamOwner, UpstreamSocket } from '../upstream/upstream-socket.ts';
import type { Asker, ClientConnection, ClientConnections } from './client-connections.ts';

type BoundClose = (typeof BOUND_CLOSES)[number];

/** Max bound connections of a worker, and of one client's connection. */
const MAX_BOUND = 1024;
const MAX_PER_CLIENT = 8;

/** A connection to an endpoint that is bound, and free for the client's next request. */
export interface Bound {
  readonly endpoint: Endpoint;
  readonly socket: UpstreamSocket;
}

/**
 * Connections to endpoints that carry requests of one client's connection only, because they are authenticated (NTLM,
 * Negotiate). At most one for each cluster and client's connection waits here between two requests. It counts as a
 * connection of its endpoint all the time.
 */
export class BoundConnections {
  readonly #wheel: TimerWheel;
  readonly #clients: ClientConnections;
  readonly #log: Logger;
  readonly #values: Float64Array;
  readonly #activeSlot: number;
  readonly #closeSlots: ReadonlyMap<BoundClose, number>;
  readonly #byClient = new Map<ClientConnection, Map<Cluster, WaitingConnection>>();
  readonly #byPeer = new Map<string, Set<ClientConnection>>();
  /** In the order of their last use. */
  readonly #all = new Set<WaitingConnection>();
  readonly #sweep = new Sweep(() => this.#closeOfGone());
  #warned = false;

  constructor(wheel: TimerWheel, clients: ClientConnections, page: StatsPage, log: Logger) {
    this.#wheel = wheel;
    this.#clients = clients;
    this.#log = log;
    this.#values = page.values;
    this.#activeSlot = page.slot(pageMetrics.boundActive, {});
    this.#closeSlots = new Map(
      BOUND_CLOSES.map((reason) => [reason, page.slot(pageMetrics.boundCloses, { reason })]),
    );
  }

  /** Returns the client's connection that a request has come on if anything is bound to it. */
  clientOf(asker: Asker): ClientConnection | null {
    const among = this.#byPeer.get(asker.peer);
    return among === undefined ? null : this.#clients.recognise(asker, among);
  }

  /**
   * Returns the client's connection that a request has come on; null if it cannot be told.
   *
   * @param hasCredentials as for {@link ClientConnections.find}
   */
  identify(asker: Asker, hasCredentials: boolean): ClientConnection | null {
    const client = this.clientOf(asker) ?? this.#clients.find(asker, hasCredentials);
    if (client === null) {
      this.#count('unidentified');
      if (!this.#clients.isSupported && !this.#warned) {
        this.#warned = true;
        this.#log.warn({}, 'no connection-bound authentication without system calls');
      }
    }
    return client;
  }

  /** Takes the connection to a cluster that is bound to a client's; null if there is none. It has no owner. */
  take(client: ClientConnection, cluster: Cluster): Bound | null {
    const bound = this.#byClient.get(client)?.get(cluster);
    if (bound === undefined) return null;
    if (!takesRequests(bound.endpoint, cluster)) {
      this.#close(bound, 'drained');
      return null;
    }
    this.#forget(bound);
    bound.socket.owner = null;
    return bound;
  }

  /** Keeps a connection on which nothing is under way, unless its endpoint takes no requests. @param ms how long at most */
  keep(
    client: ClientConnection,
    cluster: Cluster,
    endpoint: Endpoint,
    socket: UpstreamSocket,
    ms: number,
  ): void {
    let connections = this.#byClient.get(client);
    const other = connections?.get(cluster);
    if (other !== undefined) this.#close(other, 'limit');
    while (connections !== undefined && connections.size >= MAX_PER_CLIENT) {
      this.#close(connections.values().next().value!, 'limit');
    }
    if (this.#all.size >= MAX_BOUND) this.#close(this.#all.values().next().value!, 'limit');
    connections = this.#byClient.get(client);
    if (connections === undefined) {
      connections = new Map();
      this.#byClient.set(client, connections);
      const peers = this.#byPeer.get(client.peer);
      if (peers === undefined) this.#byPeer.set(client.peer, new Set([client]));
      else peers.add(client);
    }
    // A connection that carries nothing gives way to one that would.
    cluster.makeRoom = (wanted) => this.#makeRoom(cluster, wanted);
    const bound = new WaitingConnection(client, cluster, endpoint, socket, (reason) =>
      this.#close(bound, reason),
    );
    socket.owner = bound;
    connections.set(cluster, bound);
    this.#all.add(bound);
    this.#values[this.#activeSlot]! += 1;
    this.#wheel.arm(bound, ms);
    if (!takesRequests(endpoint, cluster)) this.#close(bound, 'drained');
  }

  /** A connection of a client has closed; uWS does not tell which. */
  clientClosed(): void {
    if (this.#all.size > 0 && this.#sweep.wheelTick < 0) this.#wheel.arm(this.#sweep, TICK_MS);
  }

  /** Closes the connections to endpoints that the configuration no longer has. */
  closeRemoved(): void {
    for (const bound of [...this.#all]) if (bound.endpoint.removed) this.#close(bound, 'drained');
  }

  /** Closes every connection. */
  close(): void {
    for (const bound of [...this.#all]) this.#close(bound, 'drained');
    this.#wheel.disarm(this.#sweep);
  }

  #makeRoom(cluster: Cluster, endpoint: Endpoint | null): boolean {
    for (const bound of this.#all) {
      if (bound.cluster !== cluster || (endpoint !== null && bound.endpoint !== endpoint)) continue;
      this.#close(bound, 'limit');
      return true;
    }
    return false;
  }

  #closeOfGone(): void {
    for (const [client, connections] of [...this.#byClient]) {
      if (this.#clients.isOpen(client)) continue;
      for (const bound of [...connections.values()]) this.#close(bound, 'client_gone');
    }
  }

  #close(bound: WaitingConnection, reason: BoundClose): void {
    this.#forget(bound);
    bound.socket.owner = null;
    bound.socket.destroy();
    bound.endpoint.release();
    this.#count(reason);
  }

  #forget(bound: WaitingConnection): void {
    const { client, cluster } = bound;
    this.#wheel.disarm(bound);
    this.#all.delete(bound);
    this.#values[this.#activeSlot]! -= 1;
    const connections = this.#byClient.get(client)!;
    connections.delete(cluster);
    if (connections.size > 0) return;
    this.#byClient.delete(client);
    const peers = this.#byPeer.get(client.peer)!;
    peers.delete(client);
    if (peers.size === 0) this.#byPeer.delete(client.peer);
  }

  #count(reason: BoundClose): void {
    this.#values[this.#closeSlots.get(reason)!]! += 1;
  }
}

function takesRequests({ eligible, removed }: Endpoint, { draining }: Cluster): boolean {
  return eligible && !removed && !draining;
}

/** Looks for clients that have gone. */
class Sweep extends Timed {
  readonly #look: () => void;

  constructor(look: () => void) {
    super();
    this.#look = look;
  }

  override expire(): void {
    this.#look();
  }
}

/** A bound connection between two requests. Whatever the endpoint says now ends it: nothing was asked. */
class WaitingConnection extends Timed implements UpstreamOwner, Bound {
  readonly client: ClientConnection;
  readonly cluster: Cluster;
  readonly endpoint: Endpoint;
  readonly socket: UpstreamSocket;
  readonly #ended: (reason: BoundClose) => void;

  constructor(
    client: ClientConnection,
    cluster: Cluster,
    endpoint: Endpoint,
    socket: UpstreamSocket,
    ended: (reason: BoundClose) => void,
  ) {
    super();
    this.client = client;
    this.cluster = cluster;
    this.endpoint = endpoint;
    this.socket = socket;
    this.#ended = ended;
  }

  override expire(): void {
    this.#ended('idle_timeout');
  }

  upstreamConnected(): void {
    // It is connected.
  }

  upstreamData(): void {
    this.#ended('endpoint');
  }

  upstreamEnded(): void {
    this.#ended('endpoint');
  }

  upstreamClosed(): void {
    this.#ended('endpoint');
  }
}
