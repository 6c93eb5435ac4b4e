/**
 * Formats as data, for the reference of the configuration. A running proxy never asks for a description, and
 * pays one comparison per value.
 */

/** The values that a format accepts. */
export type FormatDescription =
  | {
      readonly type: 'duration' | 'size' | 'byte rate' | 'rate' | 'integer' | 'number';
      readonly min: number;
      readonly max: number;
      /** The meaning of 0 if 0 is allowed outside the range. */
      readonly zero?: string;
    }
  | { readonly type: 'word'; readonly words: readonly string[] }
  | { readonly type: 'boolean' }
  | { readonly type: 'constant'; readonly values: readonly number[] }
  /** The word `off`, or false. */
  | { readonly type: 'off' }
  /** No value. */
  | { readonly type: 'empty' }
  | {
      readonly type: 'text';
      readonly what: string;
      /** How to write the text; missing if any text is allowed. */
      readonly remedy?: string;
      /** Regular expression that every accepted text matches. */
      readonly pattern?: string;
    }
  | { readonly type: 'list'; readonly of: string; readonly min: number }
  /** A mapping whose keys are the user's own. */
  | {
      readonly type: 'pairs';
      /** Null if the values' format does not describe itself. */
      readonly values: FormatDescription | null;
      /** Whether a list of such values is accepted, too. */
      readonly lists: boolean;
      /** Whether a file may have the text of each value. */
      readonly files: boolean;
    }
  | { readonly type: 'either'; readonly of: readonly FormatDescription[] };

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

/** Adds a description to a format that has none. */
export function described<T>(
  description: FormatDescription,
  format: (value: unknown) => T,
): (value: unknown) => T {
  return (value) => {
    if (value === DESCRIBE) throw new Description(description);
    return format(value);
  };
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
