import { releasePages } from '../../sys/memory/released-pages.ts';
import { unsupportedReason } from '../../sys/support.ts';

/** A message of this size has usually come in several reads, and giving its memory back costs little beside the copies. */
const MIN_RELEASED_BYTES = 256 * 1024;

const supported = unsupportedReason() === null;

/**
 * Gives uWS's memory for a client's message back to the system; the message becomes zeros. uWS 20.66 to 20.68 gathers a
 * message that comes in several reads in a string of its connection, and a compressed one in a string of the thread. It
 * keeps the memory of both for the next message.
 *
 * @param message valid memory of {@link MIN_RELEASED_BYTES} or more: the connection has not been closed since it came
 */
export function releaseMessage(message: ArrayBuffer): void {
  if (supported) releasePages(message);
}

/** The message that a client has sent and its session relays now, if it is large. */
export class MessageMemory {
  readonly #release: (message: ArrayBuffer) => void;
  #owner: object | null = null;
  #message: ArrayBuffer | null = null;

  /** @param release frees a message's memory, as {@link releaseMessage} does */
  constructor(release: (message: ArrayBuffer) => void) {
    this.#release = release;
  }

  /** Notes the message that a session begins to relay. */
  hold(session: object, message: ArrayBuffer): void {
    if (message.byteLength < MIN_RELEASED_BYTES) return;
    this.#owner = session;
    this.#message = message;
  }

  /**
   * Frees the message that the session relays, if any: when it has been handed on, or before the client's connection is
   * closed, because uWS may free the message with the connection.
   */
  release(session: object): void {
    if (this.#owner !== session) return;
    const message = this.#message;
    this.#owner = this.#message = null;
    if (message !== null) this.#release(message);
  }
}
