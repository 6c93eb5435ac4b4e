/** The messages of all demo apps are JSON objects, and some have a name. */

type JsonObject = Readonly<Record<string, unknown>>;

const MAX_NAME_CHARACTERS = 24;
/** Control, format, line-separating, unassigned and private-use characters, and lone surrogates. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * Parses a message of a client.
 *
 * @returns the object, or a sentence that tells the sender what is wrong
 */
export function readObject(json: string): JsonObject | string {
  let message: unknown;
  try {
    message = JSON.parse(json);
  } catch {
    return 'This is not JSON.';
  }
  return typeof message === 'object' && message !== null
    ? (message as JsonObject)
    : 'A message is a JSON object.';
}

/** Reduces a name to one line of at most 24 visible characters. Returns '' if none is visible. */
export function cleanName(name: string): string {
  const line = name.normalize('NFC').replace(/\s+/g, ' ').replace(INVISIBLE, '').trim();
  // By code point: a surrogate pair must not be split.
  return Array.from(line).slice(0, MAX_NAME_CHARACTERS).join('').trim();
}
