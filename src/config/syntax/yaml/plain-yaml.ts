/** A fast reader of configuration files that use only values, lists, mappings and comments of YAML. */
import { FAILSAFE_SCHEMA, Type, YAMLException, load, type LoadOptions } from 'js-yaml';
import type { Steps } from '../../../core/timing/steps.ts';
import { KnownItem, type ItemList, type ItemReading } from '../item-memory.ts';
import { MAX_DEPTH, MAX_VALUES } from './limits.ts';
import { divide, type ListPart, type MappingPart } from './pieces.ts';

/**
 * Anchors, aliases, tags, directives, explicit keys and merges, or quoted text that looks like one. Also
 * lines of only tabs, which end some block texts.
 */
const SPECIAL =
  /(?:^|[\s[\]{},:?-])(?:[&*%](?=\S)|!|\?(?=\s))|<<|["'\]}]#|\r(?!\n)|^---.|^[ \t]*\t[ \t]*\r?$|\ufeff|[\]}][ \t]*:(?=\s|$)/m;
/** A line with a comment that is not inside or after a quoted text. */
const COMMENTED_LINE = /^(?:[^"'#\n]* )?#.*$/gm;
const COMMENT = /(?:^| )#.*$/;
/** Matches a line before the first value: `---`, a comment or nothing. */
const PREAMBLE_LINE = /(?:---)?[ \t]*(?:#.*)?\r?\n/y;
const TAB_INDENT = / *\t/y;
/** The plain scalars of YAML 1.2.2 section 10.3.2 that are not text. */
const NULL = /^(?:~|null|Null|NULL)?$/;
const TRUE = /^(?:true|True|TRUE)$/;
const FALSE = /^(?:false|False|FALSE)$/;
const DECIMAL = /^[-+]?[0-9]+$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
/** Octal and hexadecimal numbers, infinity and NaN are rare: the parser with positions reads them. */
const UNSUPPORTED_NUMBER = /^(?:0[ox]|[-+]?\.(?:inf|nan)$)/i;
/**
 * Keys that js-yaml changes. It reads an empty key as `null`, and JavaScript sorts keys that look like array
 * indexes first.
 */
const CHANGED_KEY = /^(?:[0-9]+|null)$/;

/** Levels at which a text is divided: listeners, one listener, its routes, one route. */
const MAX_DIVISIONS = 4;
/** Path of a list of routes. */
export const ROUTES_PATH = '.listeners[].routes';
/** Lists whose items are remembered, keyed by their path. */
const REMEMBERED: Readonly<Record<string, ItemList>> = {
  '.clusters': 'clusters',
  [ROUTES_PATH]: 'routes',
};
/** A piece takes about 1 ms. */
const PIECE_CHARACTERS = 16 * 1024;
/** Characters searched per step. */
const SEARCHED_CHARACTERS = 64 * 1024;
/** Lines before the first value that are read per step. */
const STEP_LINES = 2000;
/** Known items per step. */
const STEP_ITEMS = 500;

/** Thrown for a text that only the parser with positions can read. */
const NOT_PLAIN = new Error('the text is not plain');

/** A plain scalar that is not text. As a key, it stands for its own spelling. */
class Scalar {
  readonly value: unknown;
  readonly #source: string;

  constructor(source: string, value: unknown) {
    this.#source = source;
    this.value = value;
  }

  /** This tag makes js-yaml refuse such objects as keys. */
  readonly [Symbol.toStringTag] = 'Scalar';

  toString(): string {
    return this.#source;
  }
}

const SCHEMA = FAILSAFE_SCHEMA.extend({
  implicit: [
    new Type('tag:sluice:value', {
      kind: 'scalar',
      resolve: isValue,
      construct: (source: string) => new Scalar(source, valueOf(source)),
    }),
  ],
});

type Known = Pick<ItemReading, 'find' | 'note'>;

/**
 * Reads a text about twenty times as fast as the parser with positions, and a long one in pieces.
 *
 * @param known finds items that need not be read; null to read all
 * @param size characters of a piece
 * @param path path of the text in the configuration; empty for the root
 * @returns mappings as Maps and lists as arrays. Undefined if the parser with positions must read the text:
 * it is invalid, exceeds a limit, or uses more of YAML
 */
export function* readPlainYaml(
  text: string,
  known: Known | null = null,
  size = PIECE_CHARACTERS,
  path = '',
): Steps<unknown> {
  if ((yield* beginsWithTab(text)) || (yield* isSpecial(text))) return undefined;
  try {
    return yield* new PlainText(size, known).read(text, 0, path);
  } catch (error) {
    if (error === NOT_PLAIN || error instanceof YAMLException) return undefined;
    throw error;
  }
}

/**
 * Returns the value of a plain scalar: a number, boolean or null by the rules of YAML. Returns any other text itself.
 */
export function scalarOf(text: string): unknown {
  return isValue(text) && !UNSUPPORTED_NUMBER.test(text) ? valueOf(text) : text;
}

/** Returns the value of a list item. Parses the text of a known item. */
export function valueOfItem(item: unknown): unknown {
  return item instanceof KnownItem ? new PlainText(Infinity, null).parseItem(item.text) : item;
}

/** Whether a tab indents the first value, possibly after `---` and comments. JSON may use tabs further on. */
function* beginsWithTab(text: string): Steps<boolean> {
  let start = 0;
  // Line by line: one expression for millions of lines would exceed V8's stack.
  for (let lines = 1; !isAt(TAB_INDENT, text, start); lines++) {
    if (!isAt(PREAMBLE_LINE, text, start)) return false;
    start = PREAMBLE_LINE.lastIndex;
    if (lines % STEP_LINES === 0) yield;
  }
  return true;
}

/** Whether a sticky expression matches at an offset. */
function isAt(expression: RegExp, text: string, offset: number): boolean {
  expression.lastIndex = offset;
  return expression.test(text);
}

/** Whether a text has syntax that only the parser with positions reads. */
function* isSpecial(text: string): Steps<boolean> {
  // No match crosses the end of a line.
  for (let from = 0, to = 0; from < text.length; from = to) {
    const lineEnd = text.indexOf('\n', from + SEARCHED_CHARACTERS);
    to = lineEnd === -1 ? text.length : lineEnd + 1;
    const lines = text.slice(from, to);
    if (SPECIAL.test(lines) && SPECIAL.test(withoutComments(lines))) return true;
    yield;
  }
  return false;
}

function withoutComments(lines: string): string {
  return lines.replace(COMMENTED_LINE, (line) => line.replace(COMMENT, ''));
}

/** Reads the pieces of one text. */
class PlainText {
  readonly #size: number;
  readonly #known: Known | null;
  #values = 0;

  constructor(size: number, known: Known | null) {
    this.#size = size;
    this.#known = known;
  }

  /** Parses one list item that has been parsed before. */
  parseItem(text: string): unknown {
    const [item] = this.#parse(text, 0) as unknown[];
    return item;
  }

  /**
   * @param depth nesting depth of the text in the whole
   * @param path path of keys to the text
   */
  *read(text: string, depth: number, path: string): Steps<unknown> {
    const division = depth === MAX_DIVISIONS ? null : yield* divide(text, this.#size);
    yield;
    if (division === null) return this.#parse(text, depth);
    if (division.kind === 'mapping') return yield* this.#readMapping(division.parts(), depth, path);
    const list = REMEMBERED[path];
    if (this.#known === null || list === undefined) {
      return yield* this.#readList(division.parts(), depth, path);
    }
    return yield* this.#readItems(division.items(), depth, { list, known: this.#known });
  }

  *#readMapping(parts: readonly MappingPart[], depth: number, path: string): Steps<Map<string, unknown>> {
    const map = new Map<string, unknown>();
    for (const { key, text } of parts) {
      const entries =
        key === null
          ? this.#parse(text, depth)
          : new Map([[key, yield* this.read(text, depth + 1, `${path}.${key}`)]]);
      yield;
      if (!(entries instanceof Map)) throw NOT_PLAIN;
      for (const [name, value] of entries as Map<string, unknown>) {
        // The parser with positions reports where a duplicate key is.
        if (map.has(name)) throw NOT_PLAIN;
        map.set(name, value);
      }
    }
    return map;
  }

  *#readList(parts: readonly ListPart[], depth: number, path: string): Steps<unknown[]> {
    const list: unknown[] = [];
    for (const { isOne, text } of parts) {
      const items = isOne ? [yield* this.read(text, depth + 1, `${path}[]`)] : this.#parse(text, depth);
      yield;
      if (!Array.isArray(items)) throw NOT_PLAIN;
      for (const item of items) list.push(item);
    }
    return list;
  }

  /** Reads unknown items, adjacent ones together. */
  *#readItems(
    texts: readonly string[],
    depth: number,
    { list, known }: { readonly list: ItemList; readonly known: Known },
  ): Steps<unknown[]> {
    const items: unknown[] = [];
    let unread: string[] = [];
    for (const [index, text] of texts.entries()) {
      const found = known.find(list, text);
      if (found === null) unread.push(text);
      if (unread.length > 0 && (found !== null || index === texts.length - 1)) {
        const read = yield* this.#readRun(unread, depth);
        for (const [place, item] of read.entries()) known.note(item, unread[place]!);
        for (const item of read) items.push(item);
        unread = [];
      }
      if (found === null) continue;
      this.#values += found.values;
      if (this.#values > MAX_VALUES) throw NOT_PLAIN;
      items.push(found);
      if (index % STEP_ITEMS === 0) yield;
    }
    return items;
  }

  /** Reads adjacent items. */
  *#readRun(texts: readonly string[], depth: number): Steps<readonly unknown[]> {
    const text = texts.join('');
    const division = yield* divide(text, this.#size);
    const items =
      division?.kind === 'list'
        ? yield* this.#readList(division.parts(), depth, '')
        : this.#parse(text, depth);
    yield;
    if (!Array.isArray(items) || items.length !== texts.length) throw NOT_PLAIN;
    return items as readonly unknown[];
  }

  #parse(text: string, depth: number): unknown {
    // The types of js-yaml lack maxDepth.
    const options: LoadOptions & { maxDepth: number } = {
      schema: SCHEMA,
      maxDepth: MAX_DEPTH - depth,
      // js-yaml warns only of lines that need more indentation.
      onWarning: leave,
    };
    return this.#convert(load(text, options));
  }

  /** Converts js-yaml's objects to Maps. */
  #convert(value: unknown): unknown {
    if (++this.#values > MAX_VALUES) throw NOT_PLAIN;
    if (typeof value === 'string') return value;
    if (value instanceof Scalar) return value.value;
    if (Array.isArray(value)) {
      // js-yaml continues a finished list after an empty item.
      if (value.includes(null)) throw NOT_PLAIN;
      return value.map((item) => this.#convert(item));
    }
    if (typeof value !== 'object' || value === null) return value ?? null;
    const map = new Map<string, unknown>();
    for (const key of Object.keys(value)) {
      if (CHANGED_KEY.test(key)) throw NOT_PLAIN;
      map.set(key, this.#convert((value as Record<string, unknown>)[key]));
    }
    return map;
  }
}

function leave(): never {
  throw NOT_PLAIN;
}

function isValue(source: string): boolean {
  return (
    NULL.test(source) ||
    TRUE.test(source) ||
    FALSE.test(source) ||
    FLOAT.test(source) ||
    UNSUPPORTED_NUMBER.test(source)
  );
}

function valueOf(source: string): unknown {
  if (NULL.test(source)) return null;
  if (TRUE.test(source)) return true;
  if (FALSE.test(source)) return false;
  if (UNSUPPORTED_NUMBER.test(source)) throw NOT_PLAIN;
  return DECIMAL.test(source) ? Number.parseInt(source, 10) : Number.parseFloat(source);
}
