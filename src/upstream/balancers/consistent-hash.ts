import type { Endpoint } from '../endpoint.ts';
import type { Balancer, PickContext } from './balancer.ts';
import { HashRing } from './hash-ring.ts';
import { hashText, mix } from './key-hash.ts';

interface ConsistentHashOptions {
  /** Whether the key is the client's address. */
  readonly bySource: boolean;
  /** Max load of an endpoint as a multiple of its fair share: above 1, or 0 for no bound. */
  readonly loadFactor: number;
  /** Connections of all workers to the whole cluster. */
  readonly total: () => number;
  /** Random number in [0, 1), for clients without a key. */
  readonly random?: () => number;
}

/**
 * Consistent hashing with bounded loads (Mirrokni, Thorup and Zadimoghaddam, SODA 2018). A key maps to the
 * same endpoint in every worker. If that endpoint has `loadFactor` times its share of connections, the next
 * on the ring is chosen. A client without a key gets a random endpoint.
 */
export class ConsistentHash implements Balancer {
  readonly #ring = new HashRing();
  readonly #bySource: boolean;
  readonly #loadFactor: number;
  readonly #total: () => number;
  readonly #random: () => number;
  #weights = 0;
  #ramping = false;
  /** Max connections per unit of weight in the current pick. */
  #bound = 0;
  readonly #accept = (endpoint: Endpoint, hash: number): boolean => this.#takes(endpoint, hash);

  constructor({ bySource, loadFactor, total, random = Math.random }: ConsistentHashOptions) {
    this.#bySource = bySource;
    this.#loadFactor = loadFactor;
    this.#total = total;
    this.#random = random;
  }

  update(endpoints: readonly Endpoint[]): void {
    this.#weights = endpoints.reduce((sum, { eligible, weight }) => sum + (eligible ? weight : 0), 0);
    this.#ramping = endpoints.some(({ eligible, factor }) => eligible && factor < 1);
    this.#ring.update(endpoints);
  }

  pick({ source, hashKey }: PickContext, excluded: ReadonlySet<Endpoint>): Endpoint | null {
    const key = this.#bySource ? source : hashKey;
    const hash = key === null ? Math.floor(this.#random() * 2 ** 32) : hashText(key);
    if (this.#loadFactor === 0 && !this.#ramping) return this.#ring.find(hash, excluded, null);
    this.#bound = (this.#loadFactor * (this.#total() + 1)) / this.#weights;
    return this.#ring.find(hash, excluded, this.#accept);
  }

  #takes(endpoint: Endpoint, hash: number): boolean {
    // During its slow start, an endpoint gets a fraction of its keys, the same in every worker.
    if (endpoint.factor < 1 && mix(hash ^ 0x5bd1e995) >= endpoint.factor * 2 ** 32) return false;
    return this.#loadFactor === 0 || endpoint.active < Math.ceil(this.#bound * endpoint.weight);
  }
}
