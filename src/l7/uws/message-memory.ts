import { releasePages } from '../../sys/memory/released-pages.ts';
import { unsupportedReason } from '../../sys/support.ts';

/**
 * Min size of a message whose memory is released. A large message usually arrived in several reads, and
 * releasing is cheap compared with the copies.
 */
const MIN_RELEASED_BYTES = 256 * 1024;

const supported = unsupportedReason() === null;

/**
 * Releases uWS's memory of a client's message to the system. The message becomes zeros.
 *
 * uWS 20.66 to 20.68 collects a message from several reads in a string of its connection (`fragmentBuffer`).
 * It inflates compressed messages into a string of the thread (`inflationStream`). It keeps the memory of
 * both strings for later messages. uWebSockets.js#1150 reports the same for outgoing bytes. Needed until uWS
 * shrinks its strings.
 *
 * @param message valid memory of {@link MIN_RELEASED_BYTES} or more, whose connection has not been closed
 * since
 */
export function releaseMessage(message: ArrayBuffer): void {
  if (supported) releasePages(message);
}

/** Remembers the large message that its owner is processing, and then releases its memory. */
export class MessageMemory {
  readonly #freeMessage: (message: ArrayBuffer) => void;
  #owner: object | null = null;
  #message: ArrayBuffer | null = null;

  /** @param release frees a message's memory, as {@link releaseMessage} does */
  constructor(release: (message: ArrayBuffer) => void) {
    this.#freeMessage = release;
  }

  /** Remembers a message that is about to be passed to its owner. */
  hold(client: object, message: ArrayBuffer): void {
    if (message.byteLength < MIN_RELEASED_BYTES) return;
    this.#owner = client;
    this.#message = message;
  }

  /**
   * Releases the client's message, if there is one. Must be called when the owner has processed the message,
   * and also if the WebSocket ends during that.
   *
   * uWS calls the close handler before it frees the message with the connection. It reads neither after the
   * message handler returns (`handleFragment` and the close event in `WebSocketContext.h`).
   */
  release(client: object): void {
    if (this.#owner !== client) return;
    const message = this.#message;
    this.#owner = this.#message = null;
    if (message !== null) this.#freeMessage(message);
  }
}
