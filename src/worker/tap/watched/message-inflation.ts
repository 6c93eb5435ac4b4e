import { readDeflateParameters } from '../../../wire/deflate/deflate-parameters.ts';
import { MessageInflater } from '../../../wire/deflate/message-inflater.ts';
import type { TapState } from '../tap-state.ts';

/**
 * Inflates the messages of one direction (RFC 7692). With context takeover, it needs all messages from the
 * first on. Contexts take memory, and a worker has a limited number of them.
 */
export class MessageInflation {
  readonly #state: TapState;
  /** Null if messages can no longer be inflated. */
  #inflater: MessageInflater | null = null;
  /** Whether {@link TapState.releaseContext} must be called. */
  #hasContext = false;

  /** @param isWhole whether {@link inflate} gets all messages of the direction, from the first */
  constructor(state: TapState, extensions: string, fromClient: boolean, isWhole: boolean) {
    this.#state = state;
    const parameters = readDeflateParameters(extensions, fromClient);
    if (parameters === null) return;
    this.#hasContext = parameters.hasContext && isWhole && state.takeContext();
    if (this.#hasContext || !parameters.hasContext) this.#inflater = new MessageInflater(parameters);
  }

  /** Whether the next message may be inflated. */
  get isPossible(): boolean {
    return this.#inflater !== null;
  }

  /** Whether {@link inflate} must get every message, because a gap would end the inflation. */
  get keepsContext(): boolean {
    return this.#hasContext;
  }

  /** Returns a whole message. Null if it cannot be inflated or is too long. */
  inflate(message: Uint8Array): Uint8Array | null {
    const inflater = this.#inflater;
    if (inflater === null) return null;
    const inflated = inflater.inflate(message);
    if (inflater.isLost) this.release();
    return inflated;
  }

  /** Notes that a message crossed without {@link inflate}. */
  missed(): void {
    if (this.#hasContext) this.release();
  }

  /** Releases the context. Nothing is inflated any more. */
  release(): void {
    this.#inflater = null;
    if (this.#hasContext) this.#state.releaseContext();
    this.#hasContext = false;
  }
}
