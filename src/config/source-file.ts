/** The text of a configuration file: its values, and where each of them stands. */
import type { Document, Node, Pair } from 'yaml';
import { LineCounter, isAlias, isMap, isNode, isPair, isScalar, isSeq, parseDocument, visit } from 'yaml';
import { messageOf } from '../core/errors.ts';

/** Keys and list indexes from the root to a value. */
export type Path = readonly (string | number)[];

/** Both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Something that the parser has to say about the text. */
interface Remark {
  readonly position: Position;
  readonly message: string;
}

const START: Position = { line: 1, column: 1 };
/** JSON is YAML. Mappings come as Maps, so that no key can reach an object's prototype. */
const PARSE = { prettyErrors: false, stringKeys: true, merge: true, logLevel: 'error' } as const;
const VALUES = { mapAsMap: true, maxAliasCount: 1000 } as const;

export class SourceFile {
  /** Mappings are Maps, lists are arrays; null for an empty file and for one that is broken. */
  readonly root: unknown;
  /** What keeps the values from being understood at all; the first is enough, the others follow from it. */
  readonly broken: Remark | null;
  /** Keys that are set twice: an error, but one beside which the rest can be read. */
  readonly duplicates: readonly Remark[];
  readonly warnings: readonly Remark[];
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed | null;

  /** Reads YAML or JSON. */
  constructor(text: string) {
    const read = this.#parse(text);
    this.#document = read.document;
    this.root = read.root;
    this.broken = read.broken;
    const errors = read.document?.errors ?? [];
    this.duplicates = errors
      .filter(({ code }) => code === 'DUPLICATE_KEY')
      .map(({ pos }) => ({ position: this.#at(pos[0]), message: duplicateKey(text.slice(pos[0])) }));
    this.warnings = (read.document?.warnings ?? []).map(({ pos, message }) => ({
      position: this.#at(pos[0]),
      message,
    }));
  }

  /**
   * Where a value stands, or the nearest mapping or list around it that is in the file.
   *
   * @param key points at the value's key where it has one; else only a mapping or list is found by its key
   */
  locate(path: Path, key: boolean): { readonly position: Position; readonly found: boolean } {
    let node = this.#resolve(this.#document?.contents);
    let offset = node?.range?.[0];
    let found = true;
    for (const [index, step] of path.entries()) {
      const child = childOf(node, step);
      if (child === null) {
        found = false;
        break;
      }
      node = this.#resolve(child.value);
      const byKey = child.key !== null && (key || !isScalar(node) || node.source === '');
      const start = byKey ? child.key.range?.[0] : node?.range?.[0];
      if (start !== undefined) offset = start;
      // A step into an alias goes on where its anchor stands.
      if (index === path.length - 1 && isAlias(child.value)) offset = child.value.range?.[0] ?? offset;
    }
    return { position: offset === undefined ? START : this.#at(offset), found };
  }

  #parse(text: string): { document: Document.Parsed | null; root: unknown; broken: Remark | null } {
    let document: Document.Parsed;
    try {
      document = parseDocument(text, { ...PARSE, lineCounter: this.#lines });
    } catch (error) {
      return { document: null, root: null, broken: { position: START, message: messageOf(error) } };
    }
    const error = document.errors.find(({ code }) => code !== 'DUPLICATE_KEY');
    if (error !== undefined) {
      const message =
        error.code === 'MULTIPLE_DOCS' ? 'a second document begins here: write one' : error.message;
      return { document, root: null, broken: { position: this.#at(error.pos[0]), message } };
    }
    try {
      return { document, root: document.toJS(VALUES), broken: null };
    } catch (error) {
      const { offset, message } = aliasFault(document) ?? { offset: 0, message: messageOf(error) };
      return { document, root: null, broken: { position: this.#at(offset), message } };
    }
  }

  #resolve(node: unknown): Node | null {
    if (!isNode(node)) return null;
    if (!isAlias(node) || this.#document === null) return node;
    return node.resolve(this.#document) ?? null;
  }

  #at(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }
}

/** Reads one value as YAML, as it comes from the environment or the command line; what is none is text. */
export function parseValue(text: string): unknown {
  try {
    const document = parseDocument(text, PARSE);
    // An address such as [::1]:8080 begins like a list.
    if (document.errors.length > 0 || document.warnings.length > 0) return text;
    return document.toJS(VALUES) as unknown;
  } catch {
    return text;
  }
}

/** An alias whose anchor is not set before it. */
function aliasFault(document: Document.Parsed): { offset: number; message: string } | null {
  let fault: { offset: number; message: string } | null = null;
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) !== undefined) return undefined;
      fault = {
        offset: alias.range?.[0] ?? 0,
        message: `*${alias.source} has no &${alias.source} before it`,
      };
      return visit.BREAK;
    },
  });
  return fault;
}

interface Child {
  readonly key: Node | null;
  readonly value: unknown;
}

function childOf(node: Node | null, step: string | number): Child | null {
  if (isSeq(node) && typeof step === 'number') {
    const value = node.items[step];
    return value === undefined ? null : { key: null, value };
  }
  if (!isMap(node)) return null;
  // Of a key that is set twice, the last is what the values have.
  const pair = node.items.findLast((pair): pair is Pair<Node> => keyOf(pair) === step);
  return pair === undefined ? null : { key: pair.key, value: pair.value };
}

function keyOf(pair: unknown): string | undefined {
  return isPair(pair) && isScalar(pair.key) ? String(pair.key.value) : undefined;
}

function duplicateKey(rest: string): string {
  const key = /^(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s:,]+)/.exec(rest)?.[0] ?? '';
  return `${/^["']/.test(key) ? key : `"${key}"`} is set twice here: keep one of them`;
}
