import type { Endpoint } from '../endpoint.ts';
import type { Balancer, PickContext } from './balancer.ts';
import { WeightedDraw } from './weighted-draw.ts';

/** Max draws of the second choice while it equals the first. */
const MAX_DRAWS = 8;
/** Relative tolerance of floating-point sums: an endpoint at its share is not below it. */
const EPSILON = 1e-9;

/**
 * Chooses the less loaded of two random endpoints. This is nearly as even as comparing all of them, and
 * avoids herds when counts are stale.
 *
 * Source: Mitzenmacher, The Power of Two Choices in Randomized Load Balancing, IEEE Transactions on Parallel
 * and Distributed Systems 12(10), 2001.
 */
export class TwoChoices implements Balancer {
  #draw: WeightedDraw;
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
    this.#draw = new WeightedDraw([], random);
  }

  update(endpoints: readonly Endpoint[]): void {
    this.#draw = new WeightedDraw(endpoints, this.#random);
  }

  pick(_context: PickContext, excluded: ReadonlySet<Endpoint>): Endpoint | null {
    const draw = this.#draw;
    if (draw.members.length === 0) return null;
    if (excluded.size > 0) {
      const first = draw.drawOther(excluded);
      return first === null ? null : lessLoaded(first, draw.drawOther(excluded)!);
    }
    const first = draw.draw();
    let second = draw.draw();
    for (let turn = 1; turn < MAX_DRAWS && second === first; turn++) second = draw.draw();
    return lessLoaded(first, second);
  }
}

/**
 * Returns the endpoint below its share of the connections that both have, including the new one. Shares
 * follow from weights. If both are below their shares, the first drawn wins, which keeps shares by weight
 * while few connections are open.
 */
function lessLoaded(first: Endpoint, second: Endpoint): Endpoint {
  if (first === second) return first;
  const open = first.active;
  const share = ((open + second.active + 1) * first.share) / (first.share + second.share);
  return open < share * (1 - EPSILON) ? first : second;
}
