import type { Endpoint } from '../endpoint.ts';
import type { Balancer, PickContext } from './balancer.ts';
import { LoadTree } from './load-tree.ts';

/** Endpoints recounted in rotation at each pick, besides the candidates. */
const RECOUNTS_PER_PICK = 3;
/** Max repeated choices in one pick. A choice is repeated if the recount of the chosen endpoint is higher. */
const MAX_ROUNDS = 32;
/** Max number of turns that an endpoint may be early or late. */
const MAX_TURN_DRIFT = 4;
/** Relative tolerance of floating-point sums: a load equal to the mean is not below it. */
const EPSILON = 1e-9;

/**
 * Least connections by weight, counted over all workers. The load of an endpoint is its connections divided
 * by its weight. The mean is the load of all endpoints together, including the new connection.
 *
 * 1. If the least loaded endpoint stays below the mean with one more connection, it gets the connection.
 * 2. Otherwise the endpoints below the mean take turns by weight.
 *
 * With equal weights, the fewest connections win, and ties take turns. Rule 2 keeps shares by weight while
 * few connections are open. Choosing the least load alone would favour light endpoints; choosing (connections
 * + 1) / weight would favour heavy ones. Each worker keeps its own turns: virtual finish times, as in
 * round-robin.ts.
 *
 * Endpoints of equal weight form a group with a {@link LoadTree}, and a pick compares the winners of the
 * groups. An endpoint in its slow start forms its own group.
 *
 * `balance` is the time of an endpoint's next turn.
 *
 * Other workers change the counts too. So a pick recounts some endpoints in rotation, and recounts the chosen
 * one until it remains the choice. A pick among a thousand endpoints costs little more than among ten.
 */
export class LeastConnections implements Balancer {
  #members: readonly Endpoint[] = [];
  #indexes: ReadonlyMap<Endpoint, number> = new Map();
  /** Connections and shares at the last count. 0 for an endpoint that is taken out. */
  #open = new Float64Array(0);
  #shares = new Float64Array(0);
  #openSum = 0;
  #shareSum = 0;
  #groups: readonly Group[] = [];
  /** Group of each member. */
  #groupOf = new Int32Array(0);
  /** Winner of each group, with its load, its load with one more connection, and its turn. */
  #winners = new Int32Array(0);
  #loads = new Float64Array(0);
  #nextLoads = new Float64Array(0);
  #turns = new Float64Array(0);
  #next = 0;
  /** The endpoint of the last pick, recounted because most callers have connected to it. */
  #last = 0;
  /** Time of the latest turn taken. */
  #now = 0;
  readonly #random: () => number;

