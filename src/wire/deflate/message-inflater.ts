/** Inflates the messages of one side, for those who watch a session. */
import { constants, inflateRawSync } from 'node:zlib';
import type { DeflateParameters } from './deflate-parameters.ts';

/** Max bytes of an inflated message: a few KiB may else become gigabytes. It takes about 3 ms. */
const MAX_INFLATED_BYTES = 1024 * 1024;
/** Memory that zlib fills at a time. Messages are short. */
const CHUNK_BYTES = 4096;
/** What the sender of a message leaves out (RFC 7692 section 7.2.1). */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/**
 * Inflates messages in the order in which they were sent, without a gap if there is a context. Its memory is the last bytes of
 * earlier messages, as far as the next one may refer to them: none without a context.
 */
export class MessageInflater {
  readonly #hasContext: boolean;
  readonly #windowBytes: number;
  /** The end of all earlier messages. */
  #window: Buffer | null = null;
  #filled = 0;
  #isLost = false;

  constructor({ hasContext, windowBytes }: DeflateParameters) {
    this.#hasContext = hasContext;
    this.#windowBytes = windowBytes;
  }

  /** Whether the context is lost, so that no further message can be inflated. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /**
   * Inflates a whole message.
   *
   * @param message the joined payloads of its frames, not masked
   * @returns null if that is impossible: the context is lost, it would be longer than 1 MiB, or the bytes make no sense
   */
  inflate(message: Uint8Array): Uint8Array | null {
    if (this.#isLost) return null;
    let inflated: Buffer;
    try {
      inflated = inflateRawSync(Buffer.concat([message, TAIL]), {
        chunkSize: CHUNK_BYTES,
        // There is no last block.
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength: MAX_INFLATED_BYTES,
        ...(this.#window !== null && { dictionary: this.#window.subarray(0, this.#filled) }),
      });
    } catch {
      this.#isLost = this.#hasContext;
      this.#window = null;
      return null;
    }
    if (this.#hasContext) this.#remember(inflated);
    return inflated;
  }

  #remember(inflated: Buffer): void {
    if (inflated.length === 0) return;
    const size = this.#windowBytes;
    // Not of Node's pool, which a small part would keep whole.
    this.#window ??= Buffer.allocUnsafeSlow(size);
    const added = inflated.length > size ? inflated.subarray(inflated.length - size) : inflated;
    const kept = Math.min(this.#filled, size - added.length);
    this.#window.copyWithin(0, this.#filled - kept, this.#filled);
    added.copy(this.#window, kept);
    this.#filled = kept + added.length;
  }
}
