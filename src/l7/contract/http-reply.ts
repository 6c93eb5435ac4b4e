import type { RESPONSE_CUTS } from '../../telemetry/metrics/label-values.ts';
import type { HeaderEdits } from '../../wire/http/header-edits.ts';
import type { ErrorPages } from './error-pages.ts';

/** Why a response was cut. */
export type ResponseCut = (typeof RESPONSE_CUTS)[number];

/**
 * Status of a client that disconnected before its answer, for counters and logs only. nginx uses the same
 * number.
 */
export const CLIENT_GONE = 499;

/**
 * Max time without progress of a reply before its client is disconnected (`client_stalled`), as nginx's
 * send_timeout.
 */
export const MAX_STALL_MS = 60_000;

/**
 * Headers in the order in which they are written. Each character is one byte (Latin-1), as in parsed heads.
 */
export type HeaderList = readonly Header[];

/** If `kept` is true, the route's header edits leave the header alone. */
export type Header = readonly [name: string, value: string, kept?: true];

/**
 * The answer to one HTTP request, implemented by each engine. There are three ways to answer:
 *
 * - {@link send} sends a whole response.
 * - {@link sendHead} sends a head without a body.
 * - {@link begin}, {@link write} and {@link end} stream a response.
 *
 * Use only one of them, once. Any method may be called at any time, and does nothing once the reply has
 * ended.
 *
 * The reply writes Content-Length, Connection and X-Request-Id itself: omit them from the headers. It adds
 * Date if the headers have none.
 */
export interface HttpReply {
  /** Whether the client has disconnected or the reply was {@link cut}. Nothing can be sent then. */
  readonly aborted: boolean;

  /**
   * The status that the engine itself answered because it could not read the rest of the request. The reply
   * is {@link aborted} then. Null or missing otherwise.
   */
  readonly refusedAs?: 400 | null;

  /** The route's edits to every head of this reply. Set them before the first head. */
  edits: HeaderEdits;

  /** Pages for sluice's own error answers. Null for short texts. Set them before the answer. */
  pages: ErrorPages | null;

  /**
   * Calls back once if the client disconnects before the reply ends, at once if it has disconnected. A cut
   * does not call back.
   */
  onAborted(callback: () => void): void;

  /**
   * Sends an interim response (1xx except 101, RFC 9110 section 15.2) before the final one. Does nothing if
   * the client's protocol or the engine does not support it.
   */
  sendInterim(status: number, headers: HeaderList): void;

  /**
   * Sends head and body in one write. Omits the body, but keeps its length, if the request was a HEAD. Omits
   * both for 204 and 304.
   *
   * @param close whether this reply ends the connection
   */
  send(status: number, headers: HeaderList, body: string | Uint8Array, close?: boolean): void;

  /**
   * Sends a head without a body: the answer to a HEAD, or a 304.
   *
   * @param length value of Content-Length, null for none
   */
  sendHead(status: number, headers: HeaderList, length: number | null): void;

  /** Body bytes that the client's connection has taken. */
  readonly sent: number;

  /**
   * Sets the head of a streamed reply. The head is sent with the first chunk. For a HEAD request it is sent
   * at once, and the reply ends.
   *
   * @param length length of the whole body in bytes, 1 or more. Null if unknown: then {@link end} ends the
   * body.
   */
  begin(status: number, headers: HeaderList, length: number | null): void;

  /**
   * Like {@link begin}, but sends the head before the first chunk of the body.
   *
   * @returns false if the engine cannot do that: then nothing has happened
   */
  beginAndFlush(status: number, headers: HeaderList, length: number | null): boolean;

  /**
   * Sends the next chunk of the body. The reply ends after `length` bytes.
   *
   * @param chunk not empty. Write the next chunk only after this one was taken.
   * @param borrowed true if the chunk is valid during the call only, so that its rest is copied. Otherwise
   * the chunk must not change until it was taken.
   * @returns true if the chunk was taken. False if the client is slow: wait for {@link whenWritable}.
   */
  write(chunk: Uint8Array, borrowed?: boolean): boolean;

  /**
   * Ends a reply of unknown length, with an optional last chunk. The reply keeps the chunk until it was
   * taken.
   *
   * @param trailers fields after the body, dropped if the client's protocol or the engine cannot send them
   */
  end(chunk: Uint8Array | null, trailers?: HeaderList): void;

  /**
   * Calls back once when the pending chunk was taken or the reply is aborted, at once if no chunk is pending.
   */
  whenWritable(callback: () => void): void;

  /** Whether the engine can send trailers to this client. */
  readonly sendsTrailers: boolean;

  /** Whether a part of the response was written, so that no other response is possible. */
  readonly begun: boolean;

  /** The reason of {@link cut}, or null. */
  readonly cutBy: ResponseCut | null;

  /**
   * Closes the connection in the middle of the response, so that the client detects the incomplete body. Call
   * it only after the response has {@link begun}: if a connection closes without a byte, clients repeat the
   * request, even a POST.
   */
  cut(reason: ResponseCut): void;
}
