import type { Balancer } from '../balancer.ts';
import type { Endpoint } from '../endpoint.ts';
import type { PickContext } from '../pick-context.ts';

/** So many endpoints are counted anew for a pick, beside those that win. */
const COUNTED = 3;
/** A winner that turns out to have more than was known gives way so often. */
const ROUNDS = 32;

/**
 * The endpoint with the fewest connections for its weight, counted over all workers; ties are broken at random,
 * so that workers which see the same counts do not all run to the same endpoint.
 *
 * A tournament tree (Knuth, The Art of Computer Programming, volume 3, section 5.4.1) keeps the least at its
 * root. Other workers change the counts too: each pick counts some endpoints anew, one after the other, and
 * the winner until it stays the winner, so that a pick among a thousand costs little more than among ten.
 */
export class LeastConnections implements Balancer {
  #members: readonly Endpoint[] = [];
  #loads = new Float64Array(0);
  #ties = new Float64Array(0);
  /** Winners: those at 2n and 2n+1 play for n, 1 is the root, and member i stands at size + i. */
  #tree = new Int32Array(0);
  #size = 0;
  #next = 0;
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  update(endpoints: readonly Endpoint[]): void {
    const members = endpoints.filter(({ eligible }) => eligible);
    let size = 1;
    while (size < members.length) size *= 2;
    this.#members = members;
    this.#size = size;
    this.#next = 0;
    // Where there is no member its load is infinite, and it loses.
    this.#loads = new Float64Array(size).fill(Infinity);
    this.#ties = new Float64Array(size).fill(1);
    this.#tree = new Int32Array(2 * size);
    for (let index = 0; index < size; index++) this.#tree[size + index] = index;
    for (let node = size - 1; node >= 1; node--) this.#play(node);
    for (let index = 0; index < members.length; index++) this.#count(index);
  }

  pick(_context: PickContext, excluded: ReadonlySet<Endpoint>): Endpoint | null {
    const members = this.#members;
    const { length } = members;
    if (length === 0) return null;
    for (let turn = Math.min(COUNTED, length); turn > 0; turn--) {
      this.#count(this.#next);
      if (++this.#next >= length) this.#next = 0;
    }
    if (excluded.size > 0) return this.#pickOther(excluded);
    for (let turn = 0; turn < ROUNDS; turn++) {
      const winner = this.#winner();
      const load = this.#loads[winner]!;
      this.#count(winner);
      if (this.#loads[winner]! <= load) break;
    }
    return members[this.#winner()]!;
  }

  /** Takes the excluded ones out of the tree, and puts them back. */
  #pickOther(excluded: ReadonlySet<Endpoint>): Endpoint | null {
    const members = this.#members;
    const out: number[] = [];
    for (let winner = this.#winner(); excluded.has(members[winner]!); winner = this.#winner()) {
      out.push(winner);
      this.#set(winner, Infinity);
      if (out.length === members.length) break;
    }
    const endpoint = out.length === members.length ? null : members[this.#winner()]!;
    for (const index of out) this.#count(index);
    return endpoint;
  }

  #winner(): number {
    return this.#size === 1 ? 0 : this.#tree[1]!;
  }

  #count(index: number): void {
    const endpoint = this.#members[index]!;
    // One more than there are: of two idle endpoints the heavier comes first.
    this.#set(index, (endpoint.active + 1) / endpoint.share);
  }

  #set(index: number, load: number): void {
    if (this.#loads[index] === load) return;
    this.#loads[index] = load;
    this.#ties[index] = this.#random();
    for (let node = (this.#size + index) >> 1; node >= 1; node >>= 1) this.#play(node);
  }

  #play(node: number): void {
    const left = this.#tree[2 * node]!;
    const right = this.#tree[2 * node + 1]!;
    const difference = this.#loads[left]! - this.#loads[right]!;
    const leftWins = difference < 0 || (!(difference > 0) && this.#ties[left]! <= this.#ties[right]!);
    this.#tree[node] = leftWins ? left : right;
  }
}
