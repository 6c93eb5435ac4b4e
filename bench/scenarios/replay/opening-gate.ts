/** A client that wants to open a connection. */
export interface Entrant {
  /** Called when the client has waited and may open its connection now. */
  admitted(): void;
}

/** Limits how many connections are being opened at a time. Others wait in order of arrival. */
export class OpeningGate {
  readonly #max: number;
  #opening = 0;
  /** Waiting entrants, from `#head` on. Shifting an array of many thousands would take too long. */
  #waiting: Entrant[] = [];
  #head = 0;
  #stopped = false;

  /** @param max number of connections that may be opening at a time */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Requests a place. An entrant with a place must call {@link leave} when its connection is open or has
   * failed.
   *
   * @returns whether the connection may be opened now. Otherwise the entrant waits for `admitted`
   */
  enter(entrant: Entrant): boolean {
    if (this.#opening < this.#max && !this.#stopped) {
      this.#opening++;
      return true;
    }
    this.#waiting.push(entrant);
    return false;
  }

  /** Passes the place to the next entrant: a connection is open or has failed. */
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

  /** Stops admitting entrants. */
  stop(): void {
    this.#stopped = true;
  }
}
