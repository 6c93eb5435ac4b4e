/** The socket of an admin connection. */
interface Closable {
  /**
   * Closes the socket at once, without sending another byte.
   *
   * @param inAnswer whether an answer is incomplete, which the client must notice
   */
  close(inAnswer: boolean): void;
}

/** The limit that closed a connection: one of {@link ConnectionLimits}, or the memory of pages. */
type CloseReason = 'full' | 'address' | 'slow_reader' | 'page_memory';

interface ConnectionLimits {
  readonly maxConnections: number;
  /** Max connections per address. */
  readonly maxPerAddress: number;
  /** Max time for a client to receive an answer, or the next 64 KiB of a page. */
  readonly answerTimeoutMs: number;
  readonly now: () => number;
  readonly onClose: (reason: CloseReason, address: string) => void;
}

/** The connections of one address. Each set has the oldest first. */
interface Holder {
  readonly address: string;
  readonly idle: Set<AdminConnection>;
  readonly busy: Set<AdminConnection>;
}

/**
 * Decides which connection of the admin server to close when a new one arrives.
 *
 * A new connection is always admitted, so that health probes get in. An older connection makes room:
 *
 * - If the new connection's address already has `maxPerAddress` connections, one of these closes.
 * - Otherwise, at `maxConnections`, the address with the most connections loses one. Among equals, an address
 *   with an idle connection comes first, then the address with the oldest connection.
 *
 * The address loses its longest idle connection. If all its connections are busy, it loses the one with the
 * oldest request.
 */
export class AdminConnections {
  readonly limits: ConnectionLimits;
  readonly #holders = new Map<string, Holder>();
  #size = 0;
  #turn = 0;

  constructor(limits: ConnectionLimits) {
    this.limits = limits;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Admits a connection, which is idle at first. If there is no room, closes another one.
   *
   * @param address the client's address, or its /64 network for IPv6: one machine can use the whole network
   */
  add(address: string, socket: Closable): AdminConnection {
    const { maxConnections, maxPerAddress } = this.limits;
    const own = this.#holders.get(address);
    if (own !== undefined && held(own) >= maxPerAddress) this.#closeOne(own, 'address');
    else if (this.#size >= maxConnections) this.#closeOne(this.#largest(), 'full');
    const holder = this.#holders.get(address) ?? { address, idle: new Set(), busy: new Set() };
    this.#holders.set(address, holder);
    this.#size++;
    return new AdminConnection(this, holder, socket);
  }

  /** Closes the connections of clients that receive their answers too slowly. Call it once a second. */
  expire(): void {
    const { now, answerTimeoutMs } = this.limits;
    const limit = now() - answerTimeoutMs;
    for (const holder of this.#holders.values()) {
      for (const connection of holder.busy) {
        if (connection.answeredAt <= limit) this.close(connection, 'slow_reader');
      }
    }
  }

  close(connection: AdminConnection, reason: CloseReason): void {
    const { busy, holder, socket } = connection;
    this.remove(connection);
    this.limits.onClose(reason, holder.address);
    socket.close(busy);
  }

  remove(connection: AdminConnection): void {
    const { holder } = connection;
    if (!holder.idle.delete(connection) && !holder.busy.delete(connection)) return;
    this.#size--;
    if (held(holder) === 0) this.#holders.delete(holder.address);
  }

  /** Returns a number that grows with each change of a connection's state. Smaller numbers are older. */
  nextTurn(): number {
    return this.#turn++;
  }

  #closeOne(holder: Holder | undefined, reason: CloseReason): void {
    const [oldest] = holder === undefined ? [] : oldestFirst(holder);
    if (oldest !== undefined) this.close(oldest, reason);
  }

  #largest(): Holder | undefined {
    let largest: Holder | undefined;
    for (const holder of this.#holders.values()) {
      if (largest === undefined || comesBefore(holder, largest)) largest = holder;
    }
    return largest;
  }
}

/** One connection. It is idle, or busy with one request until the client has received the answer. */
export class AdminConnection {
  readonly holder: Holder;
  readonly socket: Closable;
  /** When the pending bytes were written; Infinity if no bytes are pending. */
  answeredAt = Infinity;
  /** Orders the connections of one state. */
  turn = 0;
  readonly #all: AdminConnections;

  constructor(all: AdminConnections, holder: Holder, socket: Closable) {
    this.#all = all;
    this.holder = holder;
    this.socket = socket;
    this.#enter(holder.idle);
  }

  get busy(): boolean {
    return this.holder.busy.has(this);
  }

  /** Call this when the head of a request is complete. */
  begin(): void {
    if (!this.holder.idle.delete(this)) return;
    this.#enter(this.holder.busy);
  }

  /**
   * Call this after writing the answer, or as much as the client can take now. Starts the client's time
   * limit.
   */
  answered(): void {
    if (this.busy) this.answeredAt = this.#all.limits.now();
  }

  /** Call this when the client has taken the bytes written so far of a longer answer. */
  taken(): void {
    this.answeredAt = Infinity;
  }

  /** Call this when the kernel has taken the whole answer. */
  end(): void {
    if (!this.holder.busy.delete(this)) return;
    this.answeredAt = Infinity;
    this.#enter(this.holder.idle);
  }

  /** Call this when the socket is closed. */
  remove(): void {
    this.#all.remove(this);
  }

  #enter(state: Set<AdminConnection>): void {
    this.turn = this.#all.nextTurn();
    state.add(this);
  }
}

function held({ idle, busy }: Holder): number {
  return idle.size + busy.size;
}

function oldestFirst({ idle, busy }: Holder): Iterable<AdminConnection> {
  return idle.size > 0 ? idle : busy;
}

/** Whether holder `a` loses a connection before holder `b`. */
function comesBefore(a: Holder, b: Holder): boolean {
  if (held(a) !== held(b)) return held(a) > held(b);
  if (a.idle.size > 0 !== b.idle.size > 0) return a.idle.size > 0;
  const [[oldestOfA], [oldestOfB]] = [oldestFirst(a), oldestFirst(b)];
  return (oldestOfA?.turn ?? 0) < (oldestOfB?.turn ?? 0);
}
