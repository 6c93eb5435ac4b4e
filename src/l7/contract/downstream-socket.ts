/**
 * A client's WebSocket, as a session of whole messages sees it. Implemented by engines that frame WebSockets
 * themselves.
 */
export interface DownstreamSocket {
  /**
   * Sends a message.
   *
   * @returns 1 if the kernel took all of it, 0 if a part is buffered. The caller must bound the buffer.
   */
  send(message: Uint8Array, binary: boolean, compress: boolean): number;
  /** Begins a fragmented message. The fragment methods return the same values as {@link send}. */
  sendFirstFragment(message: Uint8Array, binary: boolean, compress: boolean): number;
  sendFragment(message: Uint8Array, compress: boolean): number;
  sendLastFragment(message: Uint8Array, compress: boolean): number;
  /**
   * Sends a close frame after the buffered bytes, then FIN. Calls {@link DownstreamOwner.downstreamClosed}
   * before it returns. The socket must not be used after that.
   *
   * Do not call it inside {@link cork}: uWS (20.66 to 20.68, uWebSockets#1063) would send no FIN. A client
   * that waits for FIN would keep its connection for 12 to 16 s.
   *
   * @param code 0 for a close frame without a code
   */
  end(code: number, reason: Uint8Array | string): void;
  /**
   * Cuts the connection and drops the buffered bytes. Calls {@link DownstreamOwner.downstreamLost} before it
   * returns. The socket must not be used after that.
   */
  close(): void;
  /** Combines everything that the callback sends into one write. */
  cork(callback: () => void): unknown;
  /** Returns the bytes buffered for the client, including the engine's pongs. */
  getBufferedAmount(): number;
}

/** Receives the events of a client's WebSocket. Implemented by a session of whole messages. */
export interface DownstreamOwner {
  /** Called once, before all other methods, after the client got its 101. */
  downstreamOpened(socket: DownstreamSocket): void;
  /** Called when a whole message arrives. @param data valid during the call only */
  downstreamMessage(data: ArrayBuffer, binary: boolean): void;
  /**
   * Called when the client pings. The engine has already queued the pong after all buffered bytes.
   *
   * @param payload valid during the call only
   */
  downstreamPinged(payload: Uint8Array): void;
  /** Called when the client sends a pong. @param payload valid during the call only */
  downstreamPonged(payload: Uint8Array): void;
  /** Called when the kernel takes some of the buffered bytes. */
  downstreamDrained(): void;
  /**
   * Called when the engine buffers a part of an incomplete message. The owner counts the bytes, and may close
   * the socket before this returns.
   *
   * @param bytes buffered bytes of the message, 0 once the engine holds none
   */
  downstreamUnfinished(bytes: number): void;
  /**
   * Called when a close frame of either side has ended the WebSocket.
   *
   * @param code 1005 if the frame has none
   */
  downstreamClosed(code: number, reason: Uint8Array): void;
  /**
   * Called when the WebSocket has ended without a valid close frame.
   *
   * @param detail for the log
   * @param sentBadClose whether the client sent a close frame that the engine considers malformed
   */
  downstreamLost(detail: string, sentBadClose: boolean): void;
}
