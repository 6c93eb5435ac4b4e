/** Draws lines on a terminal. Only changed rows are sent. */
import { lengthOf, type Line, type Style } from './line.ts';

const ESC = '\u001b[';
const RESET = `${ESC}0m`;
/** Attributes that work without colours. */
const PLAIN_CODES: Readonly<Record<Style, string>> = {
  plain: '',
  dim: '',
  bold: '1',
  good: '',
  warn: '1',
  bad: '1',
  bar: '7',
};
const COLOUR_CODES: Readonly<Record<Style, string>> = {
  ...PLAIN_CODES,
  dim: '2',
  good: '32',
  warn: '33',
  bad: '1;31',
};
/** C0, DEL and C1. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;

/** Remembers the contents of a terminal. */
export class Screen {
  readonly #codes: Readonly<Record<Style, string>>;
  #rows: readonly string[] = [];
  #width = 0;

  /** @param colours whether colours are allowed (https://no-color.org) */
  constructor(colours: boolean) {
    this.#codes = colours ? COLOUR_CODES : PLAIN_CODES;
  }

  /** Forgets the contents. The next update draws every line. */
  forget(): void {
    this.#rows = [];
    this.#width = 0;
  }

  /** Returns the output that shows the lines. Empty if they are already shown. */
  update(lines: readonly Line[], width: number): string {
    const all = this.#rows.length !== lines.length || this.#width !== width;
    const rows = lines.map((line) => this.#encode(line));
    const changes = rows.map((row, index) => {
      if (!all && row === this.#rows[index]) return '';
      // A row is cleared after its text. Clearing it first would flicker.
      return `${ESC}${index + 1};1H${row}${lengthOf(lines[index] ?? []) < width ? `${ESC}K` : ''}`;
    });
    this.#rows = rows;
    this.#width = width;
    return changes.join('');
  }

  #encode(line: Line): string {
    return line
      .map(({ text, style }) => {
        const code = this.#codes[style];
        const safe = text.replace(CONTROL, ' ');
        return code === '' ? safe : `${ESC}${code}m${safe}${RESET}`;
      })
      .join('');
  }
}
