import { TICK_MS, Timed, type TimerWheel } from '../../core/timer-wheel.ts';
import { BOUND_CLOSES, pageMetrics } from '../../telemetry/names.ts';
import { LineLimit } from '../../telemetry/line-limit.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { StatsPage } from '../../telemetry/stats-page.ts';
import type { Cluster } from '../../upstream/cluster.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import type { UpstreamOwner, UpstreamSocket } from '../upstream/upstream-socket.ts';
import type { Asker, ClientConnection, ClientConnections } from './client-connections.ts';
import type { ClientSearch } from './client-search.ts';

type BoundClose = (typeof BOUND_CLOSES)[number];

/** Max bound connections of a worker, and of one client's connection. */
const MAX_BOUND = 1024;
const MAX_PER_CLIENT = 8;

/** A connection to an endpoint that is bound, and free for the client's next request. */
export interface Bound {
  readonly endpoint: Endpoint;
  readonly socket: UpstreamSocket;
  /** Whether the endpoint has answered with anything but demands to log in. */
  readonly accepted: boolean;
  /** The credentials that its route sends; empty if the client's own count. */
  readonly ofRoute: string;
}

/** Finds clients' connections. */
export interface Identities {
  readonly connections: ClientConnections;
  readonly search: ClientSearch;
}

/**
 * Connections to endpoints that carry requests of one client's connection only, because they are authenticated (NTLM,
 * Negotiate). At most one for each cluster and client's connection waits here between two requests, and one more for
 * each login that a route sends. It counts as a connection of its endpoint all the time.
 */
export class BoundConnections {
  readonly #wheel: TimerWheel;
  readonly #identities: Identities | null;
  readonly #log: Logger;
  readonly #lines = new LineLimit();
  readonly #values: Float64Array;
  readonly #activeSlot: number;
  readonly #closeSlots: ReadonlyMap<BoundClose, number>;
  readonly #byClient = new Map<ClientConnection, Set<WaitingConnection>>();
  readonly #byPeer = new Map<string, Set<ClientConnection>>();
  /** Those whose login has not been accepted, which give way first, and the others, each in the order of last use. */
  readonly #pending = new Set<WaitingConnection>();
  readonly #accepted = new Set<WaitingConnection>();
  readonly #sweep = new Sweep(() => this.#closeOfGone());
  #warned = false;

