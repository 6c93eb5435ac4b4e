import type { RESPONSE_CUTS } from '../../telemetry/metrics/label-values.ts';
import type { HeaderEdits } from '../../wire/http/header-edits.ts';

/** Why a response was cut. */
export type ResponseCut = (typeof RESPONSE_CUTS)[number];

/** Status of a client that went before it was answered: nginx's number, in counters and logs, never on the wire. */
export const CLIENT_GONE = 499;

/** Pairs in the order in which they are written. A character is a byte (Latin-1), as in heads that were read. */
export type HeaderList = readonly Header[];

/** `kept`: whether the route's changes leave it alone. */
export type Header = readonly [name: string, value: string, kept?: true];

/**
 * The answer to one HTTP request, free of the server that carries it. It is given in one of three ways, once:
 * whole by {@link send}, as a head alone by {@link sendHead}, or as a stream by {@link begin} and {@link write}.
 * Every method may be called at any time: once the reply is over, they do nothing.
 *
 * The reply writes Content-Length, Date, Connection and X-Request-Id itself: leave them out of the headers.
 */
export interface HttpReply {
  /** The client is gone, or the reply has been {@link cut}: nothing can be sent any more. */
  readonly aborted: boolean;

  /** The route's changes, which hold for every head that this reply sends. Set them before the first. */
  edits: HeaderEdits;

  /** Calls back once when the client goes before the reply is over; at once if it has gone. Not for a cut. */
  onAborted(callback: () => void): void;

  /**
   * Sends everything in one write. The body is left out, and its length still told, where the request was a
   * HEAD; body and length are left out where the status is 204 or 304.
   *
   * @param close whether the connection ends with this reply
   */
  send(status: number, headers: HeaderList, body: string | Uint8Array, close?: boolean): void;

  /**
   * Sends a head without a body: what a HEAD gets, or a 304.
   *
   * @param length the Content-Length to tell; null for none
   */
  sendHead(status: number, headers: HeaderList, length: number | null): void;

  /** Bytes of the body that have been taken. */
  readonly sent: number;

  /**
   * Sets the head of a streamed reply. It leaves with the first chunk; where the request was a HEAD it leaves at
   * once, and the reply is over.
   *
   * @param length of the whole body in bytes, 1 or more; null where it is not known: then {@link end} ends it
   */
  begin(status: number, headers: HeaderList, length: number | null): void;

  /**
   * Sends the next piece of the body; the reply is over when all of the length has been written.
   *
   * @param chunk not empty. The next one must wait until it has been taken.
   * @param borrowed whether it is valid during the call only, so that what is not taken is copied; without, it must
   *   not change until it has been taken
   * @returns true if it has been taken; false if the client is slow: {@link whenWritable} tells when it has been
   */
  write(chunk: Uint8Array, borrowed?: boolean): boolean;

  /** Ends a reply of unknown length, with a last piece where there is one; it is kept until the client takes it. */
  end(chunk: Uint8Array | null): void;

  /** Calls back once when the chunk that is waiting has been taken, or the reply aborted; at once if none is. */
  whenWritable(callback: () => void): void;

  /** Whether anything of the response has been written, so that it cannot become another one. */
  readonly begun: boolean;

  /** Why the response was {@link cut}; null if it was not. */
  readonly cutBy: ResponseCut | null;

  /**
   * Closes the connection in the middle of the response, so that the client sees that the body is not whole. Only for a
   * response that has {@link begun}: clients repeat a request, even a POST, whose connection closes without a byte.
   */
  cut(reason: ResponseCut): void;
}
