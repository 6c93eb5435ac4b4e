/** The overview: the first rows of each table, as far as they fit. */
import { cutLine, span, type Line, type Symbols } from '../terminal/line.ts';
import type { LiveModel } from './rates.ts';
import { filtered, layOut, lineCount, type Row, type Table } from './table-layout.ts';
import { clusterTable, endpointTable, errorTable, listenerTable, workerTable } from './tables.ts';

/** A head and one row. */
const MIN_LINES = 2;
/** Width of `  +99 more`. Columns do not move while the number of hidden lines changes. */
const REST_WIDTH = 10;

interface Section {
  readonly table: Table;
  readonly rows: readonly Row[];
  /** Number of lines of all rows. */
  readonly lines: number;
}

/** Returns at most `room` lines: endpoints that are not up, clusters, errors, workers, listeners. */
export function overview(
  model: LiveModel,
  filter: string,
  width: number,
  room: number,
  symbols: Symbols,
): readonly Line[] {
  const sections = [
    endpointTable(model, ({ state }) => state !== 'up'),
    clusterTable(model),
    errorTable(model),
    workerTable(model),
    listenerTable(model),
  ].flatMap((table): Section[] => {
    const rows = filtered(table.rows, filter);
    return rows.length === 0 ? [] : [{ table, rows, lines: lineCount(rows) }];
  });
  if (sections.length === 0) {
    return [cutLine([span(`nothing here has "${filter}"`, 'dim')], width, symbols)];
  }
  const fitting = sections.slice(0, Math.max(1, Math.floor(room / MIN_LINES)));
  const rooms = divide(
    fitting.map(({ lines }) => Math.min(lines, room)),
    room - fitting.length,
  );
  return fitting.flatMap((section, place) => linesOf(section, rooms[place] ?? 0, width, symbols));
}

/** Returns the head and the first lines of a section. The head ends in the number of hidden lines. */
function linesOf({ table, rows, lines }: Section, count: number, width: number, symbols: Symbols): Line[] {
  const rest = lines - count;
  const note = rest > 0 ? `  +${rest} more`.padStart(REST_WIDTH) : '';
  const { head, body } = layOut(table, rows, { width: width - note.length, symbols, sort: null, count });
  return [[...head, span(note, 'bar')], ...body];
}

/** Divides the lines among sections in turn, until none is left or every section has enough. */
function divide(wanted: readonly number[], total: number): number[] {
  const given = wanted.map(() => 0);
  let left = total;
  for (;;) {
    const before = left;
    for (const [place, want] of wanted.entries()) {
      if (left > 0 && (given[place] ?? 0) < want) {
        given[place] = (given[place] ?? 0) + 1;
        left--;
      }
    }
    if (left === before) return given;
  }
}
