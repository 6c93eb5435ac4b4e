import type { CommandParameter } from '../../../protocol/admin/command-parameters.ts';

/** A query parameter is invalid. The message names the parameter and says what to write. */
export class ParameterError extends Error {
  override readonly name = 'ParameterError';
}

/**
 * Rejects a query with unknown or repeated parameters: a misspelt filter would match every session.
 *
 * @param named parameters that the error lists, if they differ from `known`
 * @throws ParameterError
 */
export function refuseUnknownParameters(
  query: URLSearchParams,
  known: readonly string[],
  named = known,
): void {
  for (const key of query.keys()) {
    if (!known.includes(key))
      throw new ParameterError(
        `${key}: unknown parameter: ${named.length === 0 ? 'write none' : `use ${named.join(', ')}`}`,
      );
    if (query.getAll(key).length > 1) throw new ParameterError(`${key}: write the parameter once`);
  }
}

/**
 * Reads a text parameter of a query.
 *
 * @param parse returns null if the text is invalid
 * @returns undefined if the query lacks the parameter
 * @throws ParameterError if the text is invalid
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
 * Reads a numeric parameter of a query.
 *
 * @returns the value, or null if the query lacks the parameter
 * @throws ParameterError if the value is invalid or out of range
 */
export function parameterOf(query: URLSearchParams, key: string, parameter: CommandParameter): number | null {
  const text = query.get(key);
  if (text === null) return null;
  const value = parameter.parse(text);
  if (value !== undefined) return value;
  throw new ParameterError(`${key}: ${parameter.remedy}`);
}
