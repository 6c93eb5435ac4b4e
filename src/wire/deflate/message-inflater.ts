/** Inflates the messages of one side of a watched session. */
import { constants, inflateRawSync } from 'node:zlib';
import type { DeflateParameters } from './deflate-parameters.ts';

/**
 * Max bytes of an inflated message: a few KiB could expand to gigabytes. Inflating 1 MiB takes about 3 ms.
 */
const MAX_INFLATED_BYTES = 1024 * 1024;
/** Output buffer of zlib. Messages are short. */
const CHUNK_BYTES = 4096;
/** The bytes that senders remove from each message (RFC 7692 section 7.2.1). */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/**
 * Inflates messages in the order in which they were sent. With a context, no message may be skipped. Keeps
 * only the window: the last bytes of earlier messages that the next one may refer to. Without a context it
 * keeps nothing.
 */
export class MessageInflater {
  readonly #hasContext: boolean;
  readonly #windowBytes: number;
  /** The last bytes of all earlier messages. */
  #window: Buffer | null = null;
  #filled = 0;
  #isLost = false;

  constructor({ hasContext, windowBytes }: DeflateParameters) {
    this.#hasContext = hasContext;
    this.#windowBytes = windowBytes;
  }

  /** Whether the context is lost, so that no more messages can be inflated. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /**
   * Inflates a whole message.
   *
   * @param message joined payloads of its frames, unmasked
   * @returns null if the context is lost, the result exceeds 1 MiB, or the bytes are invalid
   */
  inflate(message: Uint8Array): Uint8Array | null {
    if (this.#isLost) return null;
    let inflated: Buffer;
    try {
      inflated = inflateRawSync(Buffer.concat([message, TAIL]), {
        chunkSize: CHUNK_BYTES,
        // The stream has no final block.
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
    // Not from Node's pool: a small slice would keep the whole pool alive.
    this.#window ??= Buffer.allocUnsafeSlow(size);
    const added = inflated.length > size ? inflated.subarray(inflated.length - size) : inflated;
    const kept = Math.min(this.#filled, size - added.length);
    this.#window.copyWithin(0, this.#filled - kept, this.#filled);
    added.copy(this.#window, kept);
    this.#filled = kept + added.length;
  }
}
