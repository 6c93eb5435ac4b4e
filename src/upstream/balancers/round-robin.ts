import type { Endpoint } from '../endpoint.ts';
import type { Balancer, PickContext } from './balancer.ts';
import type { SharedCursor } from './shared-cursor.ts';

/**
 * Round robin. All workers share a cursor over endpoints of equal weight, so connections alternate whichever
 * worker accepts them.
 *
 * If weights differ or an endpoint is in its slow start, each worker keeps exact shares by virtual finish
 * times. This is weighted fair queueing (Demers, Keshav and Shenker, SIGCOMM 1989). The turns of an endpoint
 * of weight w are 1/w apart, and the earliest turn comes next. The turns of a heavy endpoint lie evenly
 * between the turns of the others. A pick takes logarithmic time.
 *
 * `balance` is the time of an endpoint's next turn.
 */
export class RoundRobin implements Balancer {
  /**
   * Members in the order of the cluster's state, which is the same in every worker. Null unless they are
   * equal.
   */
  #equals: readonly Endpoint[] | null = null;
  /** A binary min-heap by turn. Empty while the shared cursor is used. */
  #heap: Endpoint[] = [];
  #members: ReadonlySet<Endpoint> = new Set();
  #now = 0;
  readonly #cursor: SharedCursor;
  readonly #random: () => number;

  /**
   * @param random returns a number in [0, 1). It sets an endpoint's first turn, and picks the endpoint of a
   * retry among equals.
   */
  constructor(cursor: SharedCursor, random: () => number = Math.random) {
    this.#cursor = cursor;
    this.#random = random;
  }

  update(endpoints: readonly Endpoint[]): void {
    const known = this.#members;
    const members = endpoints.filter(({ eligible }) => eligible);
    if (members.every(({ weight, factor }) => factor === 1 && weight === members[0]!.weight)) {
      this.#equals = members;
      this.#members = new Set();
      this.#heap = [];
      return;
    }
    this.#equals = null;
    for (const endpoint of members) {
      if (!known.has(endpoint)) endpoint.balance = this.#now + this.#random() / endpoint.share;
    }
    this.#members = new Set(members);
    // A sorted array is a heap.
    this.#heap = members.sort(byTurn);
  }

  pick(_context: PickContext, excluded: ReadonlySet<Endpoint>): Endpoint | null {
    const equals = this.#equals;
    if (equals !== null) return this.#pickEqual(equals, excluded);
    if (this.#heap.length === 0) return null;
    if (excluded.size > 0) return this.#pickOther(excluded);
    const endpoint = this.#heap[0]!;
    this.#now = endpoint.balance;
    endpoint.balance += 1 / endpoint.share;
    this.#sink();
    return endpoint;
  }

  #pickEqual(members: readonly Endpoint[], excluded: ReadonlySet<Endpoint>): Endpoint | null {
    const { length } = members;
    if (length === 0) return null;
    if (excluded.size === 0) return members[this.#cursor.next(length)]!;
    // A retry takes no turn, because that would shift all following turns: with two endpoints, a dead one
    // would get every first turn. A second cursor for retries would favour the endpoints after the failed
    // ones.
    const others = members.filter((endpoint) => !excluded.has(endpoint));
    return others[Math.floor(this.#random() * others.length)] ?? null;
  }

  /** Returns the next endpoint that is not excluded, in one pass whatever the weights of the skipped ones. */
  #pickOther(excluded: ReadonlySet<Endpoint>): Endpoint | null {
    const heap = this.#heap;
    let chosen: Endpoint | null = null;
    let others = 0;
    for (const endpoint of heap) {
      if (excluded.has(endpoint)) continue;
      others += endpoint.share;
      if (chosen === null || endpoint.balance < chosen.balance) chosen = endpoint;
    }
    if (chosen === null) return null;
    const now = (this.#now = chosen.balance);
    for (const endpoint of heap) {
      if (!excluded.has(endpoint)) continue;
      // An excluded endpoint loses its turns and does not catch up.
      const missed = Math.max(0, Math.ceil((now - endpoint.balance) * endpoint.share));
      // A retry takes the others' turns out of order. The turns of failed endpoints must move by the same
      // delay. Otherwise a dead endpoint would become the first choice of more and more connections.
      endpoint.balance += missed / endpoint.share + 1 / others;
    }
    chosen.balance += 1 / chosen.share;
    heap.sort(byTurn);
    return chosen;
  }

  /** Restores the heap after the top's turn has moved later. */
  #sink(): void {
    const heap = this.#heap;
    const { length } = heap;
    const moving = heap[0]!;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= length) break;
      if (child + 1 < length && heap[child + 1]!.balance < heap[child]!.balance) child++;
      if (heap[child]!.balance >= moving.balance) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = moving;
  }
}

function byTurn(a: Endpoint, b: Endpoint): number {
  return a.balance - b.balance;
}
