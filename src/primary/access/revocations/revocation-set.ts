import type { Revocation, RevocationsCommand } from '../../../protocol/access.ts';

/** The result of a change. Both lists are empty if nothing changed. */
export type RevocationChange = Pick<RevocationsCommand, 'changed' | 'ended'>;

/**
 * Max revocations in force. If every principal has the longest name, they take up to 200 MB in each worker.
 */
const MAX_REVOCATIONS = 100_000;

/** Revocations in force, by principal. Above the max, revocations that expire first are evicted. */
export class RevocationSet {
  /** Number of revocations evicted since the start. */
  evicted = 0;
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
   * Adds revocations. If a principal has two, the later `at` and the later `until` apply.
   *
   * @param now revocations that expire by then are skipped
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
    const ended = this.#evictExcess();
    // A new revocation can be evicted at once.
    return {
      changed: [...changed.values()].filter(({ principal }) => this.#byPrincipal.has(principal)),
      ended: ended.filter((principal) => !this.#byPrincipal.has(principal)),
    };
  }

  /** Removes revocations. Skips principals that are not revoked. */
  remove(principals: Iterable<string>): RevocationChange {
    return { changed: [], ended: [...principals].filter((principal) => this.#byPrincipal.delete(principal)) };
  }

  /** Removes expired revocations. */
  expire(now: number): RevocationChange {
    return this.remove(this.all.filter(({ until }) => until <= now).map(({ principal }) => principal));
  }

  #evictExcess(): string[] {
    const excess = this.#byPrincipal.size - this.#max;
    if (excess <= 0) return [];
    this.evicted += excess;
    const first = this.all.toSorted((one, other) => one.until - other.until).slice(0, excess);
    return [...this.remove(first.map(({ principal }) => principal)).ended];
  }
}
