/** A fast reader of configuration files that use no feature of YAML beyond values, lists, mappings and comments. */
import { FAILSAFE_SCHEMA, Type, YAMLException, load, type LoadOptions } from 'js-yaml';
import type { Steps } from '../../../core/timing/steps.ts';
import { MAX_DEPTH, MAX_VALUES } from './limits.ts';
import { divide, type ListPart, type MappingPart } from './pieces.ts';

/** Anchors, aliases, tags, directives, explicit keys and merges, or what looks like one in a comment or a quoted text. */
const SPECIAL =
  /(?:^|[\s[\]{},:?-])(?:[&*%](?=\S)|!|\?(?=\s))|<<|["'\]}]#|\r(?!\n)|^---.|\ufeff|[\]}][ \t]*:(?=\s)/m;
const LEADING_TAB = /^ *\t/;
/** The plain scalars of YAML 1.2.2 section 10.3.2 that are not text. */
const NULL = /^(?:~|null|Null|NULL)?$/;
const TRUE = /^(?:true|True|TRUE)$/;
const FALSE = /^(?:false|False|FALSE)$/;
const DECIMAL = /^[-+]?[0-9]+$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
/** Octal and hexadecimal numbers, infinity and NaN: rare enough to leave to the other parser. */
const RARE = /^(?:0[ox]|[-+]?\.(?:inf|nan)$)/i;
/**
 * Keys that js-yaml changes: it reads an empty key as `null`, and JavaScript puts keys that look like indexes of a list in
 * front of the others.
 */
const CHANGED_KEY = /^(?:[0-9]+|null)$/;

/** Levels at which a text is divided: listeners, one of them, its routes, one of them. */
const MAX_DIVISIONS = 4;
/** A piece takes about 1 ms. */
const PIECE_CHARACTERS = 16 * 1024;

/** Thrown for a text that is left to the other parser. */
const UNUSUAL = new Error('the text is not plain');

/** A plain scalar that is not text. As a key it stands for its own spelling. */
class Scalar {
  readonly value: unknown;
  readonly #source: string;

  constructor(source: string, value: unknown) {
    this.#source = source;
    this.value = value;
  }

  /** js-yaml refuses objects as keys by this tag. */
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

/**
 * Reads a text about twenty times as fast as the parser that knows places, and a long one in pieces.
 *
 * @param size characters of a piece
 * @returns mappings as Maps and lists as arrays; undefined for a text that the other parser must read, because it is
 * wrong, exceeds a limit, or uses more of YAML
 */
export function* readPlainYaml(text: string, size = PIECE_CHARACTERS): Steps<unknown> {
  if (SPECIAL.test(text) || LEADING_TAB.test(text)) return undefined;
  yield;
  try {
    return yield* new PlainText(size).read(text);
  } catch (error) {
    if (error === UNUSUAL || error instanceof YAMLException) return undefined;
    throw error;
  }
}

/** Reads the pieces of one text. */
class PlainText {
  readonly #size: number;
  #values = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /** @param depth of the text in the whole */
  *read(text: string, depth = 0): Steps<unknown> {
    const division = depth === MAX_DIVISIONS ? null : divide(text, this.#size);
    yield;
    if (division === null) return this.#parse(text, depth);
    return division.kind === 'list'
      ? yield* this.#readList(division.parts, depth)
      : yield* this.#readMapping(division.parts, depth);
  }

  *#readMapping(parts: readonly MappingPart[], depth: number): Steps<Map<string, unknown>> {
    const map = new Map<string, unknown>();
    for (const { key, text } of parts) {
      const entries =
        key === null ? this.#parse(text, depth) : new Map([[key, yield* this.read(text, depth + 1)]]);
      yield;
      if (!(entries instanceof Map)) throw UNUSUAL;
      for (const [name, value] of entries as Map<string, unknown>) {
        // The other parser says where a key is set twice.
        if (map.has(name)) throw UNUSUAL;
        map.set(name, value);
      }
    }
    return map;
  }

  *#readList(parts: readonly ListPart[], depth: number): Steps<unknown[]> {
    const list: unknown[] = [];
    for (const { isOne, text } of parts) {
      const items = isOne ? [yield* this.read(text, depth + 1)] : this.#parse(text, depth);
      yield;
      if (!Array.isArray(items)) throw UNUSUAL;
      for (const item of items) list.push(item);
    }
    return list;
  }

  #parse(text: string, depth: number): unknown {
    // The types of js-yaml lack maxDepth.
    const options: LoadOptions & { maxDepth: number } = {
      schema: SCHEMA,
      maxDepth: MAX_DEPTH - depth,
      // It only warns of lines that must be indented more.
      onWarning: leave,
    };
    return this.#convert(load(text, options));
  }

  /** Turns js-yaml's objects into Maps. */
  #convert(value: unknown): unknown {
    if (++this.#values > MAX_VALUES) throw UNUSUAL;
    if (typeof value === 'string') return value;
    if (value instanceof Scalar) return value.value;
    if (Array.isArray(value)) {
      // js-yaml takes what follows an empty item into a list that has ended.
      if (value.includes(null)) throw UNUSUAL;
      return value.map((item) => this.#convert(item));
    }
    if (typeof value !== 'object' || value === null) return value ?? null;
    const map = new Map<string, unknown>();
    for (const key of Object.keys(value)) {
      if (CHANGED_KEY.test(key)) throw UNUSUAL;
      map.set(key, this.#convert((value as Record<string, unknown>)[key]));
    }
    return map;
  }
}

function leave(): never {
  throw UNUSUAL;
}

function isValue(source: string): boolean {
  return (
    NULL.test(source) || TRUE.test(source) || FALSE.test(source) || FLOAT.test(source) || RARE.test(source)
  );
}

function valueOf(source: string): unknown {
  if (NULL.test(source)) return null;
  if (TRUE.test(source)) return true;
  if (FALSE.test(source)) return false;
  if (RARE.test(source)) throw UNUSUAL;
  return DECIMAL.test(source) ? Number.parseInt(source, 10) : Number.parseFloat(source);
}
