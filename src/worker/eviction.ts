import type { EvictCommand } from '../protocol/to-worker.ts';

/** A connection that can be ended from this side. */
export interface Evictable {
  /** Ends it in good order; false where it has ended already. */
  evict(reason: string): boolean;
}

const STEP_MS = 100;

/** Ends connections at the pace that was asked for. */
export class Eviction {
  readonly #connections: Iterator<Evictable>;
  readonly #command: EvictCommand;
  readonly #timer: NodeJS.Timeout;
  #left: number;
  /** Parts of a connection that are due. */
  #due = 0;

  /** @param connections those of the endpoint, of which as many are ended as the command says */
  constructor(connections: Iterable<Evictable>, command: EvictCommand) {
    this.#connections = connections[Symbol.iterator]();
    this.#command = command;
    this.#left = command.count;
    this.#timer = setInterval(() => this.#step(), STEP_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #step(): void {
    const { perSecond, reason } = this.#command;
    this.#due += (perSecond * STEP_MS) / 1000;
    while (this.#due >= 1 && this.#left > 0) {
      const next = this.#connections.next();
      if (next.done === true) {
        this.#left = 0;
      } else if (next.value.evict(reason)) {
        this.#due--;
        this.#left--;
      }
    }
    if (this.#left === 0) this.stop();
  }
}
