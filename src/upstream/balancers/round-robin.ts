import type { Balancer } from '../balancer.ts';
import type { Endpoint } from '../endpoint.ts';

/**
 * Smooth weighted round robin, as nginx introduced it: every endpoint gains its weight, the richest is chosen
 * and pays the sum. Weights 5, 1, 1 give a a b a c a a and not a a a a a b c.
 */
export class RoundRobin implements Balancer {
  readonly #endpoints: readonly Endpoint[];

  /**
   * @param random between 0 and 1, turns the sequence to a place of its own, so that the workers do not all
   *   begin with the same endpoint
   */
  constructor(endpoints: readonly Endpoint[], random: () => number = Math.random) {
    this.#endpoints = endpoints;
    const cycle = Math.min(
      1000,
      endpoints.reduce((sum, endpoint) => sum + endpoint.weight, 0),
    );
    const none: ReadonlySet<Endpoint> = new Set();
    for (let turns = Math.floor(random() * cycle); turns > 0; turns--) this.pick(none);
  }

  pick(excluded: ReadonlySet<Endpoint>): Endpoint | null {
    let chosen: Endpoint | null = null;
    let sum = 0;
    for (const endpoint of this.#endpoints) {
      if (excluded.size > 0 && excluded.has(endpoint)) continue;
      sum += endpoint.weight;
      endpoint.balance += endpoint.weight;
      if (chosen === null || endpoint.balance > chosen.balance) chosen = endpoint;
    }
    if (chosen !== null) chosen.balance -= sum;
    return chosen;
  }
}
