/** A query with one parameter removed, and its value. */
interface CutQuery {
  readonly query: string;
  /** Null if the query lacks the parameter. */
  readonly value: string | null;
}

/**
 * Removes all pairs of a name from a query, including those with an escaped name, which an endpoint may
 * decode.
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

/** Decodes application/x-www-form-urlencoded. A malformed escape leaves all escapes in the text. */
function decoded(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
