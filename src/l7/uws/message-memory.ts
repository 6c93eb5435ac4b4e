import { releasePages } from '../../sys/memory/released-pages.ts';
import { unsupportedReason } from '../../sys/support.ts';

/** Such a message has usually come in several reads, and to give its memory back costs little beside the copies. */
const MIN_RELEASED_BYTES = 256 * 1024;

const supported = unsupportedReason() === null;

/**
 * Gives uWS's memory for a client's message back to the system. The message becomes zeros. uWS 20.66 to 20.68 gathers a
 * message that comes in several reads in a string of its connection, and a compressed message in a string of the thread
 * (`fragmentBuffer`, `inflationStream`). It keeps the memory of both for the next message; uWebSockets.js#1150 reports
 * the same for bytes on their way out. This can go when uWS shrinks its strings.
 *
 * @param message valid memory of {@link MIN_RELEASED_BYTES} or more: the connection has not been closed since it came
 */
export function releaseMessage(message: ArrayBuffer): void {
  if (supported) releasePages(message);
}

/** Holds the large message that is handed to its owner now, and gives its memory back. */
export class MessageMemory {
  readonly #freeMessage: (message: ArrayBuffer) => void;
  #owner: object | null = null;
  #message: ArrayBuffer | null = null;

  /** @param release frees a message's memory, as {@link releaseMessage} does */
  constructor(release: (message: ArrayBuffer) => void) {
    this.#freeMessage = release;
  }

  /** Notes a message that is about to be handed over. */
  hold(client: object, message: ArrayBuffer): void {
    if (message.byteLength < MIN_RELEASED_BYTES) return;
    this.#owner = client;
    this.#message = message;
  }

  /**
   * Frees the client's message, if there is one. To be called when the owner has taken the message, and when the WebSocket
   * ends meanwhile. uWS calls the close handler before it frees the message with the connection, and reads nothing of either
   * when the message handler returns (`handleFragment` and the close event in `WebSocketContext.h`).
   */
  release(client: object): void {
    if (this.#owner !== client) return;
    const message = this.#message;
    this.#owner = this.#message = null;
    if (message !== null) this.#freeMessage(message);
  }
}
