/** A JSON object of a token. Its member names are unique (RFC 7515 section 4, RFC 7519 section 4). */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Max nesting depth of objects and arrays. Identity providers need 3 or 4. */
const MAX_DEPTH = 16;
/** Rejects bytes that are not UTF-8. Keeps a byte order mark, which is invalid JSON. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses the UTF-8 bytes of a JSON object. If two members have the same name, JSON.parse takes the last, and
 * another parser may take the first: they would read different claims.
 *
 * @returns an object without a prototype; `malformed` or `duplicated` for invalid bytes
 */
export function parseStrictObject(bytes: Uint8Array): JsonObject | 'malformed' | 'duplicated' {
  let text: string;
  let value: unknown;
  try {
    text = UTF8.decode(bytes);
    value = JSON.parse(text);
  } catch {
    return 'malformed';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'malformed';
  const problem = namesProblem(text);
  // A claim named `constructor` or `__proto__` must be an ordinary property.
  return problem ?? Object.assign(Object.create(null) as Record<string, unknown>, value);
}

/** Finds a repeated member name or excessive nesting in valid JSON. */
function namesProblem(text: string): 'malformed' | 'duplicated' | null {
  /** Names so far of each open object. Null for an open array. */
  const open: (Set<string> | null)[] = [];
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '{' || character === '[') {
      if (open.length === MAX_DEPTH) return 'malformed';
      open.push(character === '{' ? new Set() : null);
    } else if (character === '}' || character === ']') {
      open.pop();
    } else if (character === '"') {
      const end = endOfString(text, index);
      if (isName(text, end)) {
        const names = open.at(-1);
        const name = JSON.parse(text.slice(index, end)) as string;
        if (names?.has(name) === true) return 'duplicated';
        names?.add(name);
      }
      index = end - 1;
    }
  }
  return null;
}

/** Returns the index after the closing quote. */
function endOfString(text: string, start: number): number {
  let index = start + 1;
  while (text[index] !== '"') index += text[index] === '\\' ? 2 : 1;
  return index + 1;
}

/**
 * Whether a text in valid JSON is a name. Only names are followed by a colon.
 *
 * @param end offset after the text
 */
function isName(text: string, end: number): boolean {
  let index = end;
  while (' \t\n\r'.includes(text[index]!)) index++;
  return text[index] === ':';
}
