/** Bounds the contents of a log line: the same for the lines of all threads. */

/** Max length of a field and of the message: clients choose paths, and endpoints choose error texts. */
export const MAX_FIELD_CHARACTERS = 2048;

/** Returns fields with long texts truncated and numbers rounded to 6 decimals (microseconds, for seconds). */
export function boundedFields(fields: Record<string, unknown>): Record<string, unknown> {
  let copy: Record<string, unknown> | null = null;
  for (const key in fields) {
    const value = fields[key];
    let short = value;
    if (typeof value === 'string') short = clip(value);
    else if (typeof value === 'number' && !Number.isInteger(value)) short = Math.round(value * 1e6) / 1e6;
    if (short === value) continue;
    copy ??= { ...fields };
    copy[key] = short;
  }
  return copy ?? fields;
}

/** Truncates a long text. */
export function clip(text: string): string {
  return text.length > MAX_FIELD_CHARACTERS ? `${text.slice(0, MAX_FIELD_CHARACTERS)}...` : text;
}

/**
 * Keeps only type, message, code, stack and cause of an error: other properties may contain headers or keys.
 */
export function errorFields(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: clip(String(error)) };
  const { name: type, message, stack } = error;
  const fields: Record<string, unknown> = { type, message: clip(message) };
  if ('code' in error && typeof error.code === 'string') fields.code = error.code;
  if (stack !== undefined) fields.stack = clip(stack);
  if (error.cause instanceof Error) fields.cause = clip(`${error.cause.name}: ${error.cause.message}`);
  return fields;
}
