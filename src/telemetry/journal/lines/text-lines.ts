import type {
  RequestFacts,
  HandshakeRefusal,
  RequestEnd,
  SessionEnd,
  SessionStart,
  TunnelEnd,
  TunnelStart,
} from '../entries.ts';
import { escaped } from './escaped.ts';
import type { LineFormat } from './line-format.ts';

/** Max columns of a line, without its newline. */
const MAX_COLUMNS = 120;
/** Max columns of one part, to leave room for others. */
const MAX_PART_COLUMNS = 40;
/** Length of `2000-10-10T13:55:36`. */
const TIME_CHARACTERS = 19;
const UNIT_STEP = 1000;
const SECONDS_PER_MINUTE = 60;
const MINUTES_PER_HOUR = 60;
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/**
 * Writes access lines for people: one short line, most important fields first. The time is the end, in UTC.
 */
export class TextLines implements LineFormat {
  request({ status, method, requestFacts, seconds, sent, endpoint, ...end }: RequestEnd): string {
    const { reason, cause, cut, detail } = end;
    const wrong = [reason, cause, cut === undefined ? undefined : `cut: ${cut}`, detail];
    return line([
      status,
      method ?? '-',
      pathOf(requestFacts),
      ...who(requestFacts),
      time(seconds),
      size(sent),
      endpoint,
      ...wrong,
    ]);
  }

  handshakeRefused({
    status,
    requestFacts,
    seconds,
    endpoint,
    reason,
    cause,
    detail,
  }: HandshakeRefusal): string {
    return line([
      status,
      'WS',
      pathOf(requestFacts),
      ...who(requestFacts),
      time(seconds),
      reason,
      cause,
      endpoint,
      detail,
    ]);
  }

  handshakesRefused(listener: string, count: number): string {
    return line([`${count} more handshakes refused at`, listener]);
  }

  sessionOpened({ requestFacts, endpoint, subprotocol }: SessionStart): string {
    return line(['101 WS', pathOf(requestFacts), ...who(requestFacts), 'opened', endpoint, subprotocol]);
  }

  sessionClosed({ requestFacts, endpoint }: SessionStart, end: SessionEnd): string {
    const closed = `closed ${end.code} by ${end.side}`;
    const up = `up ${end.messagesUpstream}/${size(end.bytesUpstream)}`;
    const down = `down ${end.messagesDownstream}/${size(end.bytesDownstream)}`;
    return line([
      '101 WS',
      pathOf(requestFacts),
      ...who(requestFacts),
      closed,
      time(end.seconds),
      up,
      down,
      end.reason,
      endpoint,
    ]);
  }

  tunnelOpened({ client, serverName, endpoint, listener }: TunnelStart): string {
    return line(['TCP', serverName ?? listener, client, 'opened', endpoint]);
  }

  tunnelClosed({ client, serverName, endpoint, listener }: TunnelStart, end: TunnelEnd): string {
    const bytes = [`up ${size(end.bytesUpstream)}`, `down ${size(end.bytesDownstream)}`];
    return line([
      'TCP',
      serverName ?? listener,
      client,
      `closed: ${end.reason}`,
      time(end.seconds),
      ...bytes,
      endpoint,
    ]);
  }
}

/** Joins parts to a line of at most {@link MAX_COLUMNS}. Skips missing parts. */
function line(parts: readonly (string | number | undefined)[]): string {
  const now = new Date().toISOString().slice(0, TIME_CHARACTERS).replace('T', ' ');
  let text = now;
  for (const part of parts) {
    if (part !== undefined && part !== '') text += ` ${short(escaped(String(part)), MAX_PART_COLUMNS)}`;
  }
  return `${short(text, MAX_COLUMNS)}\n`;
}

/** Truncates an ASCII text. */
function short(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max - 1)}~` : text;
}

function pathOf({ path }: RequestFacts): string {
  return path ?? '-';
}

function who({ client, principal }: RequestFacts): readonly (string | undefined)[] {
  return [client, principal === undefined ? undefined : `(${principal})`];
}

/** Returns a time as `12ms`, `3.4s` or `2h5m`. */
function time(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)}ms`;
  if (seconds < SECONDS_PER_MINUTE) return `${seconds.toFixed(1)}s`;
  const minutes = Math.floor(seconds / SECONDS_PER_MINUTE);
  if (minutes < MINUTES_PER_HOUR) return `${minutes}m${Math.floor(seconds % SECONDS_PER_MINUTE)}s`;
  return `${Math.floor(minutes / MINUTES_PER_HOUR)}h${minutes % MINUTES_PER_HOUR}m`;
}

/** Returns a number of bytes as `12B` or `3.4MB`. */
function size(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= UNIT_STEP && unit < UNITS.length - 1) {
    value /= UNIT_STEP;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)}${UNITS[unit]!}`;
}
