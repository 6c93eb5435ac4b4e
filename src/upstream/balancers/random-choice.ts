import type { Endpoint } from '../endpoint.ts';
import type { Balancer, PickContext } from './balancer.ts';
import { WeightedDraw } from './weighted-draw.ts';

/** Chooses a random endpoint by weight. Needs neither counts nor coordination between workers. */
export class RandomChoice implements Balancer {
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
    return excluded.size === 0 ? draw.draw() : draw.drawOther(excluded);
  }
}
