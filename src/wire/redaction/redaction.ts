/** Applies redaction rules to messages. Bytes that no rule matches are unchanged. */
import { isUtf8 } from 'node:buffer';
import type { PathSegment } from '../../core/redaction/json-path.ts';
import { parseRedactionRule } from '../../core/redaction/redaction-rule.ts';
import { loadExpressions, type LinearExpression } from '../../core/linear-expression.ts';
import { TOO_DEEP, findJson, type JsonNode } from './json-tree.ts';
import { PathSearch, type SearchBudget } from './path-search.ts';

/** Replaces whatever an expression matches. */
export const REDACTED = '[redacted]';
const REDACTED_VALUE = JSON.stringify(REDACTED);

/** Max values that all paths visit in one message. 64 KiB hold at most 32,768 values. */
const MAX_STEPS = 500_000;
/** Max time for the expressions in one message, because sessions wait for it. */
const MAX_EXPRESSION_MS = 30;

/** Escapes that can hide a name of letters from a text search. */
const ESCAPED_ASCII = /\\u00[2-7]/;

/** A path, and the names that a text must contain for the path to match. */
interface PathRule {
  readonly segments: readonly PathSegment[];
  readonly names: readonly string[];
}

/** Compiled redaction rules. */
export class Redaction {
  readonly #paths: readonly PathRule[];
  readonly #expressions: readonly LinearExpression[];
  readonly #now: () => number;

  constructor(paths: readonly PathRule[], expressions: readonly LinearExpression[], now: () => number) {
    this.#paths = paths;
    this.#expressions = expressions;
    this.#now = now;
  }

  /** Whether there are no rules, so that every message stays unchanged. */
  get isEmpty(): boolean {
    return this.#paths.length === 0 && this.#expressions.length === 0;
  }

  /**
   * Redacts a text. The text must be complete: a rule may miss a truncated value.
   *
   * @returns the same text if no rule matches; null if redaction would cost too much, so that the text must
   * be withheld
   */
  redactText(text: string): string | null {
    const redacted = this.#applyPaths(text);
    return redacted === null ? null : this.#applyExpressions(redacted);
  }

  /**
   * Redacts bytes: as UTF-8 if valid, otherwise as Latin-1.
   *
   * @returns as for {@link redactText}
   */
  redactBytes(bytes: Uint8Array): Uint8Array | null {
    if (this.isEmpty) return bytes;
    const encoding = isUtf8(bytes) ? 'utf8' : 'latin1';
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(encoding);
    const redacted = this.redactText(text);
    if (redacted === text) return bytes;
    return redacted === null ? null : Buffer.from(redacted, encoding);
  }

  #applyPaths(text: string): string | null {
    // With escapes, a name may be spelled differently.
    const hasEscapes = text.includes('\\');
    const paths = this.#paths.filter(({ names }) => hasEscapes || names.every((name) => text.includes(name)));
    if (paths.length === 0) return text;
    const json = findJson(text);
    if (json === TOO_DEEP || mayHide(text.slice(json.faultyFrom), paths)) return null;
    const steps: SearchBudget = { left: MAX_STEPS };
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
    const mayContinue = (): boolean => this.#now() < deadline;
    let redacted: string | null = text;
    for (const expression of this.#expressions) {
      redacted = expression.replaceAll(redacted, REDACTED, mayContinue);
      if (redacted === null) return null;
    }
    return redacted;
  }
}

/**
 * Compiles rules: see {@link parseRedactionRule}. Expects at most `MAX_RULES`. Runs each rule once, so that
 * the first message does not pay for its compilation.
 *
 * @param now monotonic clock in milliseconds
 * @throws RuleError for the first invalid rule
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
    redaction.redactText(JSON.stringify(Object.fromEntries(names.map((name) => [name, [{}]]))));
  for (const expression of expressions) expression.test('{"a":1}');
  return redaction;
}

/** Rules of both kinds, one with a filter. */
const WARM_UP_RULES = ['$..a', '$..[?@.b == 1]', '/c[0-9]+/'];
/** A message in which each of these rules finds something. */
const WARM_UP_MESSAGE = Buffer.from('{"a":1,"x":[{"b":1,"c":"c1"}]}');

/**
 * Loads what rules need, in small steps, before the first tap has any. Otherwise the first message would
 * block a thread for 50 ms. Takes 2 MB per thread.
 *
 * @param nextTurn resolves after other work had its turn
 */
export async function loadRedaction(nextTurn: () => Promise<void>): Promise<void> {
  await loadExpressions(nextTurn);
  for (const rule of WARM_UP_RULES) {
    const redaction = compileRedaction([rule]);
    redaction.redactBytes(WARM_UP_MESSAGE);
    await nextTurn();
  }
}

/** Returns the names that every match contains, limited to names that JSON spells in only one way. */
function namesOf(segments: readonly PathSegment[]): string[] {
  const names: string[] = [];
  for (const { selectors } of segments) {
    const [selector] = selectors;
    if (selectors.length === 1 && selector?.kind === 'name' && /^[\w$. -]+$/.test(selector.name))
      names.push(selector.name);
  }
  return names;
}

/** Reports whether malformed JSON may contain a value of a path, before or after its fault. */
function mayHide(faulty: string, paths: readonly PathRule[]): boolean {
  if (faulty === '') return false;
  return ESCAPED_ASCII.test(faulty) || paths.some(({ names }) => faulty.includes(names.at(-1) ?? ''));
}

/** Replaces the values of nodes. A value inside another is replaced with it. */
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
