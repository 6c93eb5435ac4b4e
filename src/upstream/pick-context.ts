/** What is known of a client when an endpoint is chosen for it. */
export interface PickContext {
  /** The client's IP address as text; empty where it has none. */
  readonly source: string;
  /** What the cluster's `hashOn` names; null where the client does not bring it. */
  readonly hashKey: string | null;
  /** The values of the cluster's sticky cookie, as the client sent them. */
  readonly sticky: readonly string[];
}

/** Of a client that is nothing but an address. */
export function addressContext(source: string): PickContext {
  return { source, hashKey: null, sticky: [] };
}
