/** Lines of styled text, without the control codes of a terminal. */

/** The meaning of a text. It must be clear without colours too. */
export type Style = 'plain' | 'dim' | 'bold' | 'good' | 'warn' | 'bad' | 'bar';

export interface Span {
  readonly text: string;
  readonly style: Style;
}

export type Line = readonly Span[];

/** Symbols beyond ASCII, with fallbacks for terminals that lack them. */
export interface Symbols {
  readonly ellipsis: string;
  readonly rising: string;
  readonly falling: string;
  /** Whether the terminal shows characters beyond ASCII. */
  readonly unicode: boolean;
}

const UNICODE: Symbols = { ellipsis: '…', rising: '↑', falling: '↓', unicode: true };
const ASCII: Symbols = { ellipsis: '~', rising: '^', falling: 'v', unicode: false };

/** Chooses symbols by the POSIX locale variables. No locale counts as UTF-8, because containers set none. */
export function symbolsOf(env: Readonly<Record<string, string | undefined>>): Symbols {
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((text) => text !== undefined && text !== '');
  return locale === undefined || /utf-?8/i.test(locale) ? UNICODE : ASCII;
}

export function span(text: string, style: Style = 'plain'): Span {
  return { text, style };
}

/**
 * Cuts a text to a width and marks the cut with an ellipsis. Answers are printable ASCII, so a character is a
 * column.
 */
export function cut(text: string, width: number, { ellipsis }: Symbols): string {
  if (text.length <= width) return text;
  return width <= 0 ? '' : text.slice(0, width - 1) + ellipsis;
}

export function lengthOf(line: Line): number {
  return line.reduce((sum, { text }) => sum + text.length, 0);
}

/** Cuts a line to a width and marks the cut with an ellipsis. */
export function cutLine(line: Line, width: number, symbols: Symbols): Line {
  if (lengthOf(line) <= width) return line;
  const kept: Span[] = [];
  let left = width;
  for (const { text, style } of line) {
    if (text.length >= left) {
      // More text follows, so the ellipsis is needed even if this text fits.
      kept.push({ text: cut(`${text} `, left, symbols), style });
      break;
    }
    kept.push({ text, style });
    left -= text.length;
  }
  return kept;
}

/** Returns the text of a line without trailing spaces. */
export function plainText(line: Line): string {
  return line
    .map(({ text }) => text)
    .join('')
    .trimEnd();
}
