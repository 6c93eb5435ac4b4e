import type { Endpoint } from '../endpoint.ts';

/** Max draws while each one finds an endpoint in its slow start. */
const MAX_DRAWS = 8;

/**
 * Draws random endpoints by weight in constant time. It uses the alias method (Walker 1977, in the form of
 * Vose, IEEE Transactions on Software Engineering 17(9), 1991).
 */
export class WeightedDraw {
  readonly members: readonly Endpoint[];
  /** Fraction of each column that belongs to its own endpoint. The rest belongs to its alias. */
  readonly #own: Float64Array;
  readonly #alias: Int32Array;
  readonly #random: () => number;

  /** @param random returns a number in [0, 1) */
  constructor(endpoints: readonly Endpoint[], random: () => number) {
    this.#random = random;
    const members = (this.members = endpoints.filter(({ eligible }) => eligible));
    const sum = members.reduce((total, { weight }) => total + weight, 0);
    const own = (this.#own = Float64Array.from(members, ({ weight }) => (weight * members.length) / sum));
    const alias = (this.#alias = Int32Array.from(members.keys()));
    const small: number[] = [];
    const large: number[] = [];
    for (const [index, part] of own.entries()) (part < 1 ? small : large).push(index);
    while (small.length > 0 && large.length > 0) {
      const poor = small.pop()!;
      const rich = large.at(-1)!;
      alias[poor] = rich;
      own[rich]! -= 1 - own[poor]!;
      if (own[rich]! < 1) small.push(large.pop()!);
    }
    // Columns left over by rounding.
    for (const index of [...small, ...large]) own[index] = 1;
  }

  /**
   * Draws an endpoint. Endpoints in their slow start are drawn less often, by their factor. Requires at least
   * one member.
   */
  draw(): Endpoint {
    let endpoint = this.#column();
    for (let turn = 1; turn < MAX_DRAWS && endpoint.factor < 1 && this.#random() >= endpoint.factor; turn++) {
      endpoint = this.#column();
    }
    return endpoint;
  }

  /** Draws an endpoint outside `excluded` by weight. Returns null if none is left. */
  drawOther(excluded: ReadonlySet<Endpoint>): Endpoint | null {
    let chosen: Endpoint | null = null;
    let sum = 0;
    for (const endpoint of this.members) {
      if (excluded.has(endpoint)) continue;
      // Reservoir sampling: each endpoint replaces the previous choice with its share of the weights so far
      // (Chao, Biometrika 69(3), 1982).
      sum += endpoint.share;
      if (this.#random() * sum < endpoint.share) chosen = endpoint;
    }
    return chosen;
  }

  #column(): Endpoint {
    const scaled = this.#random() * this.members.length;
    const column = Math.floor(scaled);
    return this.members[scaled - column < this.#own[column]! ? column : this.#alias[column]!]!;
  }
}
