import type { Endpoint } from '../endpoint.ts';
import type { Balancer, PickContext } from './balancer.ts';
import { HashRing } from './hash-ring.ts';
import { hashText } from './key-hash.ts';

/**
 * Chooses the same endpoint for all connections of a client's address, in every worker, by a {@link HashRing}: when an
 * endpoint goes, only its clients move. The load of one address is not bounded.
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
