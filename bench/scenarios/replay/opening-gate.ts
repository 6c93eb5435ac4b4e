/** One who wants to open a connection. */
export interface Entrant {
  /** It has waited, and may open its connection now. */
  admitted(): void;
}

/** Lets a bounded number of connections be opened at a time. Others wait for their turn, in the order that they came. */
export class OpeningGate {
  readonly #max: number;
  #opening = 0;
  /** Those who wait begin at `#head`: to shift an array of many thousands takes too long. */
  #waiting: Entrant[] = [];
  #head = 0;
  #stopped = false;

  /** @param max connections being opened at a time */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Asks for room. Each that gets it calls {@link leave} when its connection is open or has failed.
   *
   * @returns whether the connection may be opened at once; if not, the entrant waits until it is `admitted`
   */
  enter(entrant: Entrant): boolean {
    if (this.#opening < this.#max && !this.#stopped) {
      this.#opening++;
      return true;
    }
    this.#waiting.push(entrant);
    return false;
  }

  /** Makes room for the next: a connection is open, or could not be opened. */
  leave(): void {
    const next = this.#waiting[this.#head];
    if (next === undefined || this.#stopped) {
      this.#opening--;
      return;
    }
    if (++this.#head === this.#waiting.length) {
      this.#waiting = [];
      this.#head = 0;
    }
    next.admitted();
  }

  /** Admits nobody any more. */
  stop(): void {
    this.#stopped = true;
  }
}
