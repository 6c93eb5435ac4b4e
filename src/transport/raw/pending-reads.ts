import type { EventLoop } from '../../loop/event-loop.ts';

/** A connection that may hold bytes already taken from the socket, which epoll does not report. */
export interface PendingReader {
  /** Whether it is on the list. Only {@link PendingReads} changes it. */
  isListed: boolean;
  /** Reads once, if reading is allowed. */
  readPending(): void;
  /** Called when {@link readPending} throws. */
  fault(error: unknown): void;
}

/** The connections of a thread that hold pending bytes. Each reads once between two checks for events. */
export class PendingReads {
  readonly #loop: EventLoop;
  #readers: PendingReader[] = [];
  readonly #serve = (): void => {
    const readers = this.#readers;
    this.#readers = [];
    for (const reader of readers) {
      reader.isListed = false;
      try {
        reader.readPending();
      } catch (error) {
        reader.fault(error);
      }
    }
  };

  constructor(loop: EventLoop) {
    this.#loop = loop;
  }

  /** Schedules a read soon. Does nothing if the connection is already listed. */
  add(reader: PendingReader): void {
    if (reader.isListed) return;
    reader.isListed = true;
    if (this.#readers.push(reader) === 1) this.#loop.soon(this.#serve);
  }
}
