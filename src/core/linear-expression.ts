/** Users' regular expressions, which match any text in linear time. */
import { createRequire } from 'node:module';
import type * as Re2 from 're2js';
import { messageOf } from './errors.ts';

/** Max size of a compiled expression. Each character of a text takes at most one step per instruction. */
const MAX_INSTRUCTIONS = 1000;
/** Max length of a source. Compiling a longer one could take a second before its size is known. */
const MAX_SOURCE_CHARACTERS = 2048;
/** Max memory of an expression's automaton, which texts fill with states. re2js defaults to 8 MiB. */
const MAX_STATE_BYTES = 1024 * 1024;

const SYNTAX = 'write RE2 syntax (https://github.com/google/re2/wiki/Syntax)';
/** Syntax that RE2 lacks because it cannot run in linear time, by the start of the refused part. */
const UNSUPPORTED = [
  [/^\(\?<?[=!]/, 'lookaround cannot run in linear time', 'write several expressions without it'],
  [/^\\[1-9k]/, 'a backreference cannot run in linear time', 'write the alternatives out'],
  [/^\(\?>/, 'atomic groups are not supported', 'write (?:...)'],
] as const;

/** An invalid expression, and the remedy. The message never contains the expression. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
}

/** The inner part of re2js whose fields {@link limitMemory} sets. */
type Program = ReturnType<Re2.RE2JS['re2']>;

/** Result of a re2js search: start and end of the match, or null. */
type Found = [isFound: boolean, bounds: readonly [number, number] | null];

/** `RE2Flags.UNANCHORED`, which re2js does not export. */
const UNANCHORED = 0;

let loaded: typeof Re2 | null = null;

/** Expressions whose compilation runs most of re2js, and builds its character tables. */
const WARM_UP_SOURCES = ['^/a/([a-z]+)/(.*)$', '(?i)^\\p{L}'];

/** Loads re2js with the first expression: it takes 2 MB per thread, and few configurations need it. */
function re2js(): typeof Re2 {
  return (loaded ??= createRequire(import.meta.url)('re2js') as typeof Re2);
}

/**
 * Loads what expressions need, in small steps, before the first one is created. Otherwise the first
 * expression would block its thread for 50 ms.
 *
 * @param nextTurn resolves after other work had its turn
 */
export async function loadExpressions(nextTurn: () => Promise<void>): Promise<void> {
  if (loaded !== null) return;
  re2js();
  for (const source of WARM_UP_SOURCES) {
    await nextTurn();
    new LinearExpression(source).test('/a/b/c');
  }
  await nextTurn();
}

/**
 * A compiled regular expression in RE2 syntax. It matches like a JavaScript expression, but has neither
 * backreferences nor lookaround. It is not anchored, and case-sensitive without `(?i)`. A group inside a
 * repetition keeps its last match, while JavaScript clears it in each round.
 */
export class LinearExpression {
  readonly source: string;
  readonly groupCount: number;
  readonly #program: Program;

  /** @throws ExpressionError if the source cannot be compiled or is too large */
  constructor(source: string) {
    if (source.length > MAX_SOURCE_CHARACTERS) {
      throw new ExpressionError(
        `${source.length} characters exceed the max of ${MAX_SOURCE_CHARACTERS}: split it over routes`,
      );
    }
    const compiled = compile(source);
    const size = compiled.programSize();
    if (size > MAX_INSTRUCTIONS) {
      throw new ExpressionError(
        `its ${size} instructions exceed the max of ${MAX_INSTRUCTIONS}: ` +
          'repeat less, or split it over routes',
      );
    }
    this.source = source;
    this.groupCount = compiled.groupCount();
    this.#program = compiled.re2();
    limitMemory(this.#program);
  }

  /** Reports whether any part of the text matches. */
  test(text: string): boolean {
    return this.#program.match(text);
  }

  /** Returns the groups of the first match, empty for unused groups; null without a match. */
  groups(text: string): string[] | null {
    // Pairs of start and end: the match, then each group, with -1 for unused groups.
    const found = this.#program.findSubmatchIndex(text) as readonly number[] | null;
    if (found === null) return null;
    return Array.from({ length: this.groupCount }, (_, index) => {
      const start = found[2 * index + 2] ?? -1;
      return start < 0 ? '' : text.slice(start, found[2 * index + 3]);
    });
  }

  /**
   * Replaces every non-empty match.
   *
   * @param mayContinue called before each search; returns false to stop. A search takes linear time, and
   * there may be as many as characters
   * @returns the same text if nothing matches; null if stopped
   */
  replaceAll(text: string, by: string, mayContinue: () => boolean): string | null {
    if (!this.test(text)) return text;
    let replaced = '';
    let taken = 0;
    let at = 0;
    while (at < text.length) {
      if (!mayContinue()) return null;
      const [, bounds] = this.#program.matchWithGroup(text, at, text.length, UNANCHORED, 1) as Found;
      if (bounds === null) break;
      const [start, end] = bounds;
      if (end > start) {
        replaced += text.slice(taken, start) + by;
        taken = end;
        at = end;
      } else {
        // A search must not start at the second half of a surrogate pair.
        at = end + (text.codePointAt(end)! > 0xffff ? 2 : 1);
      }
    }
    return taken === 0 ? text : replaced + text.slice(taken);
  }
}

function compile(source: string): Re2.RE2JS {
  const { RE2JS, RE2JSException } = re2js();
  try {
    return RE2JS.compile(source);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    throw new ExpressionError(explain(error), { cause: error });
  }
}

function explain(error: Re2.RE2JSException): string {
  if (!(error instanceof re2js().RE2JSSyntaxException)) return `${messageOf(error)}: ${SYNTAX}`;
  const part = error.getPattern() ?? '';
  for (const [beginning, fault, remedy] of UNSUPPORTED) {
    if (beginning.test(part)) return `${fault}: ${remedy}`;
  }
  const place =
    part === '' ? '' : ` at ${JSON.stringify(part.length > 40 ? `${part.slice(0, 40)}...` : part)}`;
  return `${error.getDescription()}${place}: ${SYNTAX}`;
}

/**
 * Limits the automaton's states. Also disables re2js's special matcher for simple expressions, which takes
 * four times as long as the automaton. re2js 2.10.0 has no setting for either.
 */
function limitMemory(program: Program): void {
  const { dfa } = program;
  dfa.stateBudget = MAX_STATE_BYTES;
  dfa.memBudget = MAX_STATE_BYTES;
  (program as { onepass: unknown }).onepass = null;
}
