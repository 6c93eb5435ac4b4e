import { Timed, type TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import type { UpstreamOwner, UpstreamSocket } from '../contract/upstream-socket.ts';

/**
 * Idle connections of one worker, by endpoint. The most recently used one is taken first: the others time
 * out, and the pool shrinks to the needed size.
 */
export class ConnectionPool {
  readonly #wheel: TimerWheel;
  readonly #idle = new Map<Endpoint, IdleConnection[]>();

  constructor(wheel: TimerWheel) {
    this.#wheel = wheel;
  }

  /** Whether there is an idle connection to the endpoint. */
  readonly has = (endpoint: Endpoint): boolean => this.#idle.has(endpoint);

  /** Takes an idle connection without an owner, or returns null. It may have closed unnoticed. */
  take(endpoint: Endpoint): UpstreamSocket | null {
    const connection = this.#idle.get(endpoint)?.at(-1);
    if (connection === undefined) return null;
    this.#forget(connection);
    connection.socket.owner = null;
    return connection.socket;
  }

  /** Keeps an idle connection. @param ms max idle time */
  keep(endpoint: Endpoint, socket: UpstreamSocket, ms: number): void {
    const connection = new IdleConnection(endpoint, socket, (gone) => this.#forget(gone));
    socket.owner = connection;
    const others = this.#idle.get(endpoint);
    if (others === undefined) this.#idle.set(endpoint, [connection]);
    else others.push(connection);
    this.#wheel.arm(connection, ms);
  }

  /** Closes the connections that the configuration no longer allows for requests. */
  closeOutdated(): void {
    for (const connection of this.#all()) if (connection.isOutdated) connection.expire();
  }

  /** Closes every idle connection. */
  close(): void {
    for (const connection of this.#all()) connection.expire();
  }

  #all(): IdleConnection[] {
    return [...this.#idle.values()].flat();
  }

  #forget(connection: IdleConnection): void {
    this.#wheel.disarm(connection);
    const connections = this.#idle.get(connection.endpoint);
    if (connections === undefined) return;
    const index = connections.lastIndexOf(connection);
    if (index >= 0) connections.splice(index, 1);
    if (connections.length === 0) this.#idle.delete(connection.endpoint);
  }
}

/** An idle connection. Any bytes from the endpoint close it, because they answer no request. */
class IdleConnection extends Timed implements UpstreamOwner {
  readonly endpoint: Endpoint;
  readonly socket: UpstreamSocket;
  readonly #tlsGeneration: number;
  readonly #gone: (connection: IdleConnection) => void;

  constructor(endpoint: Endpoint, socket: UpstreamSocket, gone: (connection: IdleConnection) => void) {
    super();
    this.endpoint = endpoint;
    this.socket = socket;
    this.#tlsGeneration = endpoint.tlsGeneration;
    this.#gone = gone;
  }

  /** Whether its endpoint was removed, or is now verified in another way. */
  get isOutdated(): boolean {
    return this.endpoint.removed || this.endpoint.tlsGeneration !== this.#tlsGeneration;
  }

  override expire(): void {
    this.#gone(this);
    this.socket.owner = null;
    this.socket.destroy();
  }

  upstreamConnected(): void {
    // The endpoint is already connected.
  }

  channelData(): void {
    this.expire();
  }

  channelEnded(): void {
    this.expire();
  }

  channelClosed(): void {
    this.expire();
  }
}
