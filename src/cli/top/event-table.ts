/** The last refused and failed things, as a table. */
import { isPrimaryKind, type EventRow } from '../../protocol/admin/events.ts';
import type { Style } from '../terminal/line.ts';
import type { Row, Table } from './table-layout.ts';

export interface EventLog {
  /** The newest rows last, as `GET /events` gives them. */
  readonly rows: readonly EventRow[];
  /** Why there are none; null if they could be read. */
  readonly problem: string | null;
}

/** Returns a row for each event, the newest first. */
export function eventTable({ rows, problem }: EventLog): Table {
  return {
    empty: problem ?? 'nothing was refused, and nothing has failed',
    columns: [
      { head: 'TIME', align: 'left', rank: 0 },
      { head: 'KIND', align: 'left', rank: 0 },
      { head: 'REASON', align: 'left', rank: 0, min: 12 },
      { head: 'TIMES', align: 'right', rank: 1 },
      { head: 'CLIENT', align: 'left', rank: 0, min: 15 },
      { head: 'WHERE', align: 'left', rank: 2, min: 8 },
      { head: 'PRINCIPAL', align: 'left', rank: 4, min: 8 },
      { head: 'ANSWER', align: 'left', rank: 3, min: 8 },
    ],
    rows: rows.toReversed().map(rowOf),
  };
}

function rowOf(event: EventRow): Row {
  // What clients cannot cause at will needs attention first.
  const style: Style = isPrimaryKind(event.kind) ? 'warn' : 'plain';
  return {
    cells: [
      { text: event.at.slice(11, 19), order: event.number },
      { text: event.kind, style },
      { text: event.reason },
      { text: String(event.count), order: event.count },
      { text: event.client ?? '-' },
      { text: whereOf(event) },
      { text: event.principal ?? '-' },
      { text: answerOf(event) },
    ],
    ...(event.detail !== undefined && { note: event.detail }),
  };
}

/** The part of the configuration nearest to the fault. */
function whereOf({ listener, route, cluster, endpoint }: EventRow): string {
  if (endpoint !== undefined) return cluster === undefined ? endpoint : `${cluster} ${endpoint}`;
  return route ?? cluster ?? listener ?? '-';
}

/** What the client was told, and what it had asked for. */
function answerOf({ status, code, side, host, path }: EventRow): string {
  const parts = [
    status === undefined ? '' : String(status),
    code === undefined ? '' : `code ${code}${side === undefined ? '' : ` by ${side}`}`,
    host === undefined && path === undefined ? '' : `${host ?? ''}${path ?? ''}`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? '-' : parts.join(' ');
}
