import { Slices, type NextTurn } from '../../core/timing/slices.ts';

/** The listeners of the next generation, from the start of their creation until the change is settled. */
export class Preparation<Listener> {
  readonly slices: Slices;
  /** By name. */
  readonly listeners = new Map<string, Listener>();
  /** Functions that apply the generation. */
  readonly commits: (() => void)[] = [];
  /** The new listeners. */
  readonly made: Listener[] = [];
  readonly #close: (listener: Listener) => void;

  /** @param close stops and closes a listener */
  constructor(nextTurn: NextTurn, close: (listener: Listener) => void) {
    this.slices = new Slices(nextTurn);
    this.#close = close;
  }

  /** Closes the new listeners. Idempotent. */
  abort(): void {
    for (const listener of this.made.splice(0)) this.#close(listener);
  }

  /**
   * Does the same as {@link abort}, and stops a build in progress.
   *
   * @param reason message of the build's rejection
   */
  giveUp(reason: string): void {
    this.slices.cancel(new Error(reason));
    this.abort();
  }
}
