/** Bytes of a session ticket key, as in nginx's key files: name 16, HMAC-SHA256 secret 32, AES-256 key 32. */
export const TICKET_KEY_BYTES = 80;
export const MAX_TICKET_KEYS = 8;

/** Index of the word that counts replacements. Its lowest bit selects the current list. */
const VERSION = 0;
/** Index of the lists' lengths, one word each. */
const LENGTHS = 1;
const HEAD_BYTES = 3 * Int32Array.BYTES_PER_ELEMENT;
const LIST_BYTES = MAX_TICKET_KEYS * TICKET_KEY_BYTES;

/** Allocates the memory of a {@link TicketKeyRing}, shared by all threads. */
export function allocateTicketKeys(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEAD_BYTES + 2 * LIST_BYTES);
}

/**
 * The session ticket keys of a listener (RFC 5077 section 4), in memory shared by all threads. The first key
 * encrypts, all decrypt. One thread replaces the keys, and the others see the new ones at once. So no thread
 * gets a ticket with a key that it does not know yet.
 */
export class TicketKeyRing {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  #version = 0;
  #keys: readonly Buffer[] = [];

  constructor(memory: SharedArrayBuffer = allocateTicketKeys()) {
    this.#words = new Int32Array(memory, 0, HEAD_BYTES / Int32Array.BYTES_PER_ELEMENT);
    this.#bytes = new Uint8Array(memory, HEAD_BYTES);
  }

  /** The current keys: the same array until they are replaced. Empty before the first {@link replace}. */
  get keys(): readonly Buffer[] {
    let version = Atomics.load(this.#words, VERSION);
    while (version !== this.#version) {
      this.#keys = this.#copy(version & 1);
      this.#version = version;
      // A replacement writes the other list: only a second one could have changed the copied list.
      version = Atomics.load(this.#words, VERSION);
    }
    return this.#keys;
  }

  /**
   * Replaces all keys. Only one thread may call it.
   *
   * @throws RangeError unless there are 1 to {@link MAX_TICKET_KEYS} keys of {@link TICKET_KEY_BYTES} each
   */
  replace(keys: readonly Uint8Array[]): void {
    if (keys.length === 0 || keys.length > MAX_TICKET_KEYS) {
      throw new RangeError(`a ring has 1 to ${MAX_TICKET_KEYS} ticket keys, not ${keys.length}`);
    }
    for (const { length } of keys) {
      if (length !== TICKET_KEY_BYTES) {
        throw new RangeError(`a ticket key has ${TICKET_KEY_BYTES} bytes, not ${length}`);
      }
    }
    const version = (Atomics.load(this.#words, VERSION) + 1) | 0;
    const list = version & 1;
    for (const [index, key] of keys.entries()) this.#bytes.set(key, offsetOf(list, index));
    Atomics.store(this.#words, LENGTHS + list, keys.length);
    Atomics.store(this.#words, VERSION, version);
  }

  #copy(list: number): Buffer[] {
    const length = Atomics.load(this.#words, LENGTHS + list);
    return Array.from({ length }, (_, index) => {
      const start = offsetOf(list, index);
      // Not from Node's pool, whose memory is reused for other buffers without being cleared.
      const key = Buffer.alloc(TICKET_KEY_BYTES);
      key.set(this.#bytes.subarray(start, start + TICKET_KEY_BYTES));
      return key;
    });
  }
}

function offsetOf(list: number, index: number): number {
  return list * LIST_BYTES + index * TICKET_KEY_BYTES;
}
