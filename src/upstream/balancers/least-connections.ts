import type { Balancer } from '../balancer.ts';
import type { Endpoint } from '../endpoint.ts';

/**
 * The endpoint with the fewest connections for its weight, counted over all workers; ties are broken at random,
 * so that workers which see the same counts do not all run to the same endpoint.
 */
export class LeastConnections implements Balancer {
  readonly #endpoints: readonly Endpoint[];
  readonly #random: () => number;

  constructor(endpoints: readonly Endpoint[], random: () => number = Math.random) {
    this.#endpoints = endpoints;
    this.#random = random;
  }

  pick(excluded: ReadonlySet<Endpoint>): Endpoint | null {
    let chosen: Endpoint | null = null;
    let least = Infinity;
    let ties = 0;
    for (const endpoint of this.#endpoints) {
      if (excluded.size > 0 && excluded.has(endpoint)) continue;
      // One more than there are: of two idle endpoints the heavier comes first.
      const load = (endpoint.active + 1) / endpoint.weight;
      if (load < least) {
        chosen = endpoint;
        least = load;
        ties = 1;
      } else if (load === least && this.#random() * ++ties < 1) {
        chosen = endpoint;
      }
    }
    return chosen;
  }
}
