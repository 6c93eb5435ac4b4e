/** A client's WebSocket as a session of whole messages sees it. An engine that frames WebSockets itself implements it. */
export interface DownstreamSocket {
  /**
   * Sends a message.
   *
   * @returns 1 if the kernel has taken it, 0 if some of it waits. The caller bounds what waits.
   */
  send(message: Uint8Array, binary: boolean, compress: boolean): number;
  /** Begins a fragmented message. The methods for fragments return what {@link send} returns. */
  sendFirstFragment(message: Uint8Array, binary: boolean, compress: boolean): number;
  sendFragment(message: Uint8Array, compress: boolean): number;
  sendLastFragment(message: Uint8Array, compress: boolean): number;
  /**
   * Sends a close frame behind the bytes that wait, then FIN. The owner's {@link DownstreamOwner.downstreamClosed} is called
   * before this returns, and the socket must not be used again. Not to be called within {@link cork}: uWS (20.66 to 20.68,
   * uWebSockets#1063) would send no FIN, and the connection of a client that waits for FIN would stay open for 12 to 16 s.
   *
   * @param code 0 for a close frame without a code
   */
  end(code: number, reason: Uint8Array | string): void;
  /**
   * Cuts the connection and drops the bytes that wait. The owner's {@link DownstreamOwner.downstreamLost} is called
   * before this returns, and the socket must not be used again.
   */
  close(): void;
  /** Gathers what the callback sends into one write. */
  cork(callback: () => void): unknown;
  /** Returns how many bytes wait for the client, pongs of the engine included. */
  getBufferedAmount(): number;
}

/** Hears what happens on a client's WebSocket. A session of whole messages implements it. */
export interface DownstreamOwner {
  /** The client has been answered 101. Called once, before all others. */
  downstreamOpened(socket: DownstreamSocket): void;
  /** A whole message has come. @param data valid during the call only */
  downstreamMessage(data: ArrayBuffer, binary: boolean): void;
  /**
   * The client has sent a ping, and the engine has queued the pong behind everything that waits.
   *
   * @param payload valid during the call only
   */
  downstreamPinged(payload: Uint8Array): void;
  /** The client has sent a pong. @param payload valid during the call only */
  downstreamPonged(payload: Uint8Array): void;
  /** The kernel has taken some of the bytes that waited. */
  downstreamDrained(): void;
  /**
   * The engine keeps a part of a message that has not come whole. The owner counts it, and may close the socket before
   * this returns.
   *
   * @param bytes of the part; 0 when the engine keeps nothing any more
   */
  downstreamUnfinished(bytes: number): void;
  /** A close frame has ended the WebSocket, of either side. @param code 1005 if the frame has none */
  downstreamClosed(code: number, reason: Uint8Array): void;
  /**
   * The WebSocket has ended without a valid close frame.
   *
   * @param detail for the log
   * @param sentBadClose whether the client has sent a close frame that the engine takes for malformed
   */
  downstreamLost(detail: string, sentBadClose: boolean): void;
}
