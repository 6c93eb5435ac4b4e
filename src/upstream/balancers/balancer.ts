import type { Endpoint } from '../endpoint.ts';

/** The facts about a client that an endpoint is chosen by. */
export interface PickContext {
  /** The client's IP address as text; empty if it is unknown. */
  readonly source: string;
  /** The value of the cluster's `hashOn`; null if the client does not send it. */
  readonly hashKey: string | null;
  /** Values of the cluster's sticky cookie, as the client sent them. */
  readonly sticky: readonly string[];
}

/** Returns the context of a client that is known by its address only. */
export function addressContext(source: string): PickContext {
  return { source, hashKey: null, sticky: [] };
}

/**
 * Chooses the endpoint for a new connection. There is one object for each cluster and worker. It keeps its state in itself and
 * in {@link Endpoint.balance}.
 */
export interface Balancer {
  /**
   * Sets the endpoints to choose from: the `eligible` ones. Called when endpoints or their eligibility change, never
   * within a pick.
   */
  update(endpoints: readonly Endpoint[]): void;

  /** Returns the next endpoint outside of the excluded ones; null if none is left. The caller counts the connection. */
  pick(context: PickContext, excluded: ReadonlySet<Endpoint>): Endpoint | null;
}
