import { readDeflateParameters } from '../../../wire/deflate/deflate-parameters.ts';
import { MessageInflater } from '../../../wire/deflate/message-inflater.ts';
import type { TapHome } from '../tap-home.ts';

/**
 * Inflates the messages of one direction (RFC 7692), as long as all messages since the first have been seen, or the sender
 * begins each message without a context. Contexts take memory, and a worker has a bounded number of them.
 */
export class MessageInflation {
  readonly #home: TapHome;
  /** Null if messages cannot be inflated any more. */
  #inflater: MessageInflater | null = null;
  /** Whether {@link TapHome.leaveContext} must be called. */
  #hasContext = false;

  /** @param isWhole whether {@link inflate} gets all messages of the direction, from the first */
  constructor(home: TapHome, extensions: string, fromClient: boolean, isWhole: boolean) {
    this.#home = home;
    const parameters = readDeflateParameters(extensions, fromClient);
    if (parameters === null) return;
    this.#hasContext = parameters.hasContext && isWhole && home.takeContext();
    if (this.#hasContext || !parameters.hasContext) this.#inflater = new MessageInflater(parameters);
  }

  /** Whether the next message may be inflated. */
  get isPossible(): boolean {
    return this.#inflater !== null;
  }

  /** Whether {@link inflate} must get every message, or no further one can be inflated. */
  get keepsContext(): boolean {
    return this.#hasContext;
  }

  /** Returns a whole message; null if it cannot be inflated, or is too long. */
  inflate(message: Uint8Array): Uint8Array | null {
    const inflater = this.#inflater;
    if (inflater === null) return null;
    const inflated = inflater.inflate(message);
    if (inflater.isLost) this.release();
    return inflated;
  }

  /** A message has crossed that {@link inflate} has not got. */
  missed(): void {
    if (this.#hasContext) this.release();
  }

  /** Gives the context back. Nothing is inflated any more. */
  release(): void {
    this.#inflater = null;
    if (this.#hasContext) this.#home.leaveContext();
    this.#hasContext = false;
  }
}
