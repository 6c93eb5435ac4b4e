/** Formats records as lines for a person. */
import { formatRoundedByteSize } from '../../core/units/byte-size.ts';
import type {
  BytesRecord,
  EndRecord,
  FrameRecord,
  LostRecord,
  SessionRecord,
  TapRecord,
  TunnelRecord,
  Withheld,
} from '../../wire/recording/records.ts';
import type { Symbols } from '../terminal/line.ts';
import { visible } from '../terminal/visible.ts';
import { hexDump, hexPairs } from './hex-dump.ts';

/** How records are displayed. */
export interface TextStyle {
  /** Columns per line. */
  readonly width: number;
  readonly symbols: Symbols;
  readonly colours: boolean;
  /** Whether a hex dump follows each payload. */
  readonly hex: boolean;
}

/** Min columns for directions in words. */
const WIDE_COLUMNS = 100;
const ARROWS = {
  'client>endpoint': ['C->E', 'client -> endpoint'],
  'endpoint>client': ['C<-E', 'client <- endpoint'],
  'proxy>client': ['C<-P', 'client <- proxy'],
  'proxy>endpoint': ['P->E', 'proxy -> endpoint'],
} as const;
const OPCODES: Readonly<Record<string, string>> = { continuation: 'cont' };
/** Another version may have more reasons. */
const WITHHELD: Readonly<Partial<Record<Withheld, string>>> = {
  compressed: 'not shown: its compression cannot be decoded',
  too_long: 'not shown: too long for the redaction rules, or not readable',
  joined: 'not shown: its beginning is missing',
};
/** The ID of a session or tunnel: a prefix chosen by the worker, and a number. */
const ID = /^([0-9a-z]{1,4})[0-9a-z]*(-t?\d+)$/;
const MIN_ID_COLUMNS = 6;
const MAX_ID_COLUMNS = 16;
const ESC = '\u001b[';
/**
 * Session colours legible on dark and light terminals: no white, black or yellow, and not the red of losses.
 */
const SESSION_COLOURS = ['32', '34', '35', '36', '92', '94', '95', '96'] as const;
const LOUD = '1;31';
const DIM = '2';

/** Whether a terminal is too narrow for directions in words. */
export function isNarrow(columns: number): boolean {
  return columns < WIDE_COLUMNS;
}

/** Formats records. The column of session IDs is as wide as the longest ID so far. */
export class RecordText {
  #idColumns = MIN_ID_COLUMNS;

  /** @returns lines, each ending in a newline; an empty string for records that are not shown */
  write(record: TapRecord, style: TextStyle): string {
    switch (record.type) {
      case 'session':
        return this.#line(record, openedText(record), style);
      case 'tunnel':
        return this.#line(record, tunnelText(record), style);
      case 'frame':
        return this.#frame(record, style);
      case 'bytes':
        return this.#line(record, bytesText(record, style), style);
      case 'end':
        return this.#line(record, endText(record), style);
      case 'lost': {
        const text = visible(`${timeOf(record.at)} ${lostText(record)}`, style.width, style.symbols);
        return `${painted(text, LOUD, style)}\n`;
      }
      case 'tap':
      case 'done':
        return '';
    }
  }

  #frame(record: FrameRecord, style: TextStyle): string {
    const bytes = record.base64 === undefined ? null : Buffer.from(record.base64, 'base64');
    const more = record.cut === true;
    const head = `${arrowOf(record, style)} ${frameHead(record)}`;
    if (bytes !== null) {
      const text = `<${hexPairs(bytes, style.width)}${more ? ` ${style.symbols.ellipsis}` : ''}>`;
      return this.#line(record, `${head} ${text}`, style) + (style.hex ? hexDump(bytes) : '');
    }
    const payload = payloadText(record);
    const line = this.#line(record, payload === '' ? head : `${head} ${payload}`, style, more);
    return line + (style.hex && record.text !== undefined ? hexDump(Buffer.from(record.text)) : '');
  }

  #line(
    { at, session }: { readonly at: number; readonly session: string },
    text: string,
    style: TextStyle,
    more = false,
  ): string {
    const id = visible(shortId(session), MAX_ID_COLUMNS, style.symbols);
    this.#idColumns = Math.max(this.#idColumns, id.length);
    const time = timeOf(at);
    const room = style.width - time.length - this.#idColumns - 2;
    const rest = visible(text, room, style.symbols, more);
    const padded = id.padEnd(this.#idColumns);
    return `${painted(time, DIM, style)} ${painted(padded, colourOf(session), style)} ${rest}\n`;
  }
}

function painted(text: string, code: string, { colours }: TextStyle): string {
  return colours ? `${ESC}${code}m${text}${ESC}0m` : text;
}

/** Shortens an ID to the part that distinguishes sessions on a screen. The opening line has the whole ID. */
function shortId(session: string): string {
  return session.replace(ID, '$1$2');
}

