import type { Endpoint } from '../endpoint.ts';
import type { PickContext } from '../pick-context.ts';

/**
 * Chooses the endpoint for a new connection. One object per cluster and worker; it keeps its state to itself
 * and in {@link Endpoint.balance}.
 */
export interface Balancer {
  /**
   * Sets the endpoints to choose from, those alone that are `eligible`. Called whenever there are others, or
   * another is eligible; never in the middle of a pick.
   */
  update(endpoints: readonly Endpoint[]): void;

  /**
   * The next endpoint that is not among the excluded ones, or null where none is left. It does not count the
   * connection: who dials does.
   */
  pick(context: PickContext, excluded: ReadonlySet<Endpoint>): Endpoint | null;
}
