/**
 * The query of one request, searched for the pairs of route conditions. It is decoded as
 * application/x-www-form-urlencoded at most once, and only if it has an escape or a plus sign.
 */
export class QueryString {
  readonly #text: string;
  readonly #encoded: boolean;
  #decoded: URLSearchParams | null = null;

  /** @param text the query as received, without the `?` */
  constructor(text: string) {
    this.#text = text;
    this.#encoded = text.includes('%') || text.includes('+');
  }

  /**
   * Reports whether any occurrence of the key has exactly this value. A key without `=` has an empty value.
   */
  has(key: string, value: string): boolean {
    if (!this.#encoded) return hasPair(this.#text, key, value);
    // The ampersand keeps URLSearchParams from removing a leading question mark. It skips the empty pair.
    this.#decoded ??= new URLSearchParams(`&${this.#text}`);
    return this.#decoded.has(key, value);
  }
}

/** Searches a query without escapes. */
function hasPair(text: string, key: string, value: string): boolean {
  // The first equals sign of a pair ends its key.
  if (key.includes('=')) return false;
  for (let start = 0; start < text.length;) {
    const next = text.indexOf('&', start);
    const end = next === -1 ? text.length : next;
    const keyEnd = start + key.length;
    if (end > start && text.startsWith(key, start)) {
      if (keyEnd === end && value === '') return true;
      if (text[keyEnd] === '=' && end - keyEnd - 1 === value.length && text.startsWith(value, keyEnd + 1)) {
        return true;
      }
    }
    start = end + 1;
  }
  return false;
}

/** Reports whether a query has a key with different values. Endpoints use the first, last or all of them. */
export function hasSeveralValues(text: string, key: string): boolean {
  return text.includes('&') && new Set(new URLSearchParams(`&${text}`).getAll(key)).size > 1;
}

/**
 * Returns the decoded value of a key's first occurrence in a query; null if the key is missing.
 *
 * @param text the query as received, without the `?`
 */
export function queryValue(text: string, key: string): string | null {
  return text === '' ? null : new URLSearchParams(`&${text}`).get(key);
}
