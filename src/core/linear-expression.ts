/** Regular expressions that users write: each runs in time linear in its text, whatever the text is. */
import { RE2JS, RE2JSException, RE2JSSyntaxException } from 're2js';
import { messageOf } from './errors.ts';

/** Each character of a text costs at most one step for each instruction. */
const MAX_INSTRUCTIONS = 1000;
/** Compiling a longer source could take a second before its size is known. */
const MAX_SOURCE_CHARACTERS = 2048;
/** Memory of one expression's automaton, which texts fill with states. Its default is 8 MiB. */
const MAX_STATE_BYTES = 1024 * 1024;

const SYNTAX = 'write RE2 syntax (https://github.com/google/re2/wiki/Syntax)';
/** What RE2 leaves out because it cannot run in linear time, by how the refused part begins. */
const LEFT_OUT = [
  [/^\(\?<?[=!]/, 'lookaround cannot run in linear time', 'write two routes, the exception first'],
  [/^\\[1-9k]/, 'a backreference cannot run in linear time', 'write the alternatives out'],
  [/^\(\?>/, 'atomic groups are not needed in linear time', 'write (?:...)'],
] as const;

/** What is wrong with an expression, and the remedy; the expression itself is not named. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
}

/** The part of re2js below its own surface that {@link limitMemory} sets; tsc checks the numbers against its types. */
type Program = ReturnType<RE2JS['re2']>;

/**
 * A compiled regular expression in RE2 syntax: the same text matches as with JavaScript's, without backreferences and
 * lookaround. It is not anchored, and is case-sensitive unless it says `(?i)`.
 *
 * One difference remains: a group inside a repetition keeps its last match, where JavaScript empties it each round.
 */
export class LinearExpression {
  readonly source: string;
  readonly groupCount: number;
  readonly #program: Program;

  /** @throws ExpressionError for a source that cannot be compiled or is too large */
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

  /** Whether any part of the text matches. */
  test(text: string): boolean {
    return this.#program.match(text);
  }

  /** What each group of the first match holds, empty for a group without a part in it; null without a match. */
  groups(text: string): string[] | null {
    // Pairs of start and end: first the match's, then each group's, -1 for a group without a part.
    const found = this.#program.findSubmatchIndex(text) as readonly number[] | null;
    if (found === null) return null;
    return Array.from({ length: this.groupCount }, (_, index) => {
      const start = found[2 * index + 2] ?? -1;
      return start < 0 ? '' : text.slice(start, found[2 * index + 3]);
    });
  }
}

function compile(source: string): RE2JS {
  try {
    return RE2JS.compile(source);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    throw new ExpressionError(explain(error), { cause: error });
  }
}

function explain(error: RE2JSException): string {
  if (!(error instanceof RE2JSSyntaxException)) return `${messageOf(error)}: ${SYNTAX}`;
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
