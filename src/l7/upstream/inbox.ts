import type { EventLoop } from '../../loop/event-loop.ts';

/** A read from this size on is handed on at once, while it is in the processor's cache. */
const LARGE = 16 * 1024;
/** With less room than this the next read would be cut. */
const LEAST_ROOM = 64 * 1024;

/** Who reads through the inbox. */
interface InboxReader {
  readonly fd: number;
  /** `input[start, end)` has come. */
  received(input: Buffer, start: number, end: number): void;
  /** {@link received} has thrown. */
  fault(error: unknown): void;
}

/**
 * Reads from the endpoints of one worker: first from all that have something, then hands it on in a row, so that
 * the writes to the clients which follow come in a row too (see `outbox.ts`).
 */
export class Inbox {
  readonly #loop: EventLoop;
  readonly #readers: (InboxReader | null)[] = [];
  /** Where what each has read ends in the loop's input; it begins where the one before ends. */
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

  /** Reads once, and hands on what came before the thread waits again. Returns what `recv` returns. */
  receive(reader: InboxReader): number {
    const { input } = this.#loop;
    const received = input.recv(reader.fd, this.#end, input.bytes.length);
    if (received <= 0) return received;
    this.#end += received;
    this.#readers[this.#count] = reader;
    this.#ends[this.#count] = this.#end;
    this.#count++;
    if (received >= LARGE || input.bytes.length - this.#end < LEAST_ROOM) {
      this.#deliver();
    } else if (!this.#scheduled) {
      this.#scheduled = true;
      this.#loop.defer(this.#onTurnEnd);
    }
    return received;
  }

  #deliver(): void {
    const { bytes } = this.#loop.input;
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
