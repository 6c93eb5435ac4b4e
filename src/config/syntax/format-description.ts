/**
 * Formats as data, for the reference of the configuration. A running proxy never asks for a description, and
 * pays one comparison per value.
 */

/** The values that a format accepts. */
export type FormatDescription =
  | {
      readonly type: 'duration' | 'size' | 'byte rate' | 'rate' | 'integer';
      readonly min: number;
      readonly max: number;
      /** The meaning of 0 if 0 is allowed outside the range. */
      readonly zero?: string;
    }
  | { readonly type: 'word'; readonly words: readonly string[] }
  | { readonly type: 'boolean' }
  | {
      readonly type: 'text';
      readonly what: string;
      /** How to write the text; missing if any text is allowed. */
      readonly remedy?: string;
    }
  | { readonly type: 'list'; readonly of: string; readonly min: number };

/** Asks a format for its description. */
export const DESCRIBE = Symbol('describe');

/** The answer of a format to {@link DESCRIBE}. Thrown, so that formats around it pass it on. */
export class Description extends Error {
  override readonly name = 'Description';
  readonly description: FormatDescription;

  constructor(description: FormatDescription) {
    super('a description');
    this.description = description;
  }
}

/** Returns the description of a format. Null for a format that cannot describe itself. */
export function describeFormat(format: (value: unknown) => unknown): FormatDescription | null {
  try {
    format(DESCRIBE);
  } catch (error) {
    if (error instanceof Description) return error.description;
  }
  return null;
}
