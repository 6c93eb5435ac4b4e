/** The listening socket of one listener in one worker. */
export interface Acceptor {
  /** Starts accepting connections. Throws or rejects if the address cannot be bound. */
  listen(): Promise<void> | void;
  /** Whether it accepts connections. */
  readonly listens: boolean;
  /**
   * Hands new connections over to other sockets on the address. {@link stop} may follow soon.
   *
   * @param from number of the first socket to receive new connections: see `sys/sockets/hand-over.ts`
   */
  handOver(from: number | null): void;
  /** Stops accepting, and may listen again. Idempotent. */
  stop(): void;
}

/** Receives the connections of an acceptor. `Connection` is a descriptor or a Node socket. */
export interface AcceptorOwner<Connection> {
  /** Called with each accepted connection, to serve or close it. */
  accepted(connection: Connection): void;
  /**
   * Counts a failed accept.
   *
   * @param code name of the system's error
   * @param isFirst false if the previous accept failed, too: a lasting failure is logged once
   * @returns true if only this connection is lost; false if accepting must pause
   */
  acceptFailed(code: string, isFirst: boolean): boolean;
  /** Called when {@link accepted} throws. */
  acceptFault(error: unknown): void;
}
