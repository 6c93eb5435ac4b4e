/** Rules of redaction, applied to messages. What no rule matches stays as it is, byte by byte. */
import { isUtf8 } from 'node:buffer';
import type { PathSegment } from '../../core/redaction/json-path.ts';
import { parseRedactionRule } from '../../core/redaction/redaction-rule.ts';
import { loadExpressions, type LinearExpression } from '../../core/linear-expression.ts';
import { TOO_DEEP, findJson, type JsonNode } from './json-tree.ts';
import { PathSearch, type Steps } from './path-search.ts';

/** What stands in the place of what an expression matches. */
export const REDACTED = '[redacted]';
const REDACTED_VALUE = JSON.stringify(REDACTED);

/** Max values that all paths look at in one message. 64 KiB have 32,768 values at most. */
const MAX_STEPS = 500_000;
/** Max time for the expressions in one message: sessions wait meanwhile. */
const MAX_EXPRESSION_MS = 30;

/** How a name of letters may be written so that it cannot be found as text. */
const ESCAPED_ASCII = /\\u00[2-7]/;

/** A path, and the names that a text must have if the path matches anything in it. */
interface PathRule {
  readonly segments: readonly PathSegment[];
  readonly names: readonly string[];
}

/** Compiled rules of redaction. */
export class Redaction {
  readonly #paths: readonly PathRule[];
  readonly #expressions: readonly LinearExpression[];
  readonly #now: () => number;

  constructor(paths: readonly PathRule[], expressions: readonly LinearExpression[], now: () => number) {
    this.#paths = paths;
    this.#expressions = expressions;
    this.#now = now;
  }

  /** True without rules: every message stays as it is. */
  get isEmpty(): boolean {
    return this.#paths.length === 0 && this.#expressions.length === 0;
  }

  /**
   * Redacts a text. Give it whole: a value that is cut may not be found.
   *
   * @returns the same text if no rule matches; null if that would cost too much, so that the text must be withheld
   */
  text(text: string): string | null {
    const redacted = this.#applyPaths(text);
    return redacted === null ? null : this.#applyExpressions(redacted);
  }

  /**
   * Redacts bytes: as UTF-8 if they are, else each byte as a character of Latin-1.
   *
   * @returns as {@link text}
   */
  binary(bytes: Uint8Array): Uint8Array | null {
    if (this.isEmpty) return bytes;
    const encoding = isUtf8(bytes) ? 'utf8' : 'latin1';
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(encoding);
    const redacted = this.text(text);
    if (redacted === text) return bytes;
    return redacted === null ? null : Buffer.from(redacted, encoding);
  }

  #applyPaths(text: string): string | null {
    // A name may be written with escapes.
    const hasEscapes = text.includes('\\');
    const paths = this.#paths.filter(({ names }) => hasEscapes || names.every((name) => text.includes(name)));
    if (paths.length === 0) return text;
    const json = findJson(text);
    if (json === TOO_DEEP || mayHide(text.slice(json.faultyFrom), paths)) return null;
    const steps: Steps = { left: MAX_STEPS };
    const found = new Set<JsonNode>();
    for (const root of json.roots) {
      const search = new PathSearch(root, text, steps);
      for (const { segments } of paths) {
        for (const node of search.find(segments)) found.add(node);
        if (steps.left < 0) return null;
      }
    }
    return found.size === 0 ? text : replaceNodes(text, found);
  }

  #applyExpressions(text: string): string | null {
    const deadline = this.#now() + MAX_EXPRESSION_MS;
    const mayGoOn = (): boolean => this.#now() < deadline;
    let redacted: string | null = text;
    for (const expression of this.#expressions) {
      redacted = expression.replaceAll(redacted, REDACTED, mayGoOn);
      if (redacted === null) return null;
    }
    return redacted;
  }
}

/**
 * Compiles rules: see {@link parseRedactionRule}. At most `MAX_RULES` are expected. Each is tried once, so that the first
 * message does not take the time for it.
 *
 * @param now milliseconds of a clock that never goes back
 * @throws RuleError for the first bad one
 */
export function compileRedaction(rules: readonly string[], now = (): number => performance.now()): Redaction {
  const paths: PathRule[] = [];
  const expressions: LinearExpression[] = [];
  for (const rule of rules.map(parseRedactionRule)) {
    if (rule.kind === 'expression') expressions.push(rule.expression);
    else paths.push({ segments: rule.segments, names: namesOf(rule.segments) });
  }
  const redaction = new Redaction(paths, expressions, now);
  for (const { names } of paths)
    redaction.text(JSON.stringify(Object.fromEntries(names.map((name) => [name, [{}]]))));
  for (const expression of expressions) expression.test('{"a":1}');
  return redaction;
}

/** Of both kinds, with a filter. */
const FIRST_RULES = ['$..a', '$..[?@.b == 1]', '/c[0-9]+/'];
/** A message in which each of them finds something. */
const FIRST_MESSAGE = Buffer.from('{"a":1,"x":[{"b":1,"c":"c1"}]}');

/**
 * Loads what rules need before the first tap has some, in pieces: else the first message would hold a thread for 50 ms. It
 * takes 2 MB a thread.
 *
 * @param nextTurn resolves when others have had their turn
 */
export async function loadRedaction(nextTurn: () => Promise<void>): Promise<void> {
  await loadExpressions(nextTurn);
  for (const rule of FIRST_RULES) {
    const redaction = compileRedaction([rule]);
    redaction.binary(FIRST_MESSAGE);
    await nextTurn();
  }
}

/** Returns the names that every match needs, as far as JSON writes them in one way only. */
function namesOf(segments: readonly PathSegment[]): string[] {
  const names: string[] = [];
  for (const { selectors } of segments) {
    const [selector] = selectors;
    if (selectors.length === 1 && selector?.kind === 'name' && /^[\w$. -]+$/.test(selector.name))
      names.push(selector.name);
  }
  return names;
}

/** Tells whether a text of faulty JSON may have a value of a path. It may have it before its fault, or behind. */
function mayHide(faulty: string, paths: readonly PathRule[]): boolean {
  if (faulty === '') return false;
  return ESCAPED_ASCII.test(faulty) || paths.some(({ names }) => faulty.includes(names.at(-1) ?? ''));
}

/** Replaces the values of nodes. A value inside of another goes with it. */
function replaceNodes(text: string, nodes: Iterable<JsonNode>): string {
  const ordered = [...nodes].sort((a, b) => a.start - b.start || b.end - a.end);
  let replaced = '';
  let taken = 0;
  for (const { start, end } of ordered) {
    if (start < taken) continue;
    replaced += text.slice(taken, start) + REDACTED_VALUE;
    taken = end;
  }
  return replaced + text.slice(taken);
}
