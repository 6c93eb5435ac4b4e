import type { CommandParameter } from '../../../protocol/admin/command-parameters.ts';

/** A parameter of the query cannot be used; the message names it and says what to write. */
export class ParameterError extends Error {
  override readonly name = 'ParameterError';
}

/**
 * Refuses a query with an unknown parameter: a misspelt filter would fit every session.
 *
 * @param named the parameters to name in the error, if there are more
 * @throws ParameterError
 */
export function refuseOthers(query: URLSearchParams, known: readonly string[], named = known): void {
  for (const key of query.keys()) {
    if (!known.includes(key))
      throw new ParameterError(
        `${key}: no such parameter: ${named.length === 0 ? 'write none' : `use ${named.join(', ')}`}`,
      );
    if (query.getAll(key).length > 1) throw new ParameterError(`${key}: write the parameter once`);
  }
}

/**
 * Reads a parameter of a query that is a text.
 *
 * @param parse returns null for a text that cannot be used
 * @returns undefined if the query has no such parameter
 * @throws ParameterError for a text that cannot be used
 */
export function textOf(
  query: URLSearchParams,
  key: string,
  parse: (text: string) => string | null,
  remedy: string,
): string | undefined {
  const text = query.get(key);
  if (text === null) return undefined;
  const value = parse(text);
  if (value !== null) return value;
  throw new ParameterError(`${key}: ${remedy}`);
}

/**
 * Reads a parameter of a query.
 *
 * @returns its value, or null if the query has no such parameter
 * @throws ParameterError for a value that cannot be read, or is out of range
 */
export function parameterOf(query: URLSearchParams, key: string, parameter: CommandParameter): number | null {
  const text = query.get(key);
  if (text === null) return null;
  const value = parameter.parse(text);
  if (value !== undefined) return value;
  throw new ParameterError(`${key}: ${parameter.remedy}`);
}
