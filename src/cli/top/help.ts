/** The help screen of `sluice top`. */
import { cutLine, span, type Line, type Symbols } from '../terminal/line.ts';

const KEYS: readonly (readonly [string, string])[] = [
  ['1 to 7, Tab', 'choose the table, as left and right do'],
  ['up, down, j, k', 'scroll by a line'],
  ['PgUp, PgDn', 'scroll by a screen; Home and End go to the ends'],
  ['s, >', 'sort by the next column'],
  ['<', 'sort by the previous column'],
  ['S', 'reverse the order'],
  ['/', 'show only rows with a text; Esc shows all again'],
  ['space', 'pause; again to continue'],
  ['Ctrl-L', 'draw the screen again'],
  ['Ctrl-Z', 'stop until fg'],
  ['q, Ctrl-C', 'quit'],
];

const COLUMN = 16;

/** Returns one line per key. */
export function helpLines(width: number, symbols: Symbols): readonly Line[] {
  return KEYS.map(([keys, what]) =>
    cutLine([span(` ${keys.padEnd(COLUMN)}`, 'bold'), span(what)], width, symbols),
  );
}
