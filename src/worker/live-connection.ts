/** A session or tunnel of either layer, as its worker sees it. */
export interface LiveConnection {
  /** Its endpoint; null while the endpoint is still being chosen. */
  readonly endpoint: { readonly removed: boolean } | null;
  /** Whether it is joined to an endpoint, given by the names of the cluster and of the endpoint. */
  isOf(cluster: string, endpoint: string): boolean;
  /** Ends in good order if nothing is under way on it. Returns false if something is, or if it has ended already. */
  drain(): boolean;
  /** Lives on if it has only been asked to {@link drain}, and something was under way. */
  undrain(): void;
  /** Ends now, in the best order that its state allows. */
  end(): void;
  /** Ends in good order so that its client connects elsewhere. Returns false if it has ended already. */
  evict(reason: string): boolean;
  /** Cuts both sides now. */
  abort(): void;
}

/** What a pacer needs of a connection. */
export type PacedConnection = Pick<LiveConnection, 'drain' | 'undrain' | 'end'>;
