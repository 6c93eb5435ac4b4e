import { TICK_MS, Timed, type TimerWheel } from '../../core/timing/timer-wheel.ts';
import { LineLimit } from '../../telemetry/line-limit.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { BOUND_CLOSES } from '../../telemetry/metrics/label-values.ts';
import { pageMetrics } from '../../telemetry/metrics/page-metrics.ts';
import type { StatsPage } from '../../telemetry/stats-page.ts';
import type { Cluster } from '../../upstream/cluster.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import { networkOf } from '../../wire/ip-address.ts';
import type { Requester, ClientConnection } from '../contract/client-connections.ts';
import type { UpstreamOwner, UpstreamSocket } from '../contract/upstream-socket.ts';
import { FairShares, type Share } from './fair-shares.ts';

type BoundClose = (typeof BOUND_CLOSES)[number];

/** Max bound connections of a worker, and of one client's connection. */
const MAX_BOUND = 1024;
const MAX_PER_CLIENT = 8;

/** An idle bound connection to an endpoint. */
export interface Bound {
  readonly endpoint: Endpoint;
  readonly socket: UpstreamSocket;
  /** Whether the endpoint has sent any answer except demands to log in (401, 407). */
  readonly accepted: boolean;
  /**
   * The version of its PROXY header, and the credentials that its route sends. Only requests with the same
   * use get it.
   */
  readonly use: string;
}

/** The client's connection that a connection is bound to, and its cluster. */
interface Binding {
  readonly client: ClientConnection;
  /** The client's network, which the connection counts for. */
  readonly network: string;
  readonly cluster: Cluster;
}

/**
 * Keeps connections to endpoints that only one client's connection may use. Either they are authenticated
 * (NTLM, Negotiate), or their PROXY header has named that client.
 *
 * Between two requests, one idle connection is kept per cluster and client connection, and another one per
 * login that a route sends. Idle bound connections count for their endpoint's limits.
 */
export class BoundConnections {
  readonly #wheel: TimerWheel;
  readonly #log: Logger;
  readonly #lines = new LineLimit();
  readonly #values: Float64Array;
  readonly #activeSlot: number;
  readonly #closeSlots: ReadonlyMap<BoundClose, number>;
  readonly #byClient = new Map<ClientConnection, Set<WaitingConnection>>();
  readonly #byPeer = new Map<string, Set<ClientConnection>>();
  readonly #shares = new FairShares<WaitingConnection>();
  readonly #sharesOf = new WeakMap<Cluster | Endpoint, FairShares<WaitingConnection>>();
  #turns = 0;
  readonly #sweep = new Sweep(() => this.#dropOfGone());
  #warned = false;

