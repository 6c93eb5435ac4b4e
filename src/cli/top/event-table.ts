/** The table of recent refusals and failures. */
import { isPrimaryKind, type EventRow } from '../../protocol/admin/events.ts';
import type { Style } from '../terminal/line.ts';
import type { Row, Table } from './table-layout.ts';

export interface EventLog {
  /** Newest last, as `GET /events` returns them. */
  readonly rows: readonly EventRow[];
  /** Why the rows are missing. Null if they were read. */
  readonly problem: string | null;
}

/** Returns one row per event, newest first. */
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
  // Events that clients cannot cause at will need attention first.
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

/** Returns the part of the configuration closest to the fault. */
function whereOf({ listener, route, cluster, endpoint }: EventRow): string {
  if (endpoint !== undefined) return cluster === undefined ? endpoint : `${cluster} ${endpoint}`;
  return route ?? cluster ?? listener ?? '-';
}

/** Returns the answer to the client, and the URL of its request. */
function answerOf({ status, code, side, host, path }: EventRow): string {
  const parts = [
    status === undefined ? '' : String(status),
    code === undefined ? '' : `code ${code}${side === undefined ? '' : ` by ${side}`}`,
    host === undefined && path === undefined ? '' : `${host ?? ''}${path ?? ''}`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? '-' : parts.join(' ');
}
