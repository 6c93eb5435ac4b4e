import type { Requester, ClientConnection } from '../../contract/client-connections.ts';
import { findDescriptors, type Addressed, type Hideable } from './hidden-descriptors.ts';

/** Max descriptors that are hidden at once: each costs one free descriptor. */
const MAX_GROUP = 128;

/** A request whose connection must be identified. */
export interface UwsRequester extends Requester {
  /** uWS's response to the request. */
  readonly connection: Addressed;
}

/** The system's view of this thread's client sockets: see `sys/sockets/accepted-sockets.ts`. */
interface ClientSockets {
  /** Returns the bytes received since the connection began, -1 if unknown. */
  received(fd: number): number;
  /** Returns the received bytes that uWS has not read yet. */
  unread(fd: number): number;
  /** Returns the kernel's number of the socket, unique until the machine restarts. 0 if unknown. */
  cookie(fd: number): number;
  swap(fds: readonly number[]): Hideable & { end(): void };
}

/** Knows which of many sockets have received bytes: see `sys/sockets/arrivals.ts`. */
interface ClientArrivals {
  /** Returns false if the descriptor cannot be watched. */
  watch(fd: number): boolean;
  unwatch(fd: number): void;
  /** Returns the descriptors that have received bytes since the last call. */
  take(): readonly number[];
}

/** A connection whose descriptor was found. */
export class KnownConnection implements ClientConnection {
  readonly fd: number;
  readonly cookie: number;
  readonly peer: string;
  /** Bytes received when the connection was last compared with a request. */
  received: number;
  readonly #all: KnownConnections;

  constructor(all: KnownConnections, fd: number, cookie: number, peer: string, received: number) {
    this.#all = all;
    this.fd = fd;
    this.cookie = cookie;
    this.peer = peer;
    this.received = received;
  }

  isOpen(): boolean {
    return this.#all.isOpen(this);
  }

  watch(): boolean {
    return this.#all.watch(this);
  }

  unwatch(): void {
    this.#all.unwatch(this);
  }
}

/**
 * Recognises the watched connection that carries a request. uWS exposes only the client's address, which
 * clients may share. So the descriptor is found by hiding descriptors. The connection's identity is the
 * kernel's number of its socket (SO_COOKIE): descriptors are reused, but this number never is.
 *
 * A connection is a candidate only if uWS has read bytes from it that belong to no earlier request. So the
 * cost per request does not depend on the number of watched connections.
 */
export class KnownConnections {
  readonly #sockets: ClientSockets;
  readonly #arrivals: ClientArrivals;
  /** By descriptor. */
  readonly #watched = new Map<number, KnownConnection>();
  /** Watched connections that may have received bytes since their last comparison, by address. */
  readonly #active = new Map<string, Set<KnownConnection>>();

  constructor(sockets: ClientSockets, arrivals: ClientArrivals) {
    this.#sockets = sockets;
    this.#arrivals = arrivals;
  }

  /** Returns the open connection with a descriptor. Null if the kernel's number of its socket is unknown. */
  connection(fd: number, peer: string): KnownConnection | null {
    const cookie = this.#sockets.cookie(fd);
    return cookie === 0 ? null : new KnownConnection(this, fd, cookie, peer, this.#sockets.received(fd));
  }

  isOpen({ fd, cookie }: KnownConnection): boolean {
    return this.#sockets.cookie(fd) === cookie;
  }

  watch(client: KnownConnection): boolean {
    // An older connection with this descriptor, or an older record of this connection.
    const other = this.#watched.get(client.fd);
    if (other !== undefined) this.unwatch(other);
    if (!this.isOpen(client) || !this.#arrivals.watch(client.fd)) return false;
    this.#watched.set(client.fd, client);
    return true;
  }

  unwatch(client: KnownConnection): void {
    this.#deactivate(client);
    if (this.#watched.get(client.fd) !== client) return;
    this.#watched.delete(client.fd);
    this.#arrivals.unwatch(client.fd);
  }

  recognise({ peer, connection, body }: UwsRequester): KnownConnection | null {
    const sockets = this.#sockets;
    for (const fd of this.#arrivals.take()) {
      const client = this.#watched.get(fd);
      if (client === undefined) continue;
      const others = this.#active.get(client.peer);
      if (others === undefined) this.#active.set(client.peer, new Set([client]));
      else others.add(client);
    }
    const active = this.#active.get(peer);
    if (active === undefined) return null;
    const read: KnownConnection[] = [];
    const seen: number[] = [];
    const unread: KnownConnection[] = [];
    for (const client of active) {
      if (sockets.unread(client.fd) > 0) {
        unread.push(client);
        continue;
      }
      const received = sockets.received(client.fd);
      if (received <= client.received || !this.isOpen(client)) {
        this.#deactivate(client);
      } else if (sockets.unread(client.fd) === 0) {
        read.push(client);
        seen.push(received);
      }
    }
    let found = this.#identify(connection, read);
    // uWS calls the handler right after it has read a head. Requests on other connections will therefore
    // bring more bytes.
    for (const [index, client] of read.entries()) {
      client.received = seen[index]!;
      this.#deactivate(client);
    }
    // More of the request's body may have arrived since its head was read.
    if (found === null && body !== null) {
      found = this.#identify(connection, unread.slice(0, MAX_GROUP));
      if (found !== null) found.received = sockets.received(found.fd);
    }
    return found;
  }

  #deactivate(client: KnownConnection): void {
    const active = this.#active.get(client.peer);
    if (active?.delete(client) === true && active.size === 0) this.#active.delete(client.peer);
  }

  /**
   * Returns the connection of a response. Null if it is not among the clients, or no descriptor can be
   * hidden.
   */
  #identify(connection: Addressed, clients: readonly KnownConnection[]): KnownConnection | null {
    for (let at = 0; at < clients.length; at += MAX_GROUP) {
      const group = clients.slice(at, at + MAX_GROUP);
      let swap: ReturnType<ClientSockets['swap']>;
      try {
        swap = this.#sockets.swap(group.map(({ fd }) => fd));
      } catch {
        return null;
      }
      try {
        const [index = -1] = findDescriptors([connection], swap);
        if (index >= 0) return group[index]!;
      } finally {
        swap.end();
      }
    }
    return null;
  }
}
