/** The listening socket of one listener in one worker. */
export interface Acceptor {
  /** Accepts connections. Throws, or rejects, if the address cannot be bound. */
  listen(): Promise<void> | void;
  /** Whether it accepts connections. */
  readonly listens: boolean;
  /**
   * Hands new connections over to other sockets on the address. {@link stop} may follow soon.
   *
   * @param from the first of those sockets: see `sys/sockets/hand-over.ts`
   */
  leave(from: number | null): void;
  /** Accepts no more connections, and may listen again. May be called again. */
  stop(): void;
}

/** Takes the connections of an acceptor. `Connection` is a descriptor, or a socket of Node. */
export interface AcceptorOwner<Connection> {
  /** Takes a connection: serves it, or closes it. */
  accepted(connection: Connection): void;
  /**
   * Counts a connection that could not be accepted.
   *
   * @param code the name of the system's error
   * @param isFirst false if the accept before has failed, too: a lasting failure is logged once
   * @returns whether only this one connection is lost; else accepting rests for a while
   */
  acceptFailed(code: string, isFirst: boolean): boolean;
  /** {@link accepted} has thrown. */
  acceptFault(error: unknown): void;
}
