/** Interns header names and methods, because most requests use the same few. */

/** Kinds of headers that affect the framing and routing of a request. */
const FIELD_OTHER = 0;
export const FIELD_HOST = 1;
export const FIELD_CONTENT_LENGTH = 2;
export const FIELD_TRANSFER_ENCODING = 3;

/** The name of a header field. */
export interface FieldName {
  /** As the sender wrote it. */
  readonly spelled: string;
  readonly lower: string;
  /** One of the kinds above. */
  readonly kind: number;
}

const KINDS: ReadonlyMap<string, number> = new Map([
  ['host', FIELD_HOST],
  ['content-length', FIELD_CONTENT_LENGTH],
  ['transfer-encoding', FIELD_TRANSFER_ENCODING],
]);

/**
 * Number of interned names, a power of 2. A name replaces another in the same slot, so the table cannot grow.
 */
const SLOTS = 1024;
/** Longer names are not interned. Limits the table to 100 kB of text. */
const MAX_KEPT_BYTES = 64;

const table: (FieldName | undefined)[] = Array.from<undefined>({ length: SLOTS });

/** Adds a byte of a name to its hash, which starts at 0. */
export function hashOf(hash: number, byte: number): number {
  return (Math.imul(hash, 31) + byte) | 0;
}

/**
 * Returns the name in `input[start, end)`, which must be a token (RFC 9110 section 5.6.2).
 *
 * @param hash hash of all its bytes: see {@link hashOf}
 */
export function fieldNameAt(input: Buffer, start: number, end: number, hash: number): FieldName {
  const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
  const kept = table[slot];
  if (kept !== undefined && isSame(kept.spelled, input, start, end)) return kept;
  const spelled = input.toString('latin1', start, end);
  const lower = spelled.toLowerCase();
  const name = { spelled, lower, kind: KINDS.get(lower) ?? FIELD_OTHER };
  if (end - start <= MAX_KEPT_BYTES) table[slot] = name;
  return name;
}

function isSame(text: string, input: Buffer, start: number, end: number): boolean {
  const { length } = text;
  if (length !== end - start) return false;
  for (let index = 0; index < length; index++) {
    if (text.charCodeAt(index) !== input[start + index]) return false;
  }
  return true;
}
