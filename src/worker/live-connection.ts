/** A session or tunnel of either layer, as its worker sees it. */
export interface LiveConnection {
  /** Its endpoint. Null until one is chosen. */
  readonly endpoint: { readonly removed: boolean } | null;
  /** Whether it is joined to an endpoint, given by the cluster's name and the endpoint's label. */
  isOf(cluster: string, endpoint: string): boolean;
  /** Ends it cleanly if it is idle. Returns false if it is busy or has already ended. */
  drain(): boolean;
  /** Cancels {@link drain} for a connection that was busy. */
  undrain(): void;
  /** Ends it now, as cleanly as its state allows. */
  end(): void;
  /** Ends it cleanly so that its client reconnects elsewhere. Returns false if it has already ended. */
  evict(reason: string): boolean;
  /** Closes both sides now. */
  abort(): void;
}

/** The part of a connection that a pacer needs. */
export type PacedConnection = Pick<LiveConnection, 'drain' | 'undrain' | 'end'>;
