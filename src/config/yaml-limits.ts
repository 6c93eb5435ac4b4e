/** What a text in YAML may ask of the parser. */
import { Lexer } from 'yaml';

/** A mapping or list inside a mapping or list, and so on; the configuration itself needs 8. */
export const MAX_DEPTH = 100;
/** Words, marks, spaces and line ends. Parsing takes 5 us for each; an endpoint on a line of its own has 15. */
export const MAX_TOKENS = 250_000;
const MAX_ALIASES = 1000;

/** Something wrong with the text, and where it begins. */
export interface YamlFault {
  readonly offset: number;
  readonly message: string;
}

/**
 * Finds where a text goes beyond a limit. Only splits the text into tokens, in linear time, so that the parser need not
 * see what would keep it busy.
 */
export function findExcess(text: string): YamlFault | null {
  const depth = new Depth();
  let offset = 0;
  let tokens = 0;
  let aliases = 0;
  for (const token of new Lexer().lex(text)) {
    // Marks of the lexer's own, which stand for no text.
    if (token === '\u0002' || token === '\u0018' || token === '\u001f') continue;
    if (++tokens > MAX_TOKENS) {
      return { offset, message: `more than ${MAX_TOKENS} words and marks: split the configuration` };
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

/** How many mappings and lists are open; may be one too many for a value beside its key. */
class Depth {
  #flow = 0;
  /** Columns at which blocks have begun, each deeper than the one before. */
  readonly #columns: number[] = [];
  #column = 0;

  /** Takes the next token, and returns the depth at its beginning. */
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
