import { Slices, type NextTurn } from '../../core/timing/slices.ts';

/** The listeners of the next generation while they are being built, and until the change is settled. */
export class Preparation<Listener> {
  readonly slices: Slices;
  /** By name. */
  readonly listeners = new Map<string, Listener>();
  /** What brings the generation into force. */
  readonly commits: (() => void)[] = [];
  /** The listeners that are new. */
  readonly made: Listener[] = [];
  readonly #close: (listener: Listener) => void;

  /** @param close stops and closes a listener */
  constructor(nextTurn: NextTurn, close: (listener: Listener) => void) {
    this.slices = new Slices(nextTurn);
    this.#close = close;
  }

  /** Closes the listeners that are new. May be called again. */
  abort(): void {
    for (const listener of this.made.splice(0)) this.#close(listener);
  }

  /** Does the same as {@link abort}, and lets the building end if it goes on. @param reason what it rejects with */
  giveUp(reason: string): void {
    this.slices.cancel(new Error(reason));
    this.abort();
  }
}
