/** Something of an older generation that lives on. */
interface Retired {
  /** The last generation that had it. */
  generation: number;
  /** Whether it is a thing of this name of the one in use again, only replaced. */
  readonly stillThere: () => boolean;
  /** What of it lives, such as sessions; it is over when nothing does. */
  readonly live: () => number;
  /** Whether what lives counts as connections of an older generation. */
  readonly counts: boolean;
  readonly onOver: () => void;
}

/** What of older generations lives on in a worker. */
export class Retirement {
  readonly #retired = new Set<Retired>();

  add(retired: Partial<Retired> & Pick<Retired, 'generation' | 'live'>): void {
    this.#retired.add({ stillThere: () => false, counts: false, onOver: () => undefined, ...retired });
  }

  /** Lets go of what is over. Returns how much is left, and the oldest generation of which there is something. */
  sweep(generation: number): { readonly connections: number; readonly oldest: number } {
    let connections = 0;
    let oldest = generation;
    for (const retired of this.#retired) {
      const live = retired.live();
      if (live === 0) {
        this.#retired.delete(retired);
        retired.onOver();
        continue;
      }
      if (retired.counts) connections += live;
      if (retired.stillThere()) retired.generation = generation;
      oldest = Math.min(oldest, retired.generation);
    }
    return { connections, oldest };
  }
}
