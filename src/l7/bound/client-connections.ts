import { findDescriptors, type Addressed, type Hideable } from '../uws-descriptors.ts';

/** Max descriptors that are told apart at once, which takes as many free ones for a moment. */
const MAX_GROUP = 128;
/** Share of the thread's time for finding connections, and the time that may be spent at once. */
const TIME_SHARE = 0.25;
const MAX_CREDIT_MS = 200;
/** Part of that time that is left to requests with credentials: a login that has begun must go on. */
const KEPT_CREDIT_MS = 100;
/** Known connections that are looked through whatever time is left: 0.3 ms at most. */
const MAX_FREE_LOOKS = 32;
/** The kernel counts the time since the last byte in ticks of up to 10 ms. */
const TICKS_MS = 20;

/** A client's connection. */
export interface ClientConnection {
  readonly fd: number;
  /** The kernel's number of the socket. No other socket gets it until the machine restarts. */
  readonly cookie: number;
  readonly peer: string;
  /** Bytes that had been received when its last request was recognised. */
  received: number;
}

/** Who sends a request, while it is not answered. */
export interface Asker {
  readonly peer: string;
  /** uWS's response to the request. */
  readonly socket: Addressed;
  /** By `performance.now()`. */
  readonly startedAt: number;
}

/** What the system knows of the clients' sockets of this thread; `sys/accepted-sockets.ts` has the details. */
interface ClientSockets {
  find(isKnown: (fd: number) => boolean): number[];
  received(fd: number): number;
  /** Milliseconds since the last byte came. */
  silence(fd: number): number;
  cookie(fd: number): number;
  disguise(fds: readonly number[]): Hideable & { end(): void };
}

/**
 * Tells which connection a request has come on. uWebSockets.js 20.66 to 20.68 tells nothing of it but the client's
 * address, which others share. So the descriptor is found by hiding descriptors (`uws-descriptors.ts`), and the kernel's
 * number of the socket behind it is the identity: a descriptor is used again, this number never. The need ends with an
 * engine of our own.
 */
export class ClientConnections {
  readonly #sockets: ClientSockets | null;
  readonly #now: () => number;
  #creditMs = MAX_CREDIT_MS;
  #creditedAt: number;

  /** @param sockets null if system calls cannot be used: then no connection is found */
  constructor(sockets: ClientSockets | null, now: () => number) {
    this.#sockets = sockets;
    this.#now = now;
    this.#creditedAt = now();
  }

  get isSupported(): boolean {
    return this.#sockets !== null;
  }

  /** Whether the connection is open, as far as this side knows. */
  isOpen({ fd, cookie }: ClientConnection): boolean {
    return this.#sockets?.cookie(fd) === cookie;
  }

  /**
   * Returns the connection of `among` that a request has come on; null for none. Null also if `among` has more than
   * {@link MAX_FREE_LOOKS} and too much time has gone into such searches lately.
   */
  recognise({ socket }: Asker, among: ReadonlySet<ClientConnection>): ClientConnection | null {
    const sockets = this.#sockets;
    if (sockets === null) return null;
    if (among.size <= MAX_FREE_LOOKS) return this.#recognise(sockets, socket, among);
    const begun = this.#now();
    if (this.#credit(begun) <= 0) return null;
    try {
      return this.#recognise(sockets, socket, among);
    } finally {
      this.#creditMs -= this.#now() - begun;
    }
  }

  #recognise(
    sockets: ClientSockets,
    socket: Addressed,
    among: ReadonlySet<ClientConnection>,
  ): ClientConnection | null {
    const candidates: ClientConnection[] = [];
    for (const connection of among) {
      // A request has brought bytes.
      if (sockets.received(connection.fd) > connection.received && this.isOpen(connection)) {
        candidates.push(connection);
      }
    }
    const fd = this.#identify(
      socket,
      candidates.map((connection) => connection.fd),
    );
    const found = candidates.find((connection) => connection.fd === fd) ?? null;
    if (found !== null) found.received = sockets.received(fd);
    return found;
  }

  /**
   * Finds the connection that a request has come on; null if it cannot be told, or too much time has gone into it lately.
   *
   * @param hasCredentials whether the request authenticates its connection
   */
  find({ peer, socket, startedAt }: Asker, hasCredentials: boolean): ClientConnection | null {
    const sockets = this.#sockets;
    const begun = this.#now();
    if (sockets === null || this.#credit(begun) <= (hasCredentials ? 0 : KEPT_CREDIT_MS)) return null;
    try {
      const fds = sockets.find(() => false);
      const mostSilent = begun - startedAt + TICKS_MS;
      const recent = fds.filter((fd) => sockets.silence(fd) <= mostSilent);
      let fd = this.#identify(socket, recent);
      if (fd < 0) fd = this.#identify(socket, fds);
      const cookie = fd < 0 ? 0 : sockets.cookie(fd);
      return cookie === 0 ? null : { fd, cookie, peer, received: sockets.received(fd) };
    } catch {
      // No descriptor is free, or there is no /proc.
      return null;
    } finally {
      this.#creditMs -= this.#now() - begun;
    }
  }

  /** Returns the milliseconds that may be spent now. */
  #credit(now: number): number {
    this.#creditMs = Math.min(MAX_CREDIT_MS, this.#creditMs + (now - this.#creditedAt) * TIME_SHARE);
    this.#creditedAt = now;
    return this.#creditMs;
  }

  /** Returns the descriptor that a response belongs to; -1 if it is none of these, or none can be hidden. */
  #identify(socket: Addressed, fds: readonly number[]): number {
    for (let at = 0; at < fds.length; at += MAX_GROUP) {
      const group = fds.slice(at, at + MAX_GROUP);
      let disguise: ReturnType<ClientSockets['disguise']>;
      try {
        disguise = this.#sockets!.disguise(group);
      } catch {
        return -1;
      }
      try {
        const [index = -1] = findDescriptors([socket], disguise);
        if (index >= 0) return group[index]!;
      } finally {
        disguise.end();
      }
    }
    return -1;
  }
}
