/** Contracts between sessions, which generate load, and sockets, which move bytes. */

/** Receives the events of a connection. Nothing is called before {@link Dialler.open} returns. */
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
   * Called when `input[0, length)` arrives. All connections of a thread share this buffer: it is valid only
   * during the call.
   */
  received(input: Buffer, length: number): void;
  /** Called when all written bytes are sent, if {@link Connection.write} returned false. */
  drained(): void;
  /** Called when either side has closed the connection. Nothing follows. */
  closed(error: Error | null): void;
}

/** A byte stream to the target. */
export interface Connection {
  /**
   * Sends bytes, which the caller must not change afterwards.
   *
   * @returns false if the caller should stop writing until `drained`
   */
  write(bytes: Uint8Array): boolean;
  /** Sends FIN after the waiting bytes. */
  end(): unknown;
  /** Drops the connection now. `closed` follows. */
  destroy(): unknown;
}

/** Opens connections to one target, and runs the loop that waits for their events. */
export interface Dialler {
  open(owner: ConnectionOwner): Connection;
  /** Allocates memory that connections send from without a copy. */
  allocate(size: number): Buffer;
  /** Calls back when all current events have been handled. The thread does not sleep until then. */
  soon(callback: () => void): void;
  /** Closes the dialler, after all connections are closed. */
  close(): void;
}
