import type { CommandParameter } from '../../../protocol/command-parameters.ts';

/** A parameter of the query cannot be used; the message names it and says what to write. */
export class ParameterError extends Error {
  override readonly name = 'ParameterError';
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
