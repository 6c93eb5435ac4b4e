/** Contracts between the sessions, which make the load, and the sockets, which move the bytes. */

/** Receives the events of a connection. Nothing is called before {@link Dialler.open} returns. */
export interface ConnectionOwner {
  /** TCP is up. */
  connected(): void;
  /**
   * Called after {@link connected}, when the TLS handshake of an encrypted target is complete. @param
   * isResumed whether the session was resumed
   */
  secured(isResumed: boolean): void;
  /** `input[0, length)` has arrived; the buffer is shared by all connections of the thread and valid during the call only. */
  received(input: Buffer, length: number): void;
  /** Called when the bytes that a {@link Connection.write} has kept are sent, if the write returned false. */
  drained(): void;
  /** The connection is gone, by either side; nothing follows. */
  closed(error: Error | null): void;
}

/** A byte stream to the target. */
export interface Connection {
  /**
   * Sends bytes, which must not change any more.
   *
   * @returns false if the caller should stop writing until `drained`
   */
  write(bytes: Uint8Array): boolean;
  /** Sends FIN behind what waits. */
  end(): unknown;
  /** Drops the connection at once; `closed` follows. */
  destroy(): unknown;
}

/** Opens connections to one target, and is what a thread waits in for something to happen on them. */
export interface Dialler {
  open(owner: ConnectionOwner): Connection;
  /** Memory that connections send from without a copy. */
  allocate(size: number): Buffer;
  /** Calls back when all events so far have been handled; the thread does not sleep until then. */
  soon(callback: () => void): void;
  /** Ends it when all connections are closed. */
  close(): void;
}
