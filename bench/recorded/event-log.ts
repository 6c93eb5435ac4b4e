/** Events of recorded clients in shared memory. Every driver thread reads them without a copy. */

export const SEND_TEXT = 0;
export const SEND_BINARY = 1;
export const SEND_PING = 2;
/** The client sends a close frame. */
export const CLIENT_CLOSE = 3;
/** The client disappears without a close frame. */
export const CLIENT_DROP = 4;
/** The recording ends, or the proxy ended the session. No more events of either side follow. */
export const FINISH = 5;
export const REPLY_TEXT = 6;
export const REPLY_BINARY = 7;
/** The endpoint sends a close frame. */
export const REPLY_CLOSE = 8;

/** One event of a recorded client. */
export interface RecordedEvent {
  readonly kind: number;
  /** Milliseconds since the session opened. */
  readonly time: number;
  /** Payload bytes, or the code of a close frame. */
  readonly size: number;
  /** Null if it was not recorded or is not needed. */
  readonly payload: Uint8Array | null;
}

/** Shared memory with one column per field. Plain data: every driver thread receives it. */
export interface EventMemory {
  readonly kinds: SharedArrayBuffer;
  readonly times: SharedArrayBuffer;
  readonly sizes: SharedArrayBuffer;
  /** Offsets of payloads in `bytes`, or -1 for none. */
  readonly offsets: SharedArrayBuffer;
  /** Number of the same client's next event, or -1 after the last. */
  readonly nexts: SharedArrayBuffer;
  readonly bytes: SharedArrayBuffer;
}

const FIRST_EVENTS = 1024;
const FIRST_BYTES = 64 * 1024;

/** Reads events by their number. */
export class EventLog {
  readonly #kinds: Uint8Array;
  readonly #times: Float64Array;
  readonly #sizes: Float64Array;
  readonly #offsets: Float64Array;
  readonly #nexts: Int32Array;
  readonly #bytes: SharedArrayBuffer;

  constructor(memory: EventMemory) {
    this.#kinds = new Uint8Array(memory.kinds);
    this.#times = new Float64Array(memory.times);
    this.#sizes = new Float64Array(memory.sizes);
    this.#offsets = new Float64Array(memory.offsets);
    this.#nexts = new Int32Array(memory.nexts);
    this.#bytes = memory.bytes;
  }

  kind(event: number): number {
    return this.#kinds[event]!;
  }

  /** Returns milliseconds since the session opened. */
  time(event: number): number {
    return this.#times[event]!;
  }

  /** Returns the payload bytes, or the code of a close frame. */
  size(event: number): number {
    return this.#sizes[event]!;
  }

  /** Returns the number of the same client's next event, or -1 after the last. */
  next(event: number): number {
    return this.#nexts[event]!;
  }

  /** Returns the payload, or null without one. */
  payload(event: number): Buffer | null {
    const offset = this.#offsets[event]!;
    return offset < 0 ? null : Buffer.from(this.#bytes, offset, this.#sizes[event]);
  }
}

/** Appends events. Its memory grows as needed. */
export class EventLogWriter {
  count = 0;
  /** Bytes of all payloads. */
  payloadBytes = 0;
  #kinds = new Uint8Array(new SharedArrayBuffer(FIRST_EVENTS));
  #times = new Float64Array(new SharedArrayBuffer(FIRST_EVENTS * 8));
  #sizes = new Float64Array(new SharedArrayBuffer(FIRST_EVENTS * 8));
  #offsets = new Float64Array(new SharedArrayBuffer(FIRST_EVENTS * 8));
  #nexts = new Int32Array(new SharedArrayBuffer(FIRST_EVENTS * 4));
  #bytes = new Uint8Array(new SharedArrayBuffer(FIRST_BYTES));

  /**
   * Adds an event.
   *
   * @param previous number of the same client's previous event, or -1 for its first
   * @returns the event's number
   */
  add({ kind, time, size, payload }: RecordedEvent, previous: number): number {
    const event = this.count++;
    if (event === this.#kinds.length) this.#grow();
    this.#kinds[event] = kind;
    this.#times[event] = time;
    this.#sizes[event] = size;
    this.#nexts[event] = -1;
    this.#offsets[event] = payload === null ? -1 : this.#keep(payload);
    if (previous >= 0) this.#nexts[previous] = event;
    return event;
  }

  memory(): EventMemory {
    return {
      kinds: this.#kinds.buffer,
      times: this.#times.buffer,
      sizes: this.#sizes.buffer,
      offsets: this.#offsets.buffer,
      nexts: this.#nexts.buffer,
      bytes: this.#bytes.buffer,
    };
  }

  #keep(payload: Uint8Array): number {
    const offset = this.payloadBytes;
    this.payloadBytes += payload.length;
    if (this.payloadBytes > this.#bytes.length) {
      const size = Math.max(this.payloadBytes, 2 * this.#bytes.length);
      const larger = new Uint8Array(new SharedArrayBuffer(size));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(payload, offset);
    return offset;
  }

  #grow(): void {
    const count = 2 * this.#kinds.length;
    const kinds = new Uint8Array(new SharedArrayBuffer(count));
    const times = new Float64Array(new SharedArrayBuffer(count * 8));
    const sizes = new Float64Array(new SharedArrayBuffer(count * 8));
    const offsets = new Float64Array(new SharedArrayBuffer(count * 8));
    const nexts = new Int32Array(new SharedArrayBuffer(count * 4));
    kinds.set(this.#kinds);
    times.set(this.#times);
    sizes.set(this.#sizes);
    offsets.set(this.#offsets);
    nexts.set(this.#nexts);
    this.#kinds = kinds;
    this.#times = times;
    this.#sizes = sizes;
    this.#offsets = offsets;
    this.#nexts = nexts;
  }
}
