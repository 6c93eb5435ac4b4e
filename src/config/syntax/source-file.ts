/** The text of a configuration file, with its values and their positions. */
import type { Document, LineCounter, Node } from 'yaml';
import { messageOf } from '../../core/errors.ts';
import { doSteps, type Steps } from '../../core/timing/steps.ts';
import type { ItemReading } from './item-memory.ts';
import { excerptOf } from './yaml/excerpt.ts';
import { readPlainYaml } from './yaml/plain-yaml.ts';
import type { YamlFault } from './yaml/limits.ts';
import { findExcess } from './yaml/limits.ts';
import { PARSE_OPTIONS, yaml } from './yaml/package.ts';
import { explainError } from './yaml/remedies.ts';
import { YamlValues } from './yaml/values.ts';

/** Keys and list indexes from the root to a value. */
export type Path = readonly (string | number)[];

/** Both start at 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Location of a value. */
interface Location {
  readonly position: Position;
  /** False if the value is missing: then the position is the surrounding mapping's or list's. */
  readonly found: boolean;
  /** True if the path goes through an alias or `<<`, so that other paths lead there too. */
  readonly isShared: boolean;
}

/** A parser message about the text. */
interface Remark {
  readonly position: Position;
  readonly message: string;
}

/** A parsed text: its values, or the fault that prevents them. */
interface Parsed {
  readonly lines: LineCounter;
  readonly document: Document.Parsed | null;
  readonly values: YamlValues | null;
  readonly fault: YamlFault | null;
}

/** The parser's messages quote their source, which may be the whole file. */
const MAX_MESSAGE_CHARACTERS = 200;
const MAX_KEY_CHARACTERS = 60;
/** Max positions found through excerpts. After that, parsing the whole text once is faster. */
const MAX_EXCERPTS = 8;
const START: Position = { line: 1, column: 1 };

/** A parsed configuration file: its values, its errors and the position of each value. */
export class SourceFile {
  /** Mappings are Maps, lists are arrays. Null for an empty or broken file. */
  readonly root: unknown;
  /** The first syntax error, which prevents all values. Null for none. Further errors only follow from it. */
  readonly broken: Remark | null;
  /** Keys that are set twice. This is an error, but the rest is readable. */
  readonly duplicates: readonly Remark[];
  readonly warnings: readonly Remark[];
  readonly #text: string;
  /** Null until needed: most files are read without it. */
  #parsed: Parsed | null = null;
  #excerpts = 0;

