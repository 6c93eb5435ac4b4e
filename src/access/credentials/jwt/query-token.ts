/** A query without the pairs of some names, and what the first of them said. */
interface CutQuery {
  readonly query: string;
  /** Null if no pair has one of the names. */
  readonly value: string | null;
}

/**
 * Cuts all pairs of a name from a query. An endpoint may decode names, so escaped names count as well.
 *
 * @param query as received, without the `?`
 */
export function cutFromQuery(query: string, name: string): CutQuery {
  if (query === '') return { query, value: null };
  let value: string | null = null;
  const kept: string[] = [];
  for (const pair of query.split('&')) {
    const end = pair.indexOf('=');
    if (decoded(end < 0 ? pair : pair.slice(0, end)) !== name) kept.push(pair);
    else value ??= end < 0 ? '' : decoded(pair.slice(end + 1));
  }
  return value === null ? { query, value } : { query: kept.join('&'), value };
}

/** Decodes application/x-www-form-urlencoded. A bad escape stays as it is. */
function decoded(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
