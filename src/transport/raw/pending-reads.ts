import type { EventLoop } from '../../loop/event-loop.ts';

/** A connection that may hold bytes that have left the socket, so that epoll does not tell of them. */
export interface PendingReader {
  /** Whether it is on the list. Only {@link PendingReads} changes it. */
  isListed: boolean;
  /** Reads once, if it may. */
  readPending(): void;
  /** {@link readPending} has thrown. */
  fault(error: unknown): void;
}

/** The connections of a thread that hold pending bytes. Each reads once between two looks at the events of all others. */
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

  /** Lets a connection read soon. Does nothing if it is on the list. */
  add(reader: PendingReader): void {
    if (reader.isListed) return;
    reader.isListed = true;
    if (this.#readers.push(reader) === 1) this.#loop.soon(this.#serve);
  }
}
