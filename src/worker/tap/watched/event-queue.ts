import type { FramePosition, TappedEnd } from '../../../telemetry/tap/tap.ts';

/** Max waiting events. */
const MAX_EVENTS = 4096;
/** Max waiting bytes. */
const MAX_BYTES = 1024 * 1024;
/** Max length of a piece of work, because all sessions of the worker wait for it. */
export const MAX_PIECE_MS = 0.2;
/** Min time between two pieces of work while events arrive: many short ones delay sessions less than a long one. */
const MIN_PACE_MS = 10;
const NOTHING = Buffer.alloc(0);

/**
 * `frames`: bytes of frames arrived. `skipped`: payload crossed unread. `message`: a whole message or control
 * frame arrived. `sent`: the proxy sent a control frame. `end`: the session ended.
 */
export type EventKind = 'frames' | 'skipped' | 'message' | 'sent' | 'end';

interface EventOwner {
  /** Handles an event. It is valid during the call only. */
  handle(event: SessionEvent): void;
}

/** An event of a session that waits for the taps. The queue reuses these objects. */
export class SessionEvent implements FramePosition {
  owner: EventOwner | null = null;
  kind: EventKind = 'frames';
  /** Time on the thread's monotonic clock, in milliseconds. */
  at = 0;
  /** The side that sent it, or that the proxy sent it to. */
  fromClient = false;
  messages = 0;
  payloadLeft = 0;
  heldPart: Uint8Array = NOTHING;
  /** Whether reads before this one were skipped. */
  isAfterGap = false;
  opcode = 0;
  /** Bytes of the whole payload, also if only its start was kept. */
  length = 0;
  /** The kept bytes are `bytes[start, end)`. */
  bytes: Buffer = NOTHING;
  start = 0;
  end = 0;
  ending: TappedEnd | null = null;

  /** Keeps a copy of `input[start, end)`. The event was added with room for it. */
  append(input: Uint8Array, start: number, end: number): void {
    this.bytes.set(input.subarray(start, end), this.end);
    this.end += end - start;
  }

  /** Keeps a copy of `heldPart`, before other bytes. */
  appendHeldPart(held: Uint8Array): void {
    this.append(held, 0, held.length);
    this.heldPart = this.bytes.subarray(this.start, this.end);
    this.start = this.end;
  }
}

/**
 * Keeps the events of sessions for a moment. Copying an event delays its session by less than a microsecond.
 * Handling many of them in a row costs less than handling each when it happens, with cold caches.
 */
export class EventQueue {
  readonly #now: () => number;
  readonly #onDue: (now: number) => void;
  #dueAt = 0;
  /** A ring. Its objects are created on first use. */
  readonly #events: SessionEvent[] = [];
  /** Index of the oldest event. */
  #oldest = 0;
  #count = 0;
  /** A ring of the events' bytes. Null while unused. */
  #slab: Buffer | null = null;
  /** Start of the bytes in use. */
  #tail = 0;
  /** End of the bytes in use. Equal to the start only if there are none. */
  #head = 0;

  /**
   * @param now the thread's monotonic clock, in milliseconds
   * @param onDue called at most once in {@link MIN_PACE_MS}, before an event is added
   */
  constructor(now: () => number, onDue: (now: number) => void) {
    this.#now = now;
    this.#onDue = onDue;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Lets the taps work if it is time. Called before anything is decided about the next event. */
  workIfDue(now: number): void {
    if (now < this.#dueAt) return;
    this.#dueAt = now + MIN_PACE_MS;
    this.#onDue(now);
  }

  /**
   * Adds an event with room for some bytes. The caller sets its fields. A full queue first handles its oldest
   * events.
   *
   * @param isForced whether to handle as many events as needed, instead of {@link MAX_PIECE_MS}
   * @returns null if there is no room
   */
  add(size: number, isForced: boolean): SessionEvent | null {
    let at = this.#place(size);
    if (at < 0) at = this.#makeRoom(size, isForced ? Infinity : this.#now() + MAX_PIECE_MS);
    if (at < 0) return null;
    const event = (this.#events[(this.#oldest + this.#count++) % MAX_EVENTS] ??= new SessionEvent());
    event.bytes = this.#slab ??= Buffer.allocUnsafeSlow(MAX_BYTES);
    event.start = event.end = at;
    this.#head = at + size;
    return event;
  }

  /**
   * Handles events in their order, until a time or until there are no more. At least one is handled.
   *
   * @param time on the thread's monotonic clock
   * @returns false if there are more
   */
  handleUntil(time: number): boolean {
    while (this.#count > 0) {
      this.#handleOldest();
      if (this.#count > 0 && this.#now() >= time) return false;
    }
    return true;
  }

  /** Frees the memory. The queue must be empty. */
  free(): void {
    this.#slab = null;
    this.#events.length = 0;
    this.#oldest = 0;
  }

  /** Handles the oldest events until there is room, or until a time. Returns the place; -1 without room. */
  #makeRoom(size: number, time: number): number {
    let at = -1;
    while (at < 0 && this.#count > 0 && this.#now() < time) {
      this.#handleOldest();
      at = this.#place(size);
    }
    return at;
  }

  /** Returns the place of the next bytes in the slab. -1 if there is no room for them, or for an event. */
  #place(size: number): number {
    if (this.#count === MAX_EVENTS) return -1;
    if (this.#head >= this.#tail) {
      if (MAX_BYTES - this.#head >= size) return this.#head;
      return size < this.#tail ? 0 : -1;
    }
    return size < this.#tail - this.#head ? this.#head : -1;
  }

  #handleOldest(): void {
    const event = this.#events[this.#oldest]!;
    try {
      event.owner!.handle(event);
    } finally {
      this.#oldest = (this.#oldest + 1) % MAX_EVENTS;
      this.#count--;
      this.#tail = event.end;
      if (this.#count === 0) this.#tail = this.#head = 0;
      event.owner = event.ending = null;
      event.heldPart = event.bytes = NOTHING;
    }
  }
}
