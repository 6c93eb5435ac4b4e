/** The whole screen: the state of the proxy and the user's choices. */
import type { EventLog } from './event-table.ts';
import { eventTable } from './event-table.ts';
import { alertLine, titleLine, totalLines, type Notices } from './header.ts';
import { helpLines } from './help.ts';
import { cutLine, span, type Line, type Span, type Symbols } from '../terminal/line.ts';
import { overview } from './overview.ts';
import type { LiveModel } from './rates.ts';
import { VIEWS, type Shown, type TopState, type ViewName } from './state.ts';
import { filtered, layOut, lineCount, sorted, type Table } from './table-layout.ts';
import { clusterTable, endpointTable, errorTable, listenerTable, workerTable } from './tables.ts';

const MIN_WIDTH = 60;
const MIN_HEIGHT = 14;
/** Min width at which the view names fit unabbreviated. */
const WIDE_TABS = 76;
const SHORT_NAMES: Readonly<Record<ViewName, string>> = {
  all: 'all',
  clusters: 'clust',
  endpoints: 'endp',
  workers: 'work',
  errors: 'errs',
  listeners: 'listen',
  events: 'events',
};

export interface Content {
  readonly model: LiveModel;
  readonly events: EventLog;
  readonly state: TopState;
  readonly notices: Notices;
  readonly symbols: Symbols;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Draws a screen.
 *
 * @returns exactly as many lines as the screen has, none wider than it, and the facts that keys depend on
 */
export function draw(
  content: Content,
  size: Size,
): { readonly lines: readonly Line[]; readonly shown: Shown } {
  const { width, height } = size;
  if (width < MIN_WIDTH || height < MIN_HEIGHT) {
    const text = `sluice top needs ${MIN_WIDTH}x${MIN_HEIGHT}, this is ${width}x${height} (q quits)`;
    const line = cutLine([span(text)], width, content.symbols);
    return { lines: filled([line], height), shown: { lines: 0, room: 0, numeric: [] } };
  }
  const { model, notices, symbols, state } = content;
  if (state.help) {
    const text = [titleLine(model, notices, width, symbols), [], ...helpLines(width, symbols)];
    const end = [span('any key goes back, q quits', 'dim')];
    return { lines: [...filled(text, height - 1), end], shown: { lines: 0, room: 0, numeric: [] } };
  }
  const top = [
    titleLine(model, notices, width, symbols),
    ...totalLines(model, width, symbols),
    alertLine(model, notices, width, symbols),
    tabLine(state.view, width),
  ];
  const room = height - top.length - 1;
  const { body, shown } = bodyOf(content, width, room);
  return { lines: [...filled([...top, ...body], height - 1), footer(content, shown, width)], shown };
}

/** Formats everything once as text, for a file or a pipe. Tables are not cut. */
export function print({ model, notices, symbols }: Omit<Content, 'state' | 'events'>): Line[] {
  const width = 160;
  const tables = [clusterTable, endpointTable, workerTable, errorTable, listenerTable].map((of) => of(model));
  const lines = [
    titleLine(model, notices, width, symbols),
    ...totalLines(model, width, symbols),
    alertLine(model, notices, width, symbols),
  ];
  for (const table of tables) {
    if (table.rows.length === 0) continue;
    const { head, body } = layOut(table, table.rows, { width: Infinity, symbols, sort: null });
    lines.push([], head, ...body);
  }
  return lines.filter((line, place) => line.length > 0 || place > 3);
}

function bodyOf(content: Content, width: number, room: number): { body: readonly Line[]; shown: Shown } {
  const { state, model, symbols } = content;
  if (state.view === 'all') {
    return {
      body: overview(model, state.filter, width, room, symbols),
      shown: { lines: 0, room, numeric: [] },
    };
  }
  const table = tableOf(state.view, content);
  const sort = state.sorts[state.view] ?? null;
  const rows = filtered(sorted(table, sort), state.filter);
  const numeric = table.columns.map(({ align }) => align === 'right');
  const shown = { lines: lineCount(rows), room: room - 1, numeric };
  const window = { first: offsetOf(state, shown), count: shown.room };
  const { head, body } = layOut(table, rows, { width, symbols, sort, ...window });
  if (rows.length > 0) return { body: [head, ...body], shown };
  const text = table.rows.length === 0 ? table.empty : `no row of ${table.rows.length} has "${state.filter}"`;
  return { body: [head, cutLine([span(text, 'dim')], width, symbols)], shown };
}

function tableOf(view: Exclude<ViewName, 'all'>, { model, events }: Content): Table {
  switch (view) {
    case 'clusters':
      return clusterTable(model);
    case 'endpoints':
      return endpointTable(model);
    case 'workers':
      return workerTable(model);
    case 'errors':
      return errorTable(model);
    case 'listeners':
      return listenerTable(model);
    case 'events':
      return eventTable(events);
  }
}

function tabLine(current: ViewName, width: number): Line {
  const spans = VIEWS.flatMap((view, place): Span[] => {
    const name = width >= WIDE_TABS ? view : SHORT_NAMES[view];
    const text = `${place + 1} ${name}`;
    // Brackets mark the current view without colours.
    return [view === current ? span(`[${text}]`, 'bold') : span(` ${text} `, 'dim')];
  });
  return spans;
}

function footer({ state, symbols }: Content, shown: Shown, width: number): Line {
  if (state.typing) {
    return cutLine(
      [span('filter: ', 'bold'), span(`${state.filter}_  `), span('Enter keeps, Esc clears', 'dim')],
      width,
      symbols,
    );
  }
  const offset = offsetOf(state, shown);
  const last = Math.min(shown.lines, offset + shown.room);
  const place = shown.lines > shown.room ? `${offset + 1}-${last} of ${shown.lines}  ` : '';
  const filter = state.filter === '' ? [] : [span(`filter: ${state.filter} (Esc clears)  `, 'warn')];
  const keys = '? help  / filter  s sort  space pause  q quit';
  return cutLine([...filter, span(place), span(keys, 'dim')], width, symbols);
}

function offsetOf({ offset }: TopState, { lines, room }: Shown): number {
  return Math.max(0, Math.min(offset, lines - room));
}

function filled(lines: readonly Line[], height: number): Line[] {
  return Array.from({ length: height }, (_, place) => lines[place] ?? []);
}
