/**
 * Maps server names to values. A name may be a wildcard (`*.example.com`), which matches names with one or
 * more labels in place of the star. The exact name wins, then the longest wildcard. For duplicate names, the
 * first wins.
 */
export class ServerNames<T> {
  readonly #exact = new Map<string, T>();
  /** Keyed by the wildcard's part after the star, which starts with a dot. */
  readonly #wildcards = new Map<string, T>();

  /** @param entries names in any case, and their values */
  constructor(entries: Iterable<readonly [name: string, value: T]>) {
    for (const [name, value] of entries) {
      const isWildcard = name.startsWith('*.');
      const names = isWildcard ? this.#wildcards : this.#exact;
      const key = (isWildcard ? name.slice(1) : name).toLowerCase();
      if (!names.has(key)) names.set(key, value);
    }
  }

  /**
   * Returns the value of a name. Null without a match.
   *
   * @param name in lower case, in the form of `ClientHello`; null matches nothing
   * @param starLabels number of labels that a wildcard's star matches
   */
  find(name: string | null, starLabels: 'one' | 'some' = 'some'): T | null {
    if (name === null) return null;
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    if (this.#wildcards.size === 0) return null;
    for (let dot = name.indexOf('.'); dot > 0; dot = name.indexOf('.', dot + 1)) {
      const found = this.#wildcards.get(name.slice(dot));
      if (found !== undefined) return found;
      if (starLabels === 'one') break;
    }
    return null;
  }
}
