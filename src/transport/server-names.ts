/**
 * What belongs to which server name. A name may be a wildcard (`*.example.com`), which stands for names with one label or
 * more in place of the star. The exact name wins, then the longest wildcard. Of a name that comes twice the first counts.
 */
export class ServerNames<T> {
  readonly #exact = new Map<string, T>();
  /** By the part of the wildcard behind the star, which starts with a dot. */
  readonly #wildcards = new Map<string, T>();

  /** @param entries names in any case, and what belongs to them */
  constructor(entries: Iterable<readonly [name: string, value: T]>) {
    for (const [name, value] of entries) {
      const isWildcard = name.startsWith('*.');
      const names = isWildcard ? this.#wildcards : this.#exact;
      const key = (isWildcard ? name.slice(1) : name).toLowerCase();
      if (!names.has(key)) names.set(key, value);
    }
  }

  /**
   * @param name as a `ClientHello` has it, in lower case; null, and a name that fits nothing, find nothing
   * @param starLabels for how many labels the star of a wildcard stands
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