  /**
   * Reads YAML or JSON.
   *
   * @param plain values that have already been read; undefined to read them with their positions
   */
  constructor(text: string, plain: unknown = doSteps(readPlainYaml(text))) {
    this.#text = text;
    if (plain !== undefined) {
      this.root = plain;
      this.broken = null;
      this.duplicates = [];
      this.warnings = [];
      return;
    }
    const { document, values, fault } = this.#parse();
    this.root = values?.root ?? null;
    this.broken =
      fault === null
        ? null
        : { position: this.#at(fault.offset), message: cut(fault.message, MAX_MESSAGE_CHARACTERS) };
    this.duplicates = (values?.duplicates ?? []).map((key) => {
      const offset = key.range?.[0] ?? 0;
      return { position: this.#at(offset), message: duplicateKey(text.slice(offset)) };
    });
    this.warnings = (document?.warnings ?? []).map(({ pos, message }) => ({
      position: this.#at(pos[0]),
      message: cut(message, MAX_MESSAGE_CHARACTERS),
    }));
  }

  /**
   * Reads YAML or JSON. Splits long texts into steps.
   *
   * @param known supplies placeholders for known items; null to read all
   * @param path path of the text in the configuration; empty for the root
   */
  static *read(text: string, known: ItemReading | null, path = ''): Steps<SourceFile> {
    return new SourceFile(text, yield* readPlainYaml(text, known, undefined, path));
  }

  /**
   * Finds the position of a value, or of the nearest surrounding mapping or list in the file.
   *
   * @param key true for the position of the value's key; false uses the key only for a mapping or list
   */
  locate(path: Path, key: boolean): Location {
    if (this.#parsed !== null || ++this.#excerpts > MAX_EXCERPTS) return locateIn(this.#parse(), path, key);
    // Nothing has been parsed, so the text is plain.
    const excerpt = excerptOf(this.#text, path);
    if (excerpt.text.length === this.#text.length) return locateIn(this.#parse(), path, key);
    return locateIn(parse(excerpt.text), excerpt.path, key);
  }

  /** Whether the text has `${`, which begins a reference to the environment. */
  get hasReferences(): boolean {
    return this.#text.includes('${');
  }

  #parse(): Parsed {
    return (this.#parsed ??= parse(this.#text));
  }

  #at(offset: number): Position {
    return positionOf(offset, this.#parse());
  }
}

function locateIn(parsed: Parsed, path: Path, key: boolean): Location {
  const { document, values } = parsed;
  let node = values?.resolve(document?.contents) ?? null;
  let offset = node?.range?.[0];
  let found = true;
  let isShared = false;
  for (const [index, step] of path.entries()) {
    const child = values === null ? null : childOf(values, node, step);
    if (values === null || child === null) {
      found = false;
      break;
    }
    node = values.resolve(child.value);
    const byKey = child.key !== null && (key || !yaml().isScalar(node) || node.source === '');
    const start = byKey ? child.key.range?.[0] : node?.range?.[0];
    if (start !== undefined) offset = start;
    if (child.isMerged) isShared = true;
    if (!yaml().isAlias(child.value)) continue;
    // A step into an alias continues at its anchor.
    if (index < path.length - 1) isShared = true;
    else offset = child.value.range?.[0] ?? offset;
  }
  return { position: offset === undefined ? START : positionOf(offset, parsed), found, isShared };
}

function positionOf(offset: number, { lines }: Parsed): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

/** Parses a value from the environment or the command line as YAML. Text that is not YAML remains text. */
export function parseValue(text: string): unknown {
  const { document, values, fault } = parse(text);
  if (fault !== null || document === null || values === null) return text;
  // An address such as [::1]:8080 begins like a list.
  return values.duplicates.length > 0 || document.warnings.length > 0 ? text : values.root;
}

function parse(text: string): Parsed {
  const lines = new (yaml().LineCounter)();
  const excess = findExcess(text);
  if (excess !== null) {
    // The parser would have counted the lines.
    let start = 0;
    do {
      lines.addNewLine(start);
      start = text.indexOf('\n', start) + 1;
    } while (start > 0);
    return { lines, document: null, values: null, fault: excess };
  }
  const { stackTraceLimit } = Error;
  let document: Document.Parsed;
  try {
    // The parser creates an error object per fault. Capturing their stacks would take most of the time.
    Error.stackTraceLimit = 0;
    document = yaml().parseDocument(text, { ...PARSE_OPTIONS, lineCounter: lines });
  } catch (error) {
    return { lines, document: null, values: null, fault: { offset: 0, message: messageOf(error) } };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  const [error] = document.errors;
  if (error !== undefined) {
    const message = explainError(error, text);
    return { lines, document, values: null, fault: { offset: error.pos[0], message } };
  }
  const values = new YamlValues(document);
  return { lines, document, values, fault: values.fault };
}

interface Child {
  readonly key: Node | null;
  readonly value: unknown;
  /** True if the mapping gets the key from another mapping by `<<`. */
  readonly isMerged: boolean;
}

function childOf(values: YamlValues, node: Node | null, step: string | number): Child | null {
  if (yaml().isSeq(node) && typeof step === 'number') {
    const value = node.items[step];
    return value === undefined ? null : { key: null, value, isMerged: false };
  }
  if (!yaml().isMap(node)) return null;
  const own = values.pair(node, String(step));
  const pair = own ?? values.mergedPair(node, String(step));
  return pair === undefined ? null : { key: pair.key, value: pair.value, isMerged: own === undefined };
}

function duplicateKey(rest: string): string {
  const key = /^(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s:,]+)/.exec(rest)?.[0] ?? '';
  const quoted = /^["']/.test(key) ? key : `"${key}"`;
  return `${cut(quoted, MAX_KEY_CHARACTERS)} is set twice here: keep one of them`;
}

function cut(text: string, maxCharacters: number): string {
  return text.length > maxCharacters ? `${text.slice(0, maxCharacters)}...` : text;
}
