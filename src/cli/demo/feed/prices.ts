/** Share of the distance to its usual price that a price makes up in a step. */
const PULL = 0.01;
/** Standard deviation of a step, relative to the price. */
const VOLATILITY = 0.004;
/** Prices stay within this factor of their usual price. */
const MAX_FACTOR = 4;

/** A good of the feed. Its prices are simulated. */
export interface Good {
  readonly name: string;
  readonly usualPrice: number;
}

/**
 * Simulates prices. Each price is a random walk in its logarithm (an Ornstein-Uhlenbeck process), which its
 * usual price attracts.
 */
export class Prices {
  readonly #goods: readonly Good[];
  readonly #random: () => number;
  /** Logarithm of each price relative to its usual price. */
  readonly #deviations: number[];

  /** @param random returns numbers from 0 to 1 */
  constructor(goods: readonly Good[], random: () => number = Math.random) {
    this.#goods = goods;
    this.#random = random;
    this.#deviations = goods.map(() => 0);
  }

  /** Moves all prices by one step, and returns them in cents. */
  step(): readonly number[] {
    return this.#goods.map(({ usualPrice }, index) => {
      const moved = this.#deviations[index]! * (1 - PULL) + VOLATILITY * this.#gaussian();
      const limit = Math.log(MAX_FACTOR);
      this.#deviations[index] = Math.min(limit, Math.max(-limit, moved));
      return Math.round(usualPrice * Math.exp(this.#deviations[index]));
    });
  }

  /** Returns a number of the standard normal distribution (Box-Muller). */
  #gaussian(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.#random() * (1 - Number.EPSILON)));
    return radius * Math.cos(2 * Math.PI * this.#random());
  }
}
