import type { Format } from '../../../syntax/formats.ts';
import type { Section } from '../../../syntax/section.ts';
import { readValue } from '../../../syntax/section.ts';

/** Max names of one key. OpenSSL knows about 60 ciphers. */
const MAX_NAMES = 100;

/**
 * Reads an optional list of names, or one text of names separated by colons, as in OpenSSL and other proxies.
 *
 * @param of the list's elements, for messages
 * @returns the names without duplicates; null without the key
 */
export function readNames(
  section: Section,
  key: string,
  of: string,
  format: Format<string>,
): readonly string[] | null {
  if (!section.has(key)) return null;
  const raw = section.raw(key);
  const path = [...section.path, key];
  const isText = section.isForm(key, { type: 'text', what: `${of} with colons between` }, isString);
  const entries = isText
    ? String(raw)
        .split(':')
        .map((value) => ({ value, path }))
    : section.list(key, of);
  if (entries.length > MAX_NAMES) {
    section.problemAt(key, `${entries.length} names are too many: write at most ${MAX_NAMES}`);
    return [];
  }
  const names = entries.flatMap(({ value, path }) => {
    const name = readValue(value, path, section.problems, format, null);
    return name === null ? [] : [name];
  });
  return [...new Set(names)];
}

function isString(value: unknown): boolean {
  return typeof value === 'string';
}
