/** Contracts between sessions, which generate the load, and sockets, which move the bytes. */

/** Receives the events of a connection. The first event follows the return of {@link Dialler.open}. */
export interface ConnectionOwner {
  /** Called when the TCP connection is established. */
  connected(): void;
  /**
   * Called after {@link connected}, when the TLS handshake of an encrypted target is complete.
   *
   * @param isResumed whether the session was resumed
   */
  secured(isResumed: boolean): void;
  /**
   * Called when `input[0, length)` arrives. All connections of a thread share this buffer: it is valid during
   * the call only.
   */
  received(input: Buffer, length: number): void;
  /** Called when the pending bytes are sent, if a {@link Connection.write} returned false. */
  drained(): void;
  /** Called when the connection is gone, whichever side ended it. No event follows. */
  closed(error: Error | null): void;
}

/** A byte stream to the target. */
export interface Connection {
  /**
   * Sends bytes. The caller must not change them afterwards.
   *
   * @returns false if the caller should stop writing until `drained`
   */
  write(bytes: Uint8Array): boolean;
  /** Sends FIN after the pending bytes. */
  end(): unknown;
  /** Drops the connection at once. `closed` follows. */
  destroy(): unknown;
}

/** Opens connections to one target and waits for their events. */
export interface Dialler {
  open(owner: ConnectionOwner): Connection;
  /** Allocates memory that connections send without a copy. */
  allocate(size: number): Buffer;
  /** Runs a callback after all current events are handled. The thread does not sleep until then. */
  soon(callback: () => void): void;
  /** Ends the dialler. Called after all connections are closed. */
  close(): void;
}
