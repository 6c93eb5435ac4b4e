/** Regular expressions of users. Each takes time linear in the length of any text. */
import { createRequire } from 'node:module';
import type * as Re2 from 're2js';
import { messageOf } from './errors.ts';

/** Max size of a compiled expression. A character of a text takes at most one step for each instruction. */
const MAX_INSTRUCTIONS = 1000;
/** Max length of a source. Compiling a longer one could take a second before its size is known. */
const MAX_SOURCE_CHARACTERS = 2048;
/** Max memory of one expression's automaton, which texts fill with states. The default of re2js is 8 MiB. */
const MAX_STATE_BYTES = 1024 * 1024;

const SYNTAX = 'write RE2 syntax (https://github.com/google/re2/wiki/Syntax)';
/** Syntax that RE2 does not have because it cannot run in linear time, by the start of the refused part. */
const LEFT_OUT = [
  [/^\(\?<?[=!]/, 'lookaround cannot run in linear time', 'write several expressions without it'],
  [/^\\[1-9k]/, 'a backreference cannot run in linear time', 'write the alternatives out'],
  [/^\(\?>/, 'atomic groups are not needed in linear time', 'write (?:...)'],
] as const;

/** The fault of an expression, and the remedy. The message does not contain the expression. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
}

/** The inner part of re2js whose fields {@link limitMemory} sets. */
type Program = ReturnType<Re2.RE2JS['re2']>;

/** What re2js says of a search: the match's start and end, or null. */
type Found = [isFound: boolean, bounds: readonly [number, number] | null];

/** `RE2Flags.UNANCHORED`, which re2js does not export. */
const UNANCHORED = 0;

let loaded: typeof Re2 | null = null;

/** Expressions whose compilation runs most of re2js, and builds its tables of characters. */
const FIRST = ['^/a/([a-z]+)/(.*)$', '(?i)^\\p{L}'];

/** Loads re2js with the first expression: it takes 2 MB a thread, and most configurations have no expression. */
function re2js(): typeof Re2 {
  return (loaded ??= createRequire(import.meta.url)('re2js') as typeof Re2);
}

/**
 * Loads what expressions need before the first one is made, in pieces. Altogether this holds a thread for 50 ms, and the first
 * expression of a thread would do it at once.
 *
 * @param nextTurn resolves when others have had their turn
 */
export async function loadExpressions(nextTurn: () => Promise<void>): Promise<void> {
  if (loaded !== null) return;
  re2js();
  for (const source of FIRST) {
    await nextTurn();
    new LinearExpression(source).test('/a/b/c');
  }
  await nextTurn();
}

/**
 * A compiled regular expression in RE2 syntax. It matches like JavaScript's, but has neither backreferences nor
 * lookaround. It is not anchored, and is case-sensitive without `(?i)`. A group inside a repetition keeps its last
 * match, while JavaScript clears it in each round.
 */
export class LinearExpression {
  readonly source: string;
  readonly groupCount: number;
  readonly #program: Program;

  /** @throws ExpressionError if the source cannot be compiled or is too large */
  constructor(source: string) {
    if (source.length > MAX_SOURCE_CHARACTERS) {
      throw new ExpressionError(
        `it has ${source.length} characters, and ${MAX_SOURCE_CHARACTERS} are allowed: split it over routes`,
      );
    }
    const compiled = compile(source);
    const size = compiled.programSize();
    if (size > MAX_INSTRUCTIONS) {
      throw new ExpressionError(
        `it compiles to ${size} instructions, and ${MAX_INSTRUCTIONS} are allowed: ` +
          'repeat less, or split it over routes',
      );
    }
    this.source = source;
    this.groupCount = compiled.groupCount();
    this.#program = compiled.re2();
    limitMemory(this.#program);
  }

  /** Tells whether any part of the text matches. */
  test(text: string): boolean {
    return this.#program.match(text);
  }

  /** Returns the groups of the first match, empty for a group that took no part; null without a match. */
  groups(text: string): string[] | null {
    // Pairs of start and end: first the match's, then each group's, -1 for a group without a part.
    const found = this.#program.findSubmatchIndex(text) as readonly number[] | null;
    if (found === null) return null;
    return Array.from({ length: this.groupCount }, (_, index) => {
      const start = found[2 * index + 2] ?? -1;
      return start < 0 ? '' : text.slice(start, found[2 * index + 3]);
    });
  }

  /**
   * Replaces every match that has a character.
   *
   * @param mayGoOn asked before each search: a search takes time in proportion to the text, and there may be as many as
   * characters
   * @returns the same text if nothing matches; null if it may not go on
   */
  replaceAll(text: string, by: string, mayGoOn: () => boolean): string | null {
    if (!this.test(text)) return text;
    let replaced = '';
    let taken = 0;
    let at = 0;
    while (at < text.length) {
      if (!mayGoOn()) return null;
      const [, bounds] = this.#program.matchWithGroup(text, at, text.length, UNANCHORED, 1) as Found;
      if (bounds === null) break;
      const [start, end] = bounds;
      if (end > start) {
        replaced += text.slice(taken, start) + by;
        taken = end;
        at = end;
      } else {
        // The second half of a surrogate pair is no place for a search.
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
  for (const [beginning, fault, remedy] of LEFT_OUT) {
    if (beginning.test(part)) return `${fault}: ${remedy}`;
  }
  const place =
    part === '' ? '' : ` at ${JSON.stringify(part.length > 40 ? `${part.slice(0, 40)}...` : part)}`;
  return `${error.getDescription()}${place}: ${SYNTAX}`;
}

/**
 * Bounds the automaton's states, and prefers the automaton to re2js's matcher for simple expressions, which takes four
 * times as long. re2js 2.10.0 has no setting for either.
 */
function limitMemory(program: Program): void {
  const { dfa } = program;
  dfa.stateBudget = MAX_STATE_BYTES;
  dfa.memBudget = MAX_STATE_BYTES;
  (program as { onepass: unknown }).onepass = null;
}
