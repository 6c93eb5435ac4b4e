import type { Revocation, RevocationsCommand } from '../../../protocol/access.ts';

/** What a change has brought. Empty lists if nothing has changed. */
export type RevocationChange = Pick<RevocationsCommand, 'changed' | 'ended'>;

/**
 * Max revocations in force. They take up to 200 MB in each worker if every principal has the longest name.
 */
const MAX_REVOCATIONS = 100_000;

/** The revocations in force, by principal. When there are too many, those that end first are given up. */
export class RevocationSet {
  /** Revocations given up since the start. */
  givenUp = 0;
  readonly #byPrincipal = new Map<string, Revocation>();
  readonly #max: number;

  constructor(max = MAX_REVOCATIONS) {
    this.#max = max;
  }

  get size(): number {
    return this.#byPrincipal.size;
  }

  get all(): readonly Revocation[] {
    return [...this.#byPrincipal.values()];
  }

  get(principal: string): Revocation | undefined {
    return this.#byPrincipal.get(principal);
  }

  /**
   * Brings revocations into force. Of two of one principal the later moments count, both `at` and `until`.
   *
   * @param now those that are over by then are left out
   */
  put(revocations: Iterable<Revocation>, now: number): RevocationChange {
    const changed = new Map<string, Revocation>();
    for (const { principal, at, until } of revocations) {
      if (until <= now) continue;
      const known = this.#byPrincipal.get(principal);
      const next = {
        principal,
        at: Math.max(at, known?.at ?? -Infinity),
        until: Math.max(until, known?.until ?? -Infinity),
      };
      if (known?.at === next.at && known.until === next.until) continue;
      this.#byPrincipal.set(principal, next);
      changed.set(principal, next);
    }
    const ended = this.#giveUp();
    // A new revocation may be given up at once.
    return {
      changed: [...changed.values()].filter(({ principal }) => this.#byPrincipal.has(principal)),
      ended: ended.filter((principal) => !this.#byPrincipal.has(principal)),
    };
  }

  /** Takes revocations back. Those that are not in force are left out. */
  remove(principals: Iterable<string>): RevocationChange {
    return { changed: [], ended: [...principals].filter((principal) => this.#byPrincipal.delete(principal)) };
  }

  /** Removes the revocations that are over. */
  expire(now: number): RevocationChange {
    return this.remove(this.all.filter(({ until }) => until <= now).map(({ principal }) => principal));
  }

  #giveUp(): string[] {
    const excess = this.#byPrincipal.size - this.#max;
    if (excess <= 0) return [];
    this.givenUp += excess;
    const first = this.all.toSorted((one, other) => one.until - other.until).slice(0, excess);
    return [...this.remove(first.map(({ principal }) => principal)).ended];
  }
}
