import type { EventLoop } from '../../loop/event-loop.ts';
import { PinnedBuffer } from '../../sys/memory/pinned-buffer.ts';

/** Size of the buffer for reads of channels. */
const INPUT_BYTES = 256 * 1024;
/** Min bytes of a read to deliver at once, while they are in the CPU cache. */
const LARGE_READ_BYTES = 16 * 1024;
/** Min room for the next read. */
const MIN_ROOM_BYTES = 64 * 1024;

/** A connection that reads through the inbox. */
interface InboxReader {
  /** Receives into `buffer[start, end)`. Returns the result of `PinnedBuffer.recv`. */
  receiveInto(buffer: PinnedBuffer, start: number, end: number): number;
  /** Called when `input[start, end)` arrives. */
  received(input: Buffer, start: number, end: number): void;
  /** Called when {@link received} throws. */
  fault(error: unknown): void;
}

/**
 * Reads from the channels of one worker. It first reads from all readable channels, then delivers the bytes.
 * Writes to the other sides then follow each other without reads between them.
 */
export class Inbox {
  /** Separate from the loop's buffer: others read into that one while bytes wait here. */
  readonly input = new PinnedBuffer(INPUT_BYTES);
  readonly #loop: EventLoop;
  readonly #readers: (InboxReader | null)[] = [];
  /** End of each reader's bytes in the input. They start at the end of the previous reader's bytes. */
  readonly #ends: number[] = [];
  #count = 0;
  #end = 0;
  #scheduled = false;
  readonly #onTurnEnd = (): void => {
    this.#scheduled = false;
    this.#deliver();
  };

  constructor(loop: EventLoop) {
    this.#loop = loop;
  }

  /**
   * Reads once, at most `maxBytes` (1 or more). Delivers the bytes before the thread waits again, and before
   * returning if `maxBytes` bytes arrived. Returns the result of `recv`.
   */
  receive(reader: InboxReader, maxBytes: number): number {
    const { input } = this;
    const end = Math.min(this.#end + maxBytes, input.bytes.length);
    const received = reader.receiveInto(input, this.#end, end);
    if (received <= 0) return received;
    this.#end += received;
    this.#readers[this.#count] = reader;
    this.#ends[this.#count] = this.#end;
    this.#count++;
    if (
      received >= LARGE_READ_BYTES ||
      received === maxBytes ||
      input.bytes.length - this.#end < MIN_ROOM_BYTES
    ) {
      this.#deliver();
    } else if (!this.#scheduled) {
      this.#scheduled = true;
      this.#loop.defer(this.#onTurnEnd);
    }
    return received;
  }

  #deliver(): void {
    const { bytes } = this.input;
    let start = 0;
    for (let index = 0; index < this.#count; index++) {
      const reader = this.#readers[index]!;
      const end = this.#ends[index]!;
      this.#readers[index] = null;
      try {
        reader.received(bytes, start, end);
      } catch (error) {
        reader.fault(error);
      }
      start = end;
    }
    this.#count = 0;
    this.#end = 0;
  }
}
