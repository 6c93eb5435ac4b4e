import type { Balancer } from './balancer.ts';
import type { ConnectFailure, Endpoint } from './endpoint.ts';

/** What {@link Attempts} needs of its cluster. */
interface RetryCounter {
  countRetry(): void;
}

/**
 * The endpoints that are tried, one after the other, for one connection. Each that was given out counts as a
 * connection of its endpoint until {@link fail} or `Endpoint.release`.
 */
export class Attempts {
  /** Why the last endpoint failed; null while none has. */
  lastFailure: ConnectFailure | null = null;
  readonly #cluster: RetryCounter;
  readonly #balancer: Balancer;
  readonly #failed = new Set<Endpoint>();
  #retriesLeft: number;

  constructor(cluster: RetryCounter, balancer: Balancer, retries: number) {
    this.#cluster = cluster;
    this.#balancer = balancer;
    this.#retriesLeft = retries;
  }

  /** The next endpoint, counted as connected; null where all have failed or no retry is left. */
  next(): Endpoint | null {
    const retrying = this.#failed.size > 0;
    if (retrying && this.#retriesLeft === 0) return null;
    const endpoint = this.#balancer.pick(this.#failed);
    if (endpoint === null) return null;
    if (retrying) {
      this.#retriesLeft--;
      this.#cluster.countRetry();
    }
    endpoint.acquire();
    return endpoint;
  }

  /** The endpoint could not be used: it is not tried again for this connection. */
  fail(endpoint: Endpoint, reason: ConnectFailure): void {
    endpoint.release();
    endpoint.countFailure(reason);
    this.#failed.add(endpoint);
    this.lastFailure = reason;
  }
}
