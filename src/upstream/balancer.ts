import type { Endpoint } from './endpoint.ts';

/**
 * Chooses the endpoint for a new connection. One object per cluster and worker; it keeps its state to itself
 * and in {@link Endpoint.balance}.
 */
export interface Balancer {
  /**
   * The next endpoint that is not among the excluded ones, or null where none is left. It does not count the
   * connection: who dials does.
   */
  pick(excluded: ReadonlySet<Endpoint>): Endpoint | null;
}