  /** @param identities null if system calls cannot be used: then nothing can be bound */
  constructor(wheel: TimerWheel, identities: Identities | null, page: StatsPage, log: Logger) {
    this.#wheel = wheel;
    this.#identities = identities;
    this.#log = log;
    this.#values = page.values;
    this.#activeSlot = page.slot(pageMetrics.boundActive, {});
    this.#closeSlots = new Map(
      BOUND_CLOSES.map((reason) => [reason, page.slot(pageMetrics.boundCloses, { reason })]),
    );
  }

  /**
   * Returns the client's connection that a request has come on if anything is bound to it. To be called when the head of
   * the request has come.
   */
  clientOf(asker: Asker): ClientConnection | null {
    return this.#byPeer.has(asker.peer) ? this.#identities!.connections.recognise(asker) : null;
  }

  /**
   * Finds the client's connection that a login has come on.
   *
   * @param found told null if it cannot be told: the login will fail. May be called at once.
   * @returns forgets the request, which must be called when its connection closes
   */
  identify(asker: Asker, found: (client: ClientConnection | null) => void): () => void {
    const { search } = this.#identities ?? {};
    if (search === undefined) {
      this.#count('unidentified');
      if (!this.#warned) this.#log.warn({}, 'no connection-bound authentication without system calls');
      this.#warned = true;
      found(null);
      return () => undefined;
    }
    return search.find(asker, (client) => {
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

  /** Finds the client's connection that a request without credentials has come on, if that takes little time. */
  identifyNow(asker: Asker): ClientConnection | null {
    const client = this.#identities?.search.findNow(asker) ?? null;
    if (client === null) this.#count('unauthenticated');
    return client;
  }

  /**
   * Takes the connection to a cluster that is bound to a client's; null if there is none. It has no owner.
   *
   * @param ofRoute the credentials that the route sends: what they authenticate is not for other routes
   */
  take(client: ClientConnection, cluster: Cluster, ofRoute: string): Bound | null {
    const bound = this.#find(client, cluster, ofRoute);
    if (bound === null) return null;
    if (!takesRequests(bound.endpoint, cluster)) {
      this.#close(bound, 'drained');
      return null;
    }
    this.#forget(bound);
    bound.socket.owner = null;
    return bound;
  }

  /** Keeps a connection on which nothing is under way, unless its endpoint takes no requests. @param ms how long at most */
  keep(client: ClientConnection, cluster: Cluster, kept: Bound, ms: number): void {
    const { endpoint, socket, accepted } = kept;
    const other = this.#find(client, cluster, kept.ofRoute);
    if (other !== null) this.#close(other, 'limit');
    let connections = this.#byClient.get(client);
    while (connections !== undefined && connections.size >= MAX_PER_CLIENT) {
      this.#close(connections.values().next().value!, 'limit');
    }
    if (this.#pending.size + this.#accepted.size >= MAX_BOUND) this.#close(this.#oldest()!, 'limit');
    connections = this.#byClient.get(client);
    const isNew = connections === undefined;
    if (connections === undefined) {
      connections = new Set();
      this.#byClient.set(client, connections);
      const peers = this.#byPeer.get(client.peer);
      if (peers === undefined) this.#byPeer.set(client.peer, new Set([client]));
      else peers.add(client);
    }
    // A connection that carries nothing gives way to one that would.
    cluster.makeRoom = (wanted) => this.#makeRoom(cluster, wanted);
    const bound = new WaitingConnection(client, cluster, kept, (reason) => this.#close(bound, reason));
    socket.owner = bound;
    connections.add(bound);
    (accepted ? this.#accepted : this.#pending).add(bound);
    this.#values[this.#activeSlot]! += 1;
    this.#wheel.arm(bound, ms);
    if (!takesRequests(endpoint, cluster)) this.#close(bound, 'drained');
    else if (isNew && !this.#identities!.connections.watch(client)) this.#close(bound, 'client_gone');
  }

  /** A connection of a client has closed; uWS does not tell which. */
  clientClosed(): void {
    if (this.#byClient.size > 0 && this.#sweep.wheelTick < 0) this.#wheel.arm(this.#sweep, TICK_MS);
  }

  /** Closes the connections to endpoints that the configuration no longer has. */
  closeRemoved(): void {
    for (const bound of this.#all()) if (bound.endpoint.removed) this.#close(bound, 'drained');
  }

  /** Closes every connection. */
  close(): void {
    for (const bound of this.#all()) this.#close(bound, 'drained');
    this.#wheel.disarm(this.#sweep);
  }

  /** At most {@link MAX_PER_CLIENT} are looked at. */
  #find(client: ClientConnection, cluster: Cluster, ofRoute: string): WaitingConnection | null {
    for (const bound of this.#byClient.get(client) ?? []) {
      if (bound.cluster === cluster && bound.ofRoute === ofRoute) return bound;
    }
    return null;
  }

  #all(): WaitingConnection[] {
    return [...this.#pending, ...this.#accepted];
  }

  #oldest(): WaitingConnection | undefined {
    return (this.#pending.size > 0 ? this.#pending : this.#accepted).values().next().value;
  }

  #makeRoom(cluster: Cluster, endpoint: Endpoint | null): boolean {
    for (const connections of [this.#pending, this.#accepted]) {
      for (const bound of connections) {
        if (bound.cluster !== cluster || (endpoint !== null && bound.endpoint !== endpoint)) continue;
        this.#close(bound, 'limit');
        return true;
      }
    }
    return false;
  }

  #closeOfGone(): void {
    for (const [client, connections] of [...this.#byClient]) {
      if (this.#identities!.connections.isOpen(client)) continue;
      for (const bound of [...connections]) this.#close(bound, 'client_gone');
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
    const { client } = bound;
    this.#wheel.disarm(bound);
    (bound.accepted ? this.#accepted : this.#pending).delete(bound);
    this.#values[this.#activeSlot]! -= 1;
    const connections = this.#byClient.get(client)!;
    connections.delete(bound);
    if (connections.size > 0) return;
    this.#byClient.delete(client);
    this.#identities!.connections.unwatch(client);
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
  readonly accepted: boolean;
  readonly ofRoute: string;
  readonly #ended: (reason: BoundClose) => void;

  constructor(
    client: ClientConnection,
    cluster: Cluster,
    { endpoint, socket, accepted, ofRoute }: Bound,
    ended: (reason: BoundClose) => void,
  ) {
    super();
    this.client = client;
    this.cluster = cluster;
    this.endpoint = endpoint;
    this.socket = socket;
    this.accepted = accepted;
    this.ofRoute = ofRoute;
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