/** Returns the same colour for every line of a session, in every run. */
function colourOf(session: string): string {
  let hash = 0;
  for (let index = 0; index < session.length; index++) hash = (hash * 31 + session.charCodeAt(index)) | 0;
  return SESSION_COLOURS[(hash >>> 0) % SESSION_COLOURS.length] ?? DIM;
}

/** Formats a moment as local time with milliseconds: `15:04:05.123`. */
export function timeOf(at: number): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '--:--:--.---';
  const two = (value: number): string => String(value).padStart(2, '0');
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${clock}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

function arrowOf(
  { from, to }: Pick<FrameRecord, 'from' | 'to'> | (Pick<FrameRecord, 'from'> & { readonly to?: undefined }),
  { width }: TextStyle,
): string {
  const target = to ?? (from === 'client' ? 'endpoint' : 'client');
  const key = `${from}>${target}`;
  const arrow = Object.hasOwn(ARROWS, key) ? ARROWS[key as keyof typeof ARROWS] : ([key, key] as const);
  return isNarrow(width) ? arrow[0] : arrow[1].padEnd(ARROWS['client>endpoint'][1].length);
}

/** Formats the opcode and the length on the wire. A plus marks a message that continues. */
function frameHead({ opcode, fin, length, compressed, size }: FrameRecord): string {
  const name = (OPCODES[opcode] ?? opcode) + (fin === false ? '+' : '');
  const head = `${name.padEnd(7)} ${String(length).padStart(6)}`;
  if (compressed === true) return size === undefined ? `${head} z` : `${head} z${size}`;
  // In a fragmented message, `size` belongs to the whole message.
  return size === undefined ? head : `${head} of ${size}`;
}

function payloadText({ code, text, withheld }: FrameRecord): string {
  const parts = [
    code === undefined ? null : String(code),
    text ?? null,
    withheld === undefined ? null : `[${WITHHELD[withheld] ?? 'not shown'}]`,
  ];
  return parts.filter((part) => part !== null).join(' ');
}

function openedText(record: SessionRecord): string {
  const { client, principal, request, listener, route, cluster, endpoint, subprotocol, extensions } = record;
  const parts = [
    beginningOf(record),
    client,
    // Without a credential the address is the principal.
    principal === `address:${client}` ? null : principal,
    request?.target ?? null,
    `${listener}/${route}`,
    `${cluster} ${endpoint}`,
    subprotocol === undefined ? null : `subprotocol ${subprotocol}`,
    extensions ?? null,
  ];
  return parts.filter((part) => part !== null && part !== '').join(', ');
}

function tunnelText(record: TunnelRecord): string {
  const { client, listener, cluster, endpoint, serverName } = record;
  const parts = [beginningOf(record), client, serverName ?? null, listener, `${cluster} ${endpoint}`];
  return parts.filter((part) => part !== null).join(', ');
}

function beginningOf({ type, session, attached, openedAt }: SessionRecord | TunnelRecord): string {
  const how = attached === true ? `open since ${timeOf(openedAt).slice(0, 8)}` : 'opened';
  return `${type} ${session} ${how}`;
}

function bytesText(record: BytesRecord, style: TextStyle): string {
  return `${arrowOf({ from: record.from }, style)} ${'bytes'.padEnd(7)} ${String(record.length).padStart(6)}`;
}

/** Describes the end, with messages up (to the endpoint) and down (to the client). */
function endText(record: EndRecord): string {
  const { side, code, reason, seconds, bytesUpstream, bytesDownstream } = record;
  const { messagesUpstream, messagesDownstream } = record;
  const how = [
    side === undefined ? 'ended' : `closed by ${side}`,
    code === undefined ? null : `with ${code}`,
    reason === undefined || reason === '' ? null : `(${reason})`,
    `after ${seconds.toFixed(seconds < 100 ? 1 : 0)} s`,
  ];
  const count = (messages: number | undefined, bytes: number, way: string): string => {
    const size = formatRoundedByteSize(bytes);
    return messages === undefined ? `${size} ${way}` : `${messages} ${way} (${size})`;
  };
  return (
    `${how.filter((part) => part !== null).join(' ')}: ` +
    `${count(messagesUpstream, bytesUpstream, 'up')}, ${count(messagesDownstream, bytesDownstream, 'down')}`
  );
}

function lostText({ worker, frames, sessions, lines }: LostRecord): string {
  const counts = [
    frames > 0 ? `${frames} frames` : null,
    sessions > 0 ? `${sessions} sessions` : null,
    lines > 0 ? `${lines} lines` : null,
  ].filter((part) => part !== null);
  const why = worker === undefined ? 'this command reads too slowly' : `${worker} has no time for them`;
  return `LOST ${counts.join(', ')}: ${why}`;
}
