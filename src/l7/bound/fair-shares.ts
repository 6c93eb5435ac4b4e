import { IndexedHeap, type HeapItem } from '../../core/collections/indexed-heap.ts';

/**
 * Max connections in use, in number and as a fraction, of the network with the most connections. Below either
 * limit, the network may take places of others: a browser opens 6 concurrent connections to a site.
 */
const MAX_IN_USE = 6;
const MAX_FRACTION_IN_USE = 1 / 8;

/** An idle bound connection. */
export interface Share {
  /** The client's network. */
  readonly network: string;
  readonly accepted: boolean;
  /** Sequence number of its last use: the smallest is the oldest. */
  readonly turn: number;
}

/** The bound connections of one network. The sets are ordered by age, oldest first. */
interface Holder<T> extends HeapItem {
  readonly pending: Set<T>;
  readonly accepted: Set<T>;
  inUse: number;
}

/**
 * Chooses the bound connection to close when a limit is reached. The client network with the most connections
 * loses one: the oldest without an accepted login, otherwise the oldest. The same order decides between
 * networks with equally many connections. So a flood from one network hurts only that network.
 *
 * Connections in use count, but only idle ones can be closed. A new connection is refused if its network has
 * the most and none to close. Every operation takes logarithmic time.
 */
export class FairShares<T extends Share> {
  /** Number of idle connections. */
  waiting = 0;
  #inUse = 0;
  readonly #holders = new Map<string, Holder<T>>();
  /** Networks with idle connections. The first one loses the next connection. */
  readonly #largest = new IndexedHeap<Holder<T>>(losesBefore);

  /** Adds an idle connection. Its turn must be the greatest so far. */
  add(share: T): void {
    const holder = this.#holder(share.network);
    setOf(holder, share).add(share);
    this.waiting++;
    this.#changed(share.network, holder);
  }

  delete(share: T): void {
    const holder = this.#holders.get(share.network);
    if (holder === undefined || !setOf(holder, share).delete(share)) return;
    this.waiting--;
    this.#changed(share.network, holder);
  }

  /** Counts a connection in use until {@link endUse}. */
  beginUse(network: string): void {
    const holder = this.#holder(network);
    holder.inUse++;
    this.#inUse++;
    this.#changed(network, holder);
  }

  endUse(network: string): void {
    const holder = this.#holders.get(network)!;
    holder.inUse--;
    this.#inUse--;
    this.#changed(network, holder);
  }

  /**
   * Returns the connection to close for a new connection of a network. The new one counts as held by the
   * network.
   *
   * @returns null if no connection is idle. Also null if the network has the most, all in use, and has
   * reached their limit.
   */
  chooseFor(network: string): T | null {
    const largest = this.#largest.first;
    if (largest === undefined) return null;
    const own = this.#holders.get(network);
    if (own === undefined || own === largest) return firstOf(largest);
    const more = held(own) + 1 - held(largest);
    if (waits(own)) return firstOf(more > 0 || (more === 0 && isOlder(own, largest)) ? own : largest);
    return more > 0 && own.inUse >= this.#maxInUse ? null : firstOf(largest);
  }

  get #maxInUse(): number {
    return Math.min(MAX_IN_USE, (this.waiting + this.#inUse) * MAX_FRACTION_IN_USE);
  }

  #holder(network: string): Holder<T> {
    let holder = this.#holders.get(network);
    if (holder === undefined) {
      holder = { heapIndex: -1, pending: new Set(), accepted: new Set(), inUse: 0 };
      this.#holders.set(network, holder);
    }
    return holder;
  }

  #changed(network: string, holder: Holder<T>): void {
    if (waits(holder)) this.#largest.put(holder);
    else this.#largest.delete(holder);
    if (held(holder) === 0) this.#holders.delete(network);
  }
}

function setOf<T extends Share>(holder: Holder<T>, { accepted }: T): Set<T> {
  return accepted ? holder.accepted : holder.pending;
}

function held({ pending, accepted, inUse }: Holder<unknown>): number {
  return pending.size + accepted.size + inUse;
}

function waits({ pending, accepted }: Holder<unknown>): boolean {
  return pending.size + accepted.size > 0;
}

/** Returns the connection that a network loses first. @param holder a network with an idle connection */
function firstOf<T>({ pending, accepted }: Holder<T>): T {
  return (pending.size > 0 ? pending : accepted).values().next().value!;
}

function losesBefore(a: Holder<Share>, b: Holder<Share>): boolean {
  const more = held(a) - held(b);
  return more > 0 || (more === 0 && isOlder(a, b));
}

/** Whether a network's first connection closes before another network's. */
function isOlder(a: Holder<Share>, b: Holder<Share>): boolean {
  const [first, other] = [firstOf(a), firstOf(b)];
  return first.accepted === other.accepted ? first.turn < other.turn : other.accepted;
}
