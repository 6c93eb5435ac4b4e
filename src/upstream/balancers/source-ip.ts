import type { Balancer } from './balancer.ts';
import type { Endpoint } from '../endpoint.ts';
import type { PickContext } from './balancer.ts';
import { HashRing } from './hash-ring.ts';
import { hashText } from './key-hash.ts';

/**
 * The same endpoint for all connections of a client's address, in every worker, by a {@link HashRing}: only the
 * clients of an endpoint that goes move. However many come from one address, they stay together.
 */
export class SourceIp implements Balancer {
  readonly #ring = new HashRing();

  update(endpoints: readonly Endpoint[]): void {
    this.#ring.update(endpoints);
  }

  pick({ source }: PickContext, excluded: ReadonlySet<Endpoint>): Endpoint | null {
    return this.#ring.find(hashText(source), excluded, null);
  }
}
