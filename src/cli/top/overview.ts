/** The overview: the first rows of each table, as far as they fit. */
import { cutLine, span, type Line, type Symbols } from '../terminal/line.ts';
import type { LiveModel } from './rates.ts';
import { filtered, layOut, lineCount, type Table } from './table-layout.ts';
import { clusterTable, endpointTable, errorTable, listenerTable, workerTable } from './tables.ts';

/** A head and one row. */
const MIN_LINES = 2;

interface Section {
  readonly head: Line;
  /** The lines that could fit at most. */
  readonly body: readonly Line[];
  /** Number of all lines. */
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
  ].flatMap((table) => sectionOf(table, filter, width, room, symbols));
  if (sections.length === 0) {
    return [cutLine([span(`nothing here has "${filter}"`, 'dim')], width, symbols)];
  }
  const fitting = sections.slice(0, Math.max(1, Math.floor(room / MIN_LINES)));
  const rooms = divide(
    fitting.map(({ body }) => body.length),
    room - fitting.length,
  );
  return fitting.flatMap(({ head, body, lines }, place) => {
    const given = rooms[place] ?? 0;
    return [given < lines ? withRest(head, lines - given, width) : head, ...body.slice(0, given)];
  });
}

function sectionOf(table: Table, filter: string, width: number, room: number, symbols: Symbols): Section[] {
  const rows = filtered(table.rows, filter);
  if (rows.length === 0) return [];
  return [{ ...layOut(table, rows, { width, symbols, sort: null, count: room }), lines: lineCount(rows) }];
}

/** Writes the number of hidden lines at the end of the head, over the last columns. */
function withRest(head: Line, rest: number, width: number): Line {
  const note = ` +${rest} more`;
  const room = width - note.length;
  const whole = head.map(({ text }) => text).join('');
  const text = whole[room] === ' ' ? whole.slice(0, room) : whole.slice(0, room).replace(/\S+$/, '');
  return [span(text.padEnd(room) + note, 'bar')];
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
