/** JSON inside of a text, with the place of every value, so that values can be replaced and all else stays as it is. */

/** Max depth of values in each other. Each level is a call. */
const MAX_DEPTH = 128;

/** A value, and its place in the text. */
export interface JsonNode {
  readonly start: number;
  /** Behind the last character. */
  end: number;
  /** Names of the members of an object, beside {@link children}: a name may come twice. Null for other values. */
  readonly names: readonly string[] | null;
  /** The values inside of an object or array; null for other values. */
  readonly children: readonly JsonNode[] | null;
}

/** Some value is deeper than a reader follows. */
export const TOO_DEEP = 'too deep';

/** The JSON in a text. */
interface FoundJson {
  /** The objects and arrays that are not part of others. */
  readonly roots: readonly JsonNode[];
  /**
   * Where the first object or array with a fault begins: some of its values may be unknown, and what follows, too. The text's
   * length for none. Nothing is unknown of one that only breaks off.
   */
  readonly faultyFrom: number;
}

/**
 * Finds the objects and arrays in a text that are not part of others: of JSON that stands alone, behind a prefix as in
 * Socket.IO, in lines, or among bytes. A value that breaks off, or has a fault, ends there and keeps what it had. Takes time
 * in proportion to the text.
 */
export function findJson(text: string): FoundJson | typeof TOO_DEEP {
  const reader = new JsonReader(text);
  const roots: JsonNode[] = [];
  let faultyFrom = text.length;
  for (let at = nextStart(text, 0); at < text.length; at = nextStart(text, reader.at)) {
    const node = reader.read(at);
    if (node === TOO_DEEP) return TOO_DEEP;
    roots.push(node);
    // Brackets around a word are no JSON.
    const isJson = node.names !== null || node.children!.length > 0;
    if (isJson && reader.isBroken && reader.at < text.length) faultyFrom = Math.min(faultyFrom, at);
  }
  return { roots, faultyFrom };
}

/**
 * Returns the value as JavaScript has it. Of members of one name the last counts, as in `JSON.parse`. Objects have no
 * prototype.
 *
 * @param known what has been asked before, by node
 */
export function valueOf(node: JsonNode, text: string, known: Map<JsonNode, unknown>): unknown {
  const before = known.get(node);
  if (before !== undefined) return before;
  const value = makeValue(node, text, known);
  known.set(node, value);
  return value;
}

function makeValue(
  { start, end, names, children }: JsonNode,
  text: string,
  known: Map<JsonNode, unknown>,
): unknown {
  if (children === null) return scalarOf(text.slice(start, end));
  if (names === null) return children.map((child) => valueOf(child, text, known));
  const object = Object.create(null) as Record<string, unknown>;
  for (const [index, name] of names.entries()) object[name] = valueOf(children[index]!, text, known);
  return object;
}

function scalarOf(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    // A text that breaks off, or has a fault.
    return source;
  }
}

/** Returns the place of the next object or array; the text's length if there is none. */
function nextStart(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === CURLY_OPEN || code === SQUARE_OPEN) return at;
  }
  return text.length;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const SQUARE_OPEN = 0x5b;
const BACKSLASH = 0x5c;
const SQUARE_CLOSE = 0x5d;
const CURLY_OPEN = 0x7b;
const CURLY_CLOSE = 0x7d;

class JsonReader {
  readonly #text: string;
  #at = 0;
  /** Whether a fault, or the end of the text, has ended all open values. */
  #isBroken = false;

  constructor(text: string) {
    this.#text = text;
  }

  /** Where the last reading ended. */
  get at(): number {
    return this.#at;
  }

  /** Whether the last reading ended at a fault, or at the end of the text. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Reads the object or array at a place. */
  read(at: number): JsonNode | typeof TOO_DEEP {
    this.#at = at;
    this.#isBroken = false;
    return this.#value(0) ?? TOO_DEEP;
  }

  /** Returns null if it is too deep. */
  #value(depth: number): JsonNode | null {
    const code = this.#text.charCodeAt(this.#at);
    if (code === CURLY_OPEN || code === SQUARE_OPEN) {
      return depth === MAX_DEPTH ? null : this.#container(code === CURLY_OPEN, depth);
    }
    const start = this.#at;
    if (code === QUOTE) this.#skipString();
    else this.#skipWord();
    return { start, end: this.#at, names: null, children: null };
  }

  #container(isObject: boolean, depth: number): JsonNode | null {
    const start = this.#at++;
    const close = isObject ? CURLY_CLOSE : SQUARE_CLOSE;
    const names: string[] = [];
    const children: JsonNode[] = [];
    for (;;) {
      const code = this.#nextCode();
      if (code === close) {
        this.#at += 1;
        break;
      }
      if (isObject) {
        const name = this.#name(code);
        if (name === null) break;
        names.push(name);
      }
      const child = this.#value(depth + 1);
      if (child === null) return null;
      // A fault in the place of a value.
      if (child.end === child.start) names.length = children.length;
      else children.push(child);
      if (this.#isBroken) break;
      const next = this.#nextCode();
      if (next === COMMA) this.#at += 1;
      else if (next !== close) {
        this.#isBroken = true;
        break;
      }
    }
    return { start, end: this.#at, names: isObject ? names : null, children };
  }

  /** Reads a member's name and colon. Returns null for a fault. */
  #name(code: number): string | null {
    const start = this.#at;
    if (code === QUOTE) this.#skipString();
    else this.#isBroken = true;
    if (this.#isBroken) return null;
    const source = this.#text.slice(start, this.#at);
    if (this.#nextCode() !== COLON) {
      this.#isBroken = true;
      return null;
    }
    this.#at += 1;
    this.#nextCode();
    return source.includes('\\') ? String(scalarOf(source)) : source.slice(1, -1);
  }

  /** Skips spaces. Returns the code of the next character: NaN at the end. */
  #nextCode(): number {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code;
      this.#at += 1;
    }
  }

  #skipString(): void {
    const text = this.#text;
    for (this.#at += 1; this.#at < text.length; this.#at++) {
      const code = text.charCodeAt(this.#at);
      if (code === QUOTE) {
        this.#at += 1;
        return;
      }
      if (code === BACKSLASH) this.#at += 1;
    }
    this.#at = text.length;
    this.#isBroken = true;
  }

  /** Skips a number or a literal, also those that JavaScript and Python write beyond JSON. */
  #skipWord(): void {
    WORD.lastIndex = this.#at;
    const found = WORD.exec(this.#text);
    if (found === null) this.#isBroken = true;
    else this.#at = WORD.lastIndex;
  }
}

const WORD =
  /true|false|null|undefined|NaN|[-+]?(?:Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)/y;