  constructor(wheel: TimerWheel, page: StatsPage, log: Logger) {
    this.#wheel = wheel;
    this.#log = log;
    this.#values = page.values;
    this.#activeSlot = page.slot(pageMetrics.boundActive, {});
    this.#closeSlots = new Map(
      BOUND_CLOSES.map((reason) => [reason, page.slot(pageMetrics.boundCloses, { reason })]),
    );
  }

  /**
   * Returns the client's connection that carries a request, if anything is bound to it, or null. Must be
   * called as soon as the request's head arrives.
   */
  clientOf(requester: Requester): ClientConnection | null {
    if (!this.#byPeer.has(requester.peer)) return null;
    const { clients } = requester.engine;
    return clients === null ? null : clients.recognise(requester);
  }

  /**
   * Finds the client's connection that carries a login.
   *
   * @param found gets null if the connection cannot be found: the login will fail. May be called before this
   * returns.
   * @returns a function that cancels the search: call it when the connection closes
   */
  identify(requester: Requester, found: (client: ClientConnection | null) => void): () => void {
    const { clients } = requester.engine;
    if (clients === null) {
      this.#count('unidentified');
      if (!this.#warned) this.#log.warn({}, 'connection-bound authentication off without system calls');
      this.#warned = true;
      found(null);
      return () => undefined;
    }
    return clients.find(requester, (client) => {
      if (client === null) {
        this.#count('unidentified');
        const more = this.#lines.take();
        const { address } = requester.client;
        if (more !== null)
          this.#log.warn({ client: address, ...more }, 'client connection of a login not found');
      }
      found(client);
    });
  }

  /**
   * Finds the client's connection of a request without credentials if that is quick. Returns null otherwise.
   *
   * @param isLogin whether the endpoint demands a login, which fails if the connection cannot be found
   */
  identifyNow(requester: Requester, isLogin: boolean): ClientConnection | null {
    const client = requester.engine.clients?.findNow(requester) ?? null;
    if (client === null && isLogin) this.#count('unauthenticated');
    return client;
  }

  /**
   * Takes the connection to a cluster that is bound to a client's connection, or returns null. It has no
   * owner.
   *
   * @param use as for {@link Bound.use}: other routes must not use the login
   */
  take(client: ClientConnection, cluster: Cluster, use: string): Bound | null {
    const bound = this.#find(client, cluster, use);
    if (bound === null) return null;
    if (!takesRequests(bound.endpoint, cluster)) {
      this.#drop(bound, 'drained');
      return null;
    }
    this.#forget(bound);
    bound.socket.owner = null;
    return bound;
  }

  /**
   * Keeps an idle connection, unless its endpoint takes no requests.
   *
   * @param ms max idle time in milliseconds
   */
  keep(binding: Binding, kept: Bound, ms: number): void {
    const { client, network, cluster } = binding;
    const { endpoint, socket } = kept;
    const other = this.#find(client, cluster, kept.use);
    if (other !== null) this.#drop(other, 'limit');
    let connections = this.#byClient.get(client);
    while (connections !== undefined && connections.size >= MAX_PER_CLIENT) {
      this.#drop(connections.values().next().value!, 'limit');
    }
    const isFull = this.#shares.waiting >= MAX_BOUND;
    const displaced = isFull ? this.#shares.chooseFor(network) : null;
    if (displaced !== null) this.#drop(displaced, 'limit');
    connections = this.#byClient.get(client);
    const isNew = connections === undefined;
    if (connections === undefined) {
      connections = new Set();
      this.#byClient.set(client, connections);
      const peers = this.#byPeer.get(client.peer);
      if (peers === undefined) this.#byPeer.set(client.peer, new Set([client]));
      else peers.add(client);
    }
    const bound = new WaitingConnection(binding, kept, this.#turns++, (reason) => this.#drop(bound, reason));
    socket.owner = bound;
    connections.add(bound);
    for (const shares of this.#limitsOf(cluster, endpoint)) shares.add(bound);
    this.#values[this.#activeSlot]! += 1;
    this.#wheel.arm(bound, ms);
    if (isFull && displaced === null) this.#drop(bound, 'limit');
    else if (!takesRequests(endpoint, cluster)) this.#drop(bound, 'drained');
    else if (isNew && !client.watch()) this.#drop(bound, 'client_gone');
  }

  /** Counts a bound connection in use, or one with a pending login, for a network until {@link endUse}. */
  beginUse(network: string, cluster: Cluster, endpoint: Endpoint): void {
    for (const shares of this.#limitsOf(cluster, endpoint)) shares.beginUse(network);
  }

  endUse(network: string, cluster: Cluster, endpoint: Endpoint): void {
    for (const shares of this.#limitsOf(cluster, endpoint)) shares.endUse(network);
  }

  /** Called when a client's connection has closed. The engine need not know which one. */
  clientClosed(): void {
    if (this.#byClient.size > 0 && this.#sweep.wheelTick < 0) this.#wheel.arm(this.#sweep, TICK_MS);
  }

  /** Closes the connections that the configuration no longer allows for requests. */
  closeOutdated(): void {
    for (const bound of this.#all()) if (bound.isOutdated) this.#drop(bound, 'drained');
  }

  /** Closes every connection. */
  close(): void {
    for (const bound of this.#all()) this.#drop(bound, 'drained');
    this.#wheel.disarm(this.#sweep);
  }

  /** Finds a client's idle connection to a cluster. Checks at most {@link MAX_PER_CLIENT} connections. */
  #find(client: ClientConnection, cluster: Cluster, use: string): WaitingConnection | null {
    for (const bound of this.#byClient.get(client) ?? []) {
      if (bound.cluster === cluster && bound.use === use) return bound;
    }
    return null;
  }

  #all(): WaitingConnection[] {
    return [...this.#byClient.values()].flatMap((connections) => [...connections]);
  }

  /** Returns the shares of the worker, the cluster and the endpoint. Each has its own limit. */
  #limitsOf(cluster: Cluster, endpoint: Endpoint): readonly FairShares<WaitingConnection>[] {
    let ofCluster = this.#sharesOf.get(cluster);
    if (ofCluster === undefined) {
      this.#sharesOf.set(cluster, (ofCluster = new FairShares()));
      // An idle connection is closed to make room for a new one.
      cluster.makeRoom = (wanted, client) => this.#makeRoom(wanted ?? cluster, client);
    }
    let ofEndpoint = this.#sharesOf.get(endpoint);
    if (ofEndpoint === undefined) this.#sharesOf.set(endpoint, (ofEndpoint = new FairShares()));
    return [this.#shares, ofCluster, ofEndpoint];
  }

  #makeRoom(limited: Cluster | Endpoint, client: string): boolean {
    const bound = this.#sharesOf.get(limited)?.chooseFor(networkOf(client)) ?? null;
    if (bound === null) return false;
    this.#drop(bound, 'limit');
    return true;
  }

  #dropOfGone(): void {
    for (const [client, connections] of [...this.#byClient]) {
      if (client.isOpen()) continue;
      for (const bound of [...connections]) this.#drop(bound, 'client_gone');
    }
  }

  #drop(bound: WaitingConnection, reason: BoundClose): void {
    this.#forget(bound);
    bound.socket.owner = null;
    bound.socket.destroy();
    bound.endpoint.release();
    this.#count(reason);
  }

  #forget(bound: WaitingConnection): void {
    const { client, cluster, endpoint } = bound;
    this.#wheel.disarm(bound);
    for (const shares of this.#limitsOf(cluster, endpoint)) shares.delete(bound);
    this.#values[this.#activeSlot]! -= 1;
    const connections = this.#byClient.get(client)!;
    connections.delete(bound);
    if (connections.size > 0) return;
    this.#byClient.delete(client);
    client.unwatch();
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

/** Checks for closed client connections, one tick after the engine reported one. */
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

/** An idle bound connection. Any bytes from the endpoint end it, because they answer no request. */
class WaitingConnection extends Timed implements UpstreamOwner, Bound, Share {
  readonly client: ClientConnection;
  readonly network: string;
  readonly cluster: Cluster;
  readonly endpoint: Endpoint;
  readonly socket: UpstreamSocket;
  readonly accepted: boolean;
  readonly use: string;
  readonly turn: number;
  readonly #tlsGeneration: number;
  readonly #ended: (reason: BoundClose) => void;

  constructor(
    { client, network, cluster }: Binding,
    { endpoint, socket, accepted, use }: Bound,
    turn: number,
    ended: (reason: BoundClose) => void,
  ) {
    super();
    this.client = client;
    this.network = network;
    this.cluster = cluster;
    this.endpoint = endpoint;
    this.socket = socket;
    this.accepted = accepted;
    this.use = use;
    this.turn = turn;
    this.#tlsGeneration = endpoint.tlsGeneration;
    this.#ended = ended;
  }

  /** Whether its endpoint was removed, or is now verified in another way. */
  get isOutdated(): boolean {
    return this.endpoint.removed || this.endpoint.tlsGeneration !== this.#tlsGeneration;
  }

  override expire(): void {
    this.#ended('idle_timeout');
  }

  upstreamConnected(): void {
    // The endpoint is already connected.
  }

  channelData(): void {
    this.#ended('endpoint');
  }

  channelEnded(): void {
    this.#ended('endpoint');
  }

  channelClosed(): void {
    this.#ended('endpoint');
  }
}
