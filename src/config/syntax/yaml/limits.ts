import { yaml } from './package.ts';
/** Limits of a YAML text, checked before parsing. */

/** Max nesting depth of mappings and lists. The configuration itself needs 8. */
export const MAX_DEPTH = 100;
/**
 * Max words, marks, spaces and line ends. Reading takes at most 5 us for each. An endpoint with a weight has
 * 18.
 */
const MAX_TOKENS = 1_000_000;
/**
 * Max values, with aliased values counted at each use. A text without aliases stays below: a value needs two
 * tokens.
 */
export const MAX_VALUES = MAX_TOKENS / 2;
const MAX_ALIASES = 1000;

/** A fault of the text, and its offset. */
export interface YamlFault {
  readonly offset: number;
  readonly message: string;
}

/** Finds the offset at which a text exceeds a limit. Only splits the text into tokens, in linear time. */
export function findExcess(text: string): YamlFault | null {
  const depth = new Depth();
  let offset = 0;
  let tokens = 0;
  let aliases = 0;
  for (const token of new (yaml().Lexer)().lex(text)) {
    // The lexer's own marks, which have no text.
    if (token === '\u0002' || token === '\u0018' || token === '\u001f') continue;
    if (++tokens > MAX_TOKENS) {
      return {
        offset,
        message: `more than ${MAX_TOKENS} words, marks and spaces: leave out comments and defaults`,
      };
    }
    if (token.startsWith('*') && ++aliases > MAX_ALIASES) {
      return {
        offset,
        message: `more than ${MAX_ALIASES} aliases: write the values out, or share larger parts`,
      };
    }
    if (depth.after(token) > MAX_DEPTH) {
      return { offset, message: `nested more than ${MAX_DEPTH} deep: use fewer levels` };
    }
    offset += token.length;
  }
  return null;
}

/** Counts open mappings and lists. The count may be one too high for a value beside its key. */
class Depth {
  #flow = 0;
  /** Columns of open blocks, in ascending order. */
  readonly #columns: number[] = [];
  #column = 0;

  /** Takes the next token and returns the depth at its beginning. */
  after(token: string): number {
    const column = this.#column;
    const lineEnd = token.lastIndexOf('\n');
    this.#column = lineEnd < 0 ? column + token.length : token.length - lineEnd - 1;
    const first = token.charAt(0);
    if (first === '[' || first === '{') this.#flow++;
    else if (first === ']' || first === '}') this.#flow = Math.max(0, this.#flow - 1);
    else if (this.#flow === 0 && !' \t\r\n#'.includes(first)) this.#begin(column);
    return this.#flow + this.#columns.length;
  }

  #begin(column: number): void {
    while ((this.#columns.at(-1) ?? -1) > column) this.#columns.pop();
    if (this.#columns.at(-1) !== column) this.#columns.push(column);
  }
}