  /**
   * @param random returns a number in [0, 1). It sets the time of an endpoint's first turn, so that workers
   * differ.
   */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  update(endpoints: readonly Endpoint[]): void {
    const known = this.#indexes;
    const groups = groupsOf(endpoints.filter(({ eligible }) => eligible));
    const members = groups.flat();
    for (const endpoint of members) {
      if (!known.has(endpoint)) endpoint.balance = this.#now + this.#random() / endpoint.share;
    }
    this.#members = members;
    this.#indexes = new Map(members.map((endpoint, index) => [endpoint, index]));
    this.#open = new Float64Array(members.length);
    this.#shares = new Float64Array(members.length);
    this.#openSum = this.#shareSum = 0;
    this.#groupOf = Int32Array.from(groups.flatMap((group, index) => group.map(() => index)));
    let first = 0;
    this.#groups = groups.map(({ length }) => {
      const group = { first, tree: new LoadTree(length) };
      first += length;
      return group;
    });
    this.#winners = new Int32Array(groups.length);
    this.#loads = new Float64Array(groups.length);
    this.#nextLoads = new Float64Array(groups.length);
    this.#turns = new Float64Array(groups.length);
    this.#next = this.#last = 0;
    for (let index = 0; index < members.length; index++) this.#count(index);
  }

  pick(_context: PickContext, excluded: ReadonlySet<Endpoint>): Endpoint | null {
    const { length } = this.#members;
    if (length === 0) return null;
    this.#count(this.#last);
    for (let turn = Math.min(RECOUNTS_PER_PICK, length); turn > 0; turn--) {
      this.#count(this.#next);
      if (++this.#next >= length) this.#next = 0;
    }
    return excluded.size > 0 ? this.#pickOther(excluded) : this.#take();
  }

  /** Picks without the excluded endpoints: takes them out of their trees, then puts them back. */
  #pickOther(excluded: ReadonlySet<Endpoint>): Endpoint | null {
    const out: number[] = [];
    for (const endpoint of excluded) {
      const index = this.#indexes.get(endpoint);
      if (index === undefined) continue;
      this.#set(index, 0, 0);
      out.push(index);
    }
    const chosen = out.length === this.#members.length ? null : this.#take();
    // A retry takes the others' turns out of order. The turns of failed endpoints must move by the same
    // delay. Otherwise a dead endpoint would become the first choice of more and more connections.
    const delay = chosen === null ? 0 : 1 / this.#shareSum;
    for (const index of out) {
      const endpoint = this.#members[index]!;
      endpoint.balance = Math.min(
        endpoint.balance + delay,
        this.#now + (MAX_TURN_DRIFT + 1) / endpoint.share,
      );
      this.#count(index);
    }
    return chosen;
  }

  #take(): Endpoint {
    let chosen = this.#choose();
    for (let round = 1; round < MAX_ROUNDS; round++) {
      const before = this.#open[chosen]!;
      this.#count(chosen);
      if (this.#open[chosen]! <= before) break;
      chosen = this.#choose();
    }
    const endpoint = this.#members[chosen]!;
    const turn = 1 / this.#shares[chosen]!;
    const off = MAX_TURN_DRIFT * turn;
    endpoint.balance = Math.min(Math.max(endpoint.balance, this.#now - off), this.#now + off) + turn;
    this.#play(chosen);
    this.#last = chosen;
    return endpoint;
  }

  #choose(): number {
    const mean = ((this.#openSum + 1) / this.#shareSum) * (1 - EPSILON);
    let least = 0;
    let earliest = -1;
    for (let group = 0; group < this.#loads.length; group++) {
      const load = this.#loads[group]!;
      const lead = this.#loads[least]! - load;
      // If both endpoints are idle, the heavier one has more room.
      if (lead > 0 || (lead === 0 && this.#nextLoads[group]! < this.#nextLoads[least]!)) least = group;
      if (load < mean && (earliest < 0 || this.#turns[group]! < this.#turns[earliest]!)) earliest = group;
    }
    if (earliest < 0 || this.#nextLoads[least]! < mean) return this.#winners[least]!;
    this.#now = Math.max(this.#now, this.#turns[earliest]!);
    return this.#winners[earliest]!;
  }

  #count(index: number): void {
    const endpoint = this.#members[index]!;
    this.#set(index, endpoint.active, endpoint.share);
  }

  #set(index: number, open: number, share: number): void {
    this.#openSum += open - this.#open[index]!;
    this.#shareSum += share - this.#shares[index]!;
    this.#open[index] = open;
    this.#shares[index] = share;
    this.#play(index);
  }

  #play(index: number): void {
    const group = this.#groupOf[index]!;
    const { first, tree } = this.#groups[group]!;
    const share = this.#shares[index]!;
    tree.set(
      index - first,
      share === 0 ? Infinity : this.#open[index]! / share,
      this.#members[index]!.balance,
    );
    const winner = first + tree.winner;
    this.#winners[group] = winner;
    const winnerShare = this.#shares[winner]!;
    this.#loads[group] = winnerShare === 0 ? Infinity : this.#open[winner]! / winnerShare;
    this.#nextLoads[group] = (this.#open[winner]! + 1) / winnerShare;
    this.#turns[group] = this.#members[winner]!.balance;
  }
}

interface Group {
  /** Index of its first member. */
  readonly first: number;
  readonly tree: LoadTree;
}

/** Groups endpoints of equal weight. Each endpoint in its slow start gets its own group. */
function groupsOf(endpoints: readonly Endpoint[]): readonly (readonly Endpoint[])[] {
  const groups = new Map<number | Endpoint, Endpoint[]>();
  for (const endpoint of endpoints) {
    const key = endpoint.factor < 1 ? endpoint : endpoint.weight;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [endpoint]);
    else group.push(endpoint);
  }
  return [...groups.values()];
}
