import { TICK_MS, Timed, type TimerWheel } from '../../core/timing/timer-wheel.ts';
import { LineLimit } from '../../telemetry/line-limit.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { BOUND_CLOSES } from '../../telemetry/metrics/label-values.ts';
import { pageMetrics } from '../../telemetry/metrics/page-metrics.ts';
import type { StatsPage } from '../../telemetry/stats-page.ts';
import type { Cluster } from '../../upstream/cluster.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import { networkOf } from '../../wire/ip-address.ts';
import type { Asker, ClientConnection } from '../contract/client-connections.ts';
import type { UpstreamOwner, UpstreamSocket } from '../contract/upstream-socket.ts';
import { FairShares, type Share } from './fair-shares.ts';

type BoundClose = (typeof BOUND_CLOSES)[number];

/** Max bound connections of a worker, and of one client's connection. */
const MAX_BOUND = 1024;
const MAX_PER_CLIENT = 8;

/** A connection to an endpoint that is bound, and free for the client's next request. */
export interface Bound {
  readonly endpoint: Endpoint;
  readonly socket: UpstreamSocket;
  /** Whether the endpoint has answered with anything but demands to log in (401, 407). */
  readonly accepted: boolean;
  /** Its PROXY header's version, and the credentials that its route sends. Requests with another use do not get it. */
  readonly use: string;
}

/** The client's connection that a connection is bound to, and the cluster that it leads to. */
interface Binding {
  readonly client: ClientConnection;
  /** The client's network, for which the connection counts. */
  readonly network: string;
  readonly cluster: Cluster;
}

/**
 * Keeps connections to endpoints that carry requests of one client's connection only, because they are authenticated (NTLM,
 * Negotiate), or because a PROXY header has told the endpoint of that client. Between two requests one connection waits for
 * each cluster and client's connection, and one more for each login that a route sends. A waiting connection counts for its
 * endpoint's limits.
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
   * Returns the client's connection that a request has come on, if anything is bound to it; else null. To be called when
   * the request's head has come.
   */
  clientOf(asker: Asker): ClientConnection | null {
    if (!this.#byPeer.has(asker.peer)) return null;
    const { clients } = asker.engine;
    return clients === null ? null : clients.recognise(asker);
  }

  /**
   * Finds the client's connection that a login has come on.
   *
   * @param found told null if the connection cannot be found: the login will fail. May be called at once.
   * @returns forgets the request; to be called when its connection closes
   */
  identify(asker: Asker, found: (client: ClientConnection | null) => void): () => void {
    const { clients } = asker.engine;
    if (clients === null) {
      this.#count('unidentified');
      if (!this.#warned) this.#log.warn({}, 'no connection-bound authentication without system calls');
      this.#warned = true;
      found(null);
      return () => undefined;
    }
    return clients.find(asker, (client) => {
      if (client === null) {
        this.#count('unidentified');
        const more = this.#lines.take();
        const { address } = asker.client;
        if (more !== null)
          this.#log.warn({ client: address, ...more }, 'connection of a login not identified');
      }
      found(client);
    });
  }

  /**
   * Finds the client's connection that a request without credentials has come on, if that takes little time; else null.
   *
   * @param isLogin whether the endpoint demands a login, which will fail if the connection cannot be found
   */
  identifyNow(asker: Asker, isLogin: boolean): ClientConnection | null {
    const client = asker.engine.clients?.findNow(asker) ?? null;
    if (client === null && isLogin) this.#count('unauthenticated');
    return client;
  }

  /**
   * Takes the connection to a cluster that is bound to a client's connection; null if there is none. It has no owner.
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
   * Keeps a connection without a request under way, unless its endpoint takes no requests.
   *
   * @param ms max time to keep it, in milliseconds
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

  /** Counts a bound connection in use, or a connection with a login under way, for a network until {@link endUse}. */
  beginUse(network: string, cluster: Cluster, endpoint: Endpoint): void {
    for (const shares of this.#limitsOf(cluster, endpoint)) shares.beginUse(network);
  }

  endUse(network: string, cluster: Cluster, endpoint: Endpoint): void {
    for (const shares of this.#limitsOf(cluster, endpoint)) shares.endUse(network);
  }

  /** A client's connection has closed. The engine need not tell which one. */
  clientClosed(): void {
    if (this.#byClient.size > 0 && this.#sweep.wheelTick < 0) this.#wheel.arm(this.#sweep, TICK_MS);
  }

  /** Closes the connections that the configuration no longer allows to carry requests. */
  closeOutdated(): void {
    for (const bound of this.#all()) if (bound.isOutdated) this.#drop(bound, 'drained');
  }

  /** Closes every connection. */
  close(): void {
    for (const bound of this.#all()) this.#drop(bound, 'drained');
    this.#wheel.disarm(this.#sweep);
  }

  /** Finds a client's waiting connection to a cluster. Looks at {@link MAX_PER_CLIENT} connections at most. */
  #find(client: ClientConnection, cluster: Cluster, use: string): WaitingConnection | null {
    for (const bound of this.#byClient.get(client) ?? []) {
      if (bound.cluster === cluster && bound.use === use) return bound;
    }
    return null;
  }

  #all(): WaitingConnection[] {
    return [...this.#byClient.values()].flatMap((connections) => [...connections]);
  }

  /** Returns the shares of the worker, the cluster and the endpoint. Each has a limit of its own. */
  #limitsOf(cluster: Cluster, endpoint: Endpoint): readonly FairShares<WaitingConnection>[] {
    let ofCluster = this.#sharesOf.get(cluster);
    if (ofCluster === undefined) {
      this.#sharesOf.set(cluster, (ofCluster = new FairShares()));
      // A waiting connection gives way to a new one.
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

/** Looks for closed client connections, a tick after the engine has reported one. */
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

/** A bound connection between two requests. Bytes of the endpoint end it, because no request is under way. */
class WaitingConnection extends Timed implements UpstreamOwner, Bound, Share {
  readonly client: ClientConnection;
  readonly network: string;
  readonly cluster: Cluster;
  readonly endpoint: Endpoint;
  readonly socket: UpstreamSocket;
  readonly accepted: boolean;
  readonly use: string;
  readonly turn: number;
  readonly #trust: number;
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
    this.#trust = endpoint.trust;
    this.#ended = ended;
  }

  /** Whether its endpoint is gone, or is proved in another way now. */
  get isOutdated(): boolean {
    return this.endpoint.removed || this.endpoint.trust !== this.#trust;
  }

  override expire(): void {
    this.#ended('idle_timeout');
  }

  upstreamConnected(): void {
    // It is connected.
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
