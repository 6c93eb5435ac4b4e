import type { Endpoint } from '../endpoint.ts';
import type { Balancer, PickContext } from './balancer.ts';
import { HashRing } from './hash-ring.ts';
import { hashText } from './key-hash.ts';

/**
 * Maps each client address to one endpoint, the same in every worker, with a {@link HashRing}. When an
 * endpoint is removed, only its clients move. The load from one address is not bounded.
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
