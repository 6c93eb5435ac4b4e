import type { Endpoint } from '../endpoint.ts';

/** Facts about a client that decide its endpoint. */
export interface PickContext {
  /** The client's IP address as text. Empty if unknown. */
  readonly source: string;
  /** Value of the cluster's `hashOn`. Null if the client does not send it. */
  readonly hashKey: string | null;
  /** Values of the cluster's sticky cookie that the client sent. */
  readonly sticky: readonly string[];
}

/** Returns the context of a client known only by its address. */
export function addressContext(source: string): PickContext {
  return { source, hashKey: null, sticky: [] };
}

/**
 * Chooses the endpoint for a new connection. Each cluster has one balancer per worker. Its state is in the
 * object and in {@link Endpoint.balance}.
 */
export interface Balancer {
  /**
   * Sets the endpoints to choose from: those with `eligible`. Called when endpoints or their eligibility
   * change, never during a pick.
   */
  update(endpoints: readonly Endpoint[]): void;

  /** Returns the next endpoint outside `excluded`. Null if none is left. The caller counts the connection. */
  pick(context: PickContext, excluded: ReadonlySet<Endpoint>): Endpoint | null;
}
