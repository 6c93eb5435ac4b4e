import { findDescriptors, type Addressed, type Hideable } from '../uws/uws-descriptors.ts';

/** Max descriptors that are hidden at once, which takes as many free ones for a moment. */
const MAX_GROUP = 128;

/** A client's connection. */
export interface ClientConnection {
  readonly fd: number;
  /** The kernel's number of the socket. No other socket gets it until the machine restarts. */
  readonly cookie: number;
  readonly peer: string;
  /** Bytes that had been received when it was last compared with a request's connection. */
  received: number;
}

/** Who sends a request, while it is not answered. */
export interface Asker {
  readonly peer: string;
  /** As the proxies in front name it. */
  readonly client: { readonly address: string };
  /** uWS's response to the request. */
  readonly socket: Addressed;
  /** Null if the request has no body. */
  readonly body: object | null;
  /** By `performance.now()`. */
  readonly startedAt: number;
}

/** What the system knows of the clients' sockets of this thread; `sys/sockets/accepted-sockets.ts` has the details. */
interface ClientSockets {
  received(fd: number): number;
  /** Received bytes that uWS has not read yet. */
  unread(fd: number): number;
  cookie(fd: number): number;
  disguise(fds: readonly number[]): Hideable & { end(): void };
}

/** Tells which of many sockets have received bytes; `sys/sockets/arrivals.ts` has the details. */
interface ClientArrivals {
  /** Returns false if the descriptor cannot be watched. */
  watch(fd: number): boolean;
  unwatch(fd: number): void;
  /** Returns the descriptors that have received something since the last call. */
  take(): readonly number[];
}

/**
 * Tells whether a request has come on a known connection. uWebSockets.js 20.66 to 20.68 tells nothing of it but the
 * client's address, which others share. So the descriptor is found by hiding descriptors (`uws-descriptors.ts`), and the
 * kernel's number of the socket behind it is the identity: a descriptor is used again, this number never. The need ends
 * with an engine of our own.
 *
 * Of the known connections only those are compared that have received bytes which uWS has read and no request accounts
 * for, so that a request costs the same however many are known.
 */
export class ClientConnections {
  readonly #sockets: ClientSockets;
  readonly #arrivals: ClientArrivals;
  readonly #watched = new Map<number, ClientConnection>();
  /** Those that may have received something since they were last compared, by address. */
  readonly #active = new Map<string, Set<ClientConnection>>();

  constructor(sockets: ClientSockets, arrivals: ClientArrivals) {
    this.#sockets = sockets;
    this.#arrivals = arrivals;
  }

  /** Whether the connection is open, as far as this side knows. */
  isOpen({ fd, cookie }: ClientConnection): boolean {
    return this.#sockets.cookie(fd) === cookie;
  }

  /** Lets {@link recognise} know the connection. Returns false if it has closed. */
  watch(client: ClientConnection): boolean {
    // An older connection with this descriptor, or an older finding of the same one.
    const other = this.#watched.get(client.fd);
    if (other !== undefined) this.unwatch(other);
    if (!this.isOpen(client) || !this.#arrivals.watch(client.fd)) return false;
    this.#watched.set(client.fd, client);
    return true;
  }

  unwatch(client: ClientConnection): void {
    this.#calm(client);
    if (this.#watched.get(client.fd) !== client) return;
    this.#watched.delete(client.fd);
    this.#arrivals.unwatch(client.fd);
  }

  /** Returns the watched connection that a request has come on; null for none. To be called when its head has come. */
  recognise({ peer, socket, body }: Asker): ClientConnection | null {
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
    const read: ClientConnection[] = [];
    const seen: number[] = [];
    const unread: ClientConnection[] = [];
    for (const client of active) {
      if (sockets.unread(client.fd) > 0) {
        unread.push(client);
        continue;
      }
      const received = sockets.received(client.fd);
      if (received <= client.received || !this.isOpen(client)) {
        this.#calm(client);
      } else if (sockets.unread(client.fd) === 0) {
        read.push(client);
        seen.push(received);
      }
    }
    let found = this.#identify(socket, read);
    // uWS calls the handler as soon as it has read a head: the other requests are still to come with more bytes.
    for (const [index, client] of read.entries()) {
      client.received = seen[index]!;
      this.#calm(client);
    }
    // More of its body may have come since the head was read.
    if (found === null && body !== null) {
      found = this.#identify(socket, unread.slice(0, MAX_GROUP));
      if (found !== null) found.received = sockets.received(found.fd);
    }
    return found;
  }

  #calm(client: ClientConnection): void {
    const active = this.#active.get(client.peer);
    if (active?.delete(client) === true && active.size === 0) this.#active.delete(client.peer);
  }

  /** Returns the connection that a response belongs to; null if it is none of these, or none can be hidden. */
  #identify(socket: Addressed, clients: readonly ClientConnection[]): ClientConnection | null {
    for (let at = 0; at < clients.length; at += MAX_GROUP) {
      const group = clients.slice(at, at + MAX_GROUP);
      let disguise: ReturnType<ClientSockets['disguise']>;
      try {
        disguise = this.#sockets.disguise(group.map(({ fd }) => fd));
      } catch {
        return null;
      }
      try {
        const [index = -1] = findDescriptors([socket], disguise);
        if (index >= 0) return group[index]!;
      } finally {
        disguise.end();
      }
    }
    return null;
  }
}
