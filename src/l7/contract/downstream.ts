/** What the relay needs of a client's WebSocket; uWebSockets.js's own object fits it. Dead after `end` and `close`. */
export interface DownstreamSocket {
  /** 1 sent, 0 buffered (to be bounded by the caller), 2 dropped (never, as it is set up here). */
  send(message: Uint8Array, binary: boolean, compress: boolean): number;
  sendFirstFragment(message: Uint8Array, binary: boolean, compress: boolean): number;
  sendFragment(message: Uint8Array, compress: boolean): number;
  sendLastFragment(message: Uint8Array, compress: boolean): number;
  /** Sends a close frame, code 0 for one without a code, and calls the close handler before it returns. */
  end(code: number, reason: Uint8Array | string): void;
  /** Cuts the connection, and calls the close handler before it returns. */
  close(): void;
  /** Gathers what the callback sends into one write. */
  cork(callback: () => void): unknown;
  /** Bytes that wait for the client, pongs of uWS's own included. */
  getBufferedAmount(): number;
  /** Empty if the connection is broken. */
  getRemoteAddress(): ArrayBuffer;
}
