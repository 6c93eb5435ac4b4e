import type { EventLoop } from '../../loop/event-loop.ts';

/** A connection that may hold received bytes of which epoll does not tell. */
export interface UnseenReader {
  /** Whether it is on the list. Only {@link UnseenBytes} changes it. */
  isListed: boolean;
  /** Reads once, if it may. */
  readUnseen(): void;
  /** {@link readUnseen} has thrown. */
  fault(error: unknown): void;
}

/** The connections of a thread that hold such bytes. Each reads once between two looks at the events of all others. */
export class UnseenBytes {
  readonly #loop: EventLoop;
  #readers: UnseenReader[] = [];
  readonly #serve = (): void => {
    const readers = this.#readers;
    this.#readers = [];
    for (const reader of readers) {
      reader.isListed = false;
      try {
        reader.readUnseen();
      } catch (error) {
        reader.fault(error);
      }
    }
  };

  constructor(loop: EventLoop) {
    this.#loop = loop;
  }

  /** Lets a connection read soon. Does nothing if it is on the list. */
  add(reader: UnseenReader): void {
    if (reader.isListed) return;
    reader.isListed = true;
    if (this.#readers.push(reader) === 1) this.#loop.soon(this.#serve);
  }
}
