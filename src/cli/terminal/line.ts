/** Lines of a terminal: texts with a style, without the codes of any terminal. */

/** What a text means. It must be clear without colours, too. */
export type Style = 'plain' | 'dim' | 'bold' | 'good' | 'warn' | 'bad' | 'bar';

export interface Span {
  readonly text: string;
  readonly style: Style;
}

export type Line = readonly Span[];

/** Characters beyond ASCII, which some terminals do not have. */
export interface Symbols {
  readonly ellipsis: string;
  readonly rising: string;
  readonly falling: string;
  /** Whether the terminal shows characters beyond ASCII at all. */
  readonly unicode: boolean;
}

const UNICODE: Symbols = { ellipsis: '…', rising: '↑', falling: '↓', unicode: true };
const ASCII: Symbols = { ellipsis: '~', rising: '^', falling: 'v', unicode: false };

/** Chooses by the locale, as POSIX has it. An unset locale counts as UTF-8: containers have none. */
export function symbolsOf(env: Readonly<Record<string, string | undefined>>): Symbols {
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((text) => text !== undefined && text !== '');
  return locale === undefined || /utf-?8/i.test(locale) ? UNICODE : ASCII;
}

export function span(text: string, style: Style = 'plain'): Span {
  return { text, style };
}

/** Cuts a text to a width, with an ellipsis for its end. Answers are printable ASCII, so a character is a column. */
export function cut(text: string, width: number, { ellipsis }: Symbols): string {
  if (text.length <= width) return text;
  return width <= 0 ? '' : text.slice(0, width - 1) + ellipsis;
}

export function lengthOf(line: Line): number {
  return line.reduce((sum, { text }) => sum + text.length, 0);
}

/** Cuts a line to a width, with an ellipsis for its end. */
export function cutLine(line: Line, width: number, symbols: Symbols): Line {
  if (lengthOf(line) <= width) return line;
  const kept: Span[] = [];
  let left = width;
  for (const { text, style } of line) {
    if (text.length >= left) {
      // The line goes on behind this text, so it needs the ellipsis even if it fits itself.
      kept.push({ text: cut(`${text} `, left, symbols), style });
      break;
    }
    kept.push({ text, style });
    left -= text.length;
  }
  return kept;
}

/** Returns a line's text without trailing spaces. */
export function plainText(line: Line): string {
  return line
    .map(({ text }) => text)
    .join('')
    .trimEnd();
}
