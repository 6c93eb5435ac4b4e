/** Fits tables into a width: columns disappear or shrink, rows are sorted and filtered. */
import { cut, cutLine, span, type Line, type Span, type Style, type Symbols } from '../terminal/line.ts';

export interface Column {
  readonly head: string;
  readonly align: 'left' | 'right';
  /** Columns of the highest rank disappear first if room is short. Columns of rank 0 stay. */
  readonly rank: number;
  /** Min width, if longer cells may be cut. Absent if cells must stay whole. */
  readonly min?: number;
}

export interface Cell {
  readonly text: string;
  /** The sort key of the row; the text if absent. Null sorts last. */
  readonly order?: number | null;
  readonly style?: Style;
}

export interface Row {
  readonly cells: readonly Cell[];
  /** The reason for the row's state, shown on a separate line below the row. */
  readonly note?: string;
}

export interface Table {
  /** Text for a table without rows, such as `no endpoints`. */
  readonly empty: string;
  readonly columns: readonly Column[];
  /** In the default order. */
  readonly rows: readonly Row[];
}

export interface Sort {
  /** Index of the column. */
  readonly column: number;
  readonly falling: boolean;
}

interface Layout {
  readonly width: number;
  readonly symbols: Symbols;
  readonly sort: Sort | null;
  readonly first?: number;
  readonly count?: number;
}

const GAP = '  ';
/** Numbers have at most 5 characters. Columns of this width do not move when a number grows. */
const NUMBER_WIDTH = 5;
const NOTE_INDENT = '  ';

/** Returns the rows in an order. Null keeps the default order. */
export function sorted({ rows, columns }: Table, sort: Sort | null): readonly Row[] {
  if (sort === null || sort.column >= columns.length) return rows;
  const sign = sort.falling ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [first, second] = [a.cells[sort.column], b.cells[sort.column]];
    if (first === undefined || second === undefined) return 0;
    const [x, y] = [first.order, second.order];
    if (x === undefined || y === undefined) {
      return sign * (first.text < second.text ? -1 : first.text > second.text ? 1 : 0);
    }
    if (x === null || y === null) return (x === null ? 1 : 0) - (y === null ? 1 : 0);
    return sign * (x - y);
  });
}

/** Returns the rows with a text in a cell or the note, ignoring case. */
export function filtered(rows: readonly Row[], filter: string): readonly Row[] {
  if (filter === '') return rows;
  const wanted = filter.toLowerCase();
  return rows.filter(({ cells, note = '' }) =>
    [...cells.map(({ text }) => text), note].some((text) => text.toLowerCase().includes(wanted)),
  );
}

/** Returns the number of lines of the rows and their notes. */
export function lineCount(rows: readonly Row[]): number {
  return rows.reduce((sum, row) => sum + linesOf(row), 0);
}

/**
 * Formats rows for a width. Column widths do not depend on the visible window of the rows.
 *
 * @param width characters per line; Infinity cuts nothing
 * @param sort order to mark in the head
 * @param first number of lines above the window
 * @param count max lines of the window. Rows outside it cost little, even thousands.
 */
export function layOut(
  { columns }: Table,
  rows: readonly Row[],
  { width, symbols, sort, first = 0, count = Infinity }: Layout,
): { readonly head: Line; readonly body: readonly Line[] } {
  const heads = columns.map(({ head }, index) =>
    sort?.column === index ? head + (sort.falling ? symbols.falling : symbols.rising) : head,
  );
  const natural = naturalWidths(columns, heads, rows);
  const widths = fitWidths(columns, natural, width, sort?.column ?? null);
  const shown = [...widths.keys()];
  const padded = (text: string, index: number): string =>
    pad(text, columns[index], widths.get(index) ?? 0, symbols);
  const body: Line[] = [];
  let place = 0;
  for (const row of rows) {
    if (place >= first + count) break;
    if (place + linesOf(row) > first) {
      const spans = shown.flatMap((index, column): Span[] => {
        const { text = '', style = 'plain' } = row.cells[index] ?? {};
        const cell = span(padded(text, index), style);
        return column === 0 ? [cell] : [span(GAP), cell];
      });
      body.push(cutLine(spans, width, symbols));
      if (linesOf(row) > 1) body.push([span(cut(`${NOTE_INDENT}${row.note ?? ''}`, width, symbols), 'warn')]);
      // The window may start between a row and its note.
      if (place < first) body.shift();
    }
    place += linesOf(row);
  }
  const text = cut(shown.map((index) => padded(heads[index] ?? '', index)).join(GAP), width, symbols);
  const head = [span(Number.isFinite(width) ? text.padEnd(width) : text, 'bar')];
  return { head, body: body.slice(0, count) };
}

function linesOf({ note = '' }: Row): number {
  return note === '' ? 1 : 2;
}

function naturalWidths(columns: readonly Column[], heads: readonly string[], rows: readonly Row[]): number[] {
  return columns.map(({ align }, index) => {
    const least = Math.max(heads[index]?.length ?? 0, align === 'right' ? NUMBER_WIDTH : 0);
    return rows.reduce((widest, { cells }) => Math.max(widest, cells[index]?.text.length ?? 0), least);
  });
}

/** Returns the width of each column that fits, by column index. */
function fitWidths(
  columns: readonly Column[],
  natural: readonly number[],
  width: number,
  kept: number | null,
): Map<number, number> {
  const widths = new Map(natural.map((each, index) => [index, each]));
  const least = (index: number): number =>
    Math.min(natural[index] ?? 0, columns[index]?.min ?? natural[index] ?? 0);
  const needed = (of: (index: number) => number): number =>
    [...widths.keys()].reduce((sum, index) => sum + of(index), GAP.length * (widths.size - 1));
  while (needed(least) > width) {
    const rank = (index: number): number => (index === kept ? 0 : (columns[index]?.rank ?? 0));
    const last = [...widths.keys()].reduce((a, b) => (rank(b) >= rank(a) ? b : a));
    if (rank(last) === 0) break;
    widths.delete(last);
  }
  for (let excess = needed((index) => widths.get(index) ?? 0) - width; excess > 0; excess--) {
    const roomOf = (index: number): number => (widths.get(index) ?? 0) - least(index);
    // The widest column shrinks first, so that short names stay whole.
    const giving = [...widths.keys()].filter((index) => roomOf(index) > 0);
    if (giving.length === 0) break;
    const widest = giving.reduce((a, b) => ((widths.get(b) ?? 0) > (widths.get(a) ?? 0) ? b : a));
    widths.set(widest, (widths.get(widest) ?? 0) - 1);
  }
  return widths;
}

function pad(text: string, column: Column | undefined, width: number, symbols: Symbols): string {
  const short = cut(text, width, symbols);
  return column?.align === 'right' ? short.padStart(width) : short.padEnd(width);
}
