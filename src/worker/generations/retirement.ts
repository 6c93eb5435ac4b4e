import type { OlderGenerations } from '../service.ts';

/** A part of an older generation that is still alive. */
interface Retired {
  /** The last generation that contained it. */
  generation: number;
  /** Returns the number of its live parts, such as sessions. It is over at 0, unless it {@link mayGrow}. */
  readonly live: () => number;
  /** Whether new parts may still appear, such as tunnels of a replaced listener that has not stopped yet. */
  readonly mayGrow: () => boolean;
  /** Whether `live` counts sessions and tunnels, which are reported as connections of older generations. */
  readonly countsConnections: boolean;
  /**
   * Whether it belongs to the current generation, such as a replaced listener whose name is still configured.
   */
  readonly isCurrent: () => boolean;
  /** Called once, by the sweep that finds it over. */
  readonly onOver: () => void;
}

/** Tracks the live parts of older generations in a worker. */
export class Retirement {
  readonly #retired = new Set<Retired>();

  add(retired: Partial<Retired> & Pick<Retired, 'generation' | 'live'>): void {
    this.#retired.add({
      mayGrow: () => false,
      countsConnections: false,
      isCurrent: () => false,
      onOver: () => undefined,
      ...retired,
    });
  }

  /** Removes parts that are over, and counts the remaining ones. @param current the current generation */
  sweep(current: number): OlderGenerations {
    let connections = 0;
    let oldest = current;
    for (const retired of this.#retired) {
      const live = retired.live();
      if (live === 0 && !retired.mayGrow()) {
        this.#retired.delete(retired);
        retired.onOver();
        continue;
      }
      if (retired.countsConnections) connections += live;
      if (retired.isCurrent()) retired.generation = current;
      oldest = Math.min(oldest, retired.generation);
    }
    return { connections, oldest };
  }
}
