/** Finds JSON in text, with the position of every value, so that values can be replaced in place. */

/** Max nesting depth. Each level is a call. */
const MAX_DEPTH = 128;

/** A value and its position in the text. */
export interface JsonNode {
  readonly start: number;
  /** After the last character. */
  end: number;
  /** Member names of an object, parallel to {@link children}; may repeat. Null for other values. */
  readonly names: readonly string[] | null;
  /** Values inside an object or array; null for other values. */
  readonly children: readonly JsonNode[] | null;
}

/** Result for text nested deeper than the reader follows. */
export const TOO_DEEP = 'too deep';

/** The JSON found in a text. */
interface FoundJson {
  /** The outermost objects and arrays. */
  readonly roots: readonly JsonNode[];
  /**
   * Start of the first malformed object or array; the text's length if there is none. Values in it and after
   * it may be missing from the result. A truncated value is not malformed: it only ends early.
   */
  readonly faultyFrom: number;
}

/**
 * Finds the outermost objects and arrays in a text: plain JSON, JSON after a prefix as in Socket.IO, JSON
 * lines, or JSON among other bytes. A truncated or malformed value ends at the fault, and keeps its earlier
 * parts. Runs in linear time.
 */
export function findJson(text: string): FoundJson | typeof TOO_DEEP {
  const reader = new JsonReader(text);
  const roots: JsonNode[] = [];
  let faultyFrom = text.length;
  for (let at = nextStart(text, 0); at < text.length; at = nextStart(text, reader.at)) {
    const node = reader.read(at);
    if (node === TOO_DEEP) return TOO_DEEP;
    roots.push(node);
    // Brackets around a word are not JSON.
    const isJson = node.names !== null || node.children!.length > 0;
    if (isJson && reader.isBroken && reader.at < text.length) faultyFrom = Math.min(faultyFrom, at);
  }
  return { roots, faultyFrom };
}

/**
 * Returns the JavaScript value of a node. The last of several members with one name wins, as in `JSON.parse`.
 * Objects have no prototype.
 *
 * @param known cache of earlier results, by node
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
    // A truncated or malformed string.
    return source;
  }
}

/** Returns the position of the next object or array, or the text's length. */
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
  /** Whether a fault or the end of the text closed all open values. */
  #isBroken = false;

  constructor(text: string) {
    this.#text = text;
  }

  /** End of the last value read. */
  get at(): number {
    return this.#at;
  }

  /** Whether the last value ended at a fault, or at the end of the text. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Reads the object or array at a position. */
  read(at: number): JsonNode | typeof TOO_DEEP {
    this.#at = at;
    this.#isBroken = false;
    return this.#value(0) ?? TOO_DEEP;
  }

  /** Returns null if the value is nested too deep. */
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
      // A fault in place of a value.
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

  /** Reads a member's name and colon. Returns null on a fault. */
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

  /** Skips white space. Returns the code of the next character: NaN at the end. */
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

  /** Skips a number or a literal, including those of JavaScript and Python that are not JSON. */
  #skipWord(): void {
    WORD.lastIndex = this.#at;
    const found = WORD.exec(this.#text);
    if (found === null) this.#isBroken = true;
    else this.#at = WORD.lastIndex;
  }
}

const WORD =
  /true|false|null|undefined|NaN|[-+]?(?:Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)/y;
