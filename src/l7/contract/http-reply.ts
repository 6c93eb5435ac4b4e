import type { RESPONSE_CUTS } from '../../telemetry/metrics/label-values.ts';
import type { HeaderEdits } from '../../wire/http/header-edits.ts';

/** The reason why a response was cut. */
export type ResponseCut = (typeof RESPONSE_CUTS)[number];

/** Status of a client that went before it was answered, for counters and logs only. nginx uses the same number. */
export const CLIENT_GONE = 499;

/** A client that takes nothing of a reply for this long is cut off (`client_stalled`); nginx's send_timeout. */
export const MAX_STALL_MS = 60_000;

/** Headers in the order in which they are written. A character is a byte (Latin-1), as in heads that were read. */
export type HeaderList = readonly Header[];

/** `kept`: whether the route's changes leave the header alone. */
export type Header = readonly [name: string, value: string, kept?: true];

/**
 * The answer to one HTTP request. Each engine implements it. An answer is given once, in one of three ways: whole by
 * {@link send}, as a head alone by {@link sendHead}, or as a stream by {@link begin} and {@link write}. Any method may be
 * called at any time, and does nothing once the reply is over.
 *
 * The reply writes Content-Length, Connection and X-Request-Id itself: leave them out of the headers. It writes Date if the
 * headers have none.
 */
export interface HttpReply {
  /** Whether the client has gone or the reply has been {@link cut}, so that nothing can be sent any more. */
  readonly aborted: boolean;

  /**
   * The status that the engine has answered by itself, because the rest of the request cannot be read. The reply is
   * {@link aborted} then. Null or missing for any other end.
   */
  readonly refusedAs?: 400 | null;

  /** The route's changes to every head that this reply sends. Set them before the first head. */
  edits: HeaderEdits;

  /** Calls back once when the client goes before the reply is over; at once if it has gone. A cut does not call back. */
  onAborted(callback: () => void): void;

  /**
   * Sends an interim response (1xx but 101, RFC 9110 section 15.2), before the final one. Does nothing if the client's
   * protocol or the engine has none.
   */
  inform(status: number, headers: HeaderList): void;

  /**
   * Sends head and body in one write. Leaves out the body, but not its length, if the request was a HEAD. Leaves out both
   * if the status is 204 or 304.
   *
   * @param close whether the connection ends with this reply
   */
  send(status: number, headers: HeaderList, body: string | Uint8Array, close?: boolean): void;

  /**
   * Sends a head without a body: the answer to a HEAD, or a 304.
   *
   * @param length the Content-Length to tell; null for none
   */
  sendHead(status: number, headers: HeaderList, length: number | null): void;

  /** Bytes of the body that the client's connection has taken. */
  readonly sent: number;

  /**
   * Sets the head of a streamed reply. The head leaves with the first chunk. If the request was a HEAD, it leaves at once,
   * and the reply is over.
   *
   * @param length bytes of the whole body, 1 or more; null if the length is not known: then {@link end} ends the body
   */
  begin(status: number, headers: HeaderList, length: number | null): void;

  /**
   * Does what {@link begin} does, and sends the head before there is a piece of the body.
   *
   * @returns false if the engine cannot: then nothing has been done
   */
  beginAlone(status: number, headers: HeaderList, length: number | null): boolean;

  /**
   * Sends the next piece of the body. The reply is over when `length` bytes have been written.
   *
   * @param chunk not empty. Write the next chunk when this one has been taken.
   * @param borrowed whether the chunk is valid during the call only, so that the rest of it is copied. If not, it must not
   *   change until it has been taken.
   * @returns true if the chunk has been taken; false if the client is slow: {@link whenWritable} tells when it has been
   */
  write(chunk: Uint8Array, borrowed?: boolean): boolean;

  /**
   * Ends a reply of unknown length, with a last chunk if there is one. The reply keeps the chunk until it is taken.
   *
   * @param trailers fields behind the body; dropped if the client's protocol or the engine cannot send them
   */
  end(chunk: Uint8Array | null, trailers?: HeaderList): void;

  /** Calls back once when the waiting chunk has been taken or the reply is aborted; at once if no chunk waits. */
  whenWritable(callback: () => void): void;

  /** Whether the engine can send trailers to this client. */
  readonly sendsTrailers: boolean;

  /** Whether a part of the response has been written, so that another response is not possible any more. */
  readonly begun: boolean;

  /** The reason of {@link cut}; null if the response was not cut. */
  readonly cutBy: ResponseCut | null;

  /**
   * Closes the connection in the middle of the response, so that the client sees that the body is not whole. To be called
   * only after the response has {@link begun}: clients repeat a request whose connection closes without a byte, even a POST.
   */
  cut(reason: ResponseCut): void;
}
