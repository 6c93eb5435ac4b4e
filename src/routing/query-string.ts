/**
 * The query of one request, searched for the pairs that routes ask for. Decoded as
 * application/x-www-form-urlencoded, at most once, and only where it has something to decode.
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

  /** Whether any occurrence of the key has exactly this value; a key without `=` has the empty one. */
  has(key: string, value: string): boolean {
    if (!this.#encoded) return hasPair(this.#text, key, value);
    // URLSearchParams would take off a leading question mark; it skips empty pairs.
    this.#decoded ??= new URLSearchParams(`&${this.#text}`);
    return this.#decoded.has(key, value);
  }
}

/** Searches a query without escapes as it stands. */
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

/** Whether a query has a key with different values: endpoints take the first, the last, or all. */
export function hasSeveralValues(text: string, key: string): boolean {
  return text.includes('&') && new Set(new URLSearchParams(`&${text}`).getAll(key)).size > 1;
}

/**
 * The value of the first occurrence of a key in a query, decoded; null where it does not occur.
 *
 * @param text the query as received, without the `?`
 */
export function queryValue(text: string, key: string): string | null {
  return text === '' ? null : new URLSearchParams(`&${text}`).get(key);
}
