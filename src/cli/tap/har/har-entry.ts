/** Formats a session as an entry of an HTTP Archive 1.2, as Chrome's network panel writes and reads it. */
import type { Cookie, Entry, Header, QueryString } from 'har-format';
import type { EndRecord, FrameRecord, SessionRecord } from '../../../wire/recording/records.ts';

/** -1 means "not known". http://www.softwareishard.com/blog/har-12-spec/ defines the fields. */
const UNKNOWN = -1;
const OPCODE_TEXT = 1;
const OPCODE_BINARY = 2;

/** The fields of an entry before its messages. */
type EntryHead = Pick<
  Entry,
  'startedDateTime' | 'request' | 'response' | 'cache' | 'serverIPAddress' | 'connection' | '_resourceType'
> & { readonly _connectionId: string };
/** The fields of an entry after its messages. */
type EntryTail = Pick<Entry, 'time' | 'timings' | 'comment'>;

/** A message in Chrome's format. Chrome ignores `_length`. */
interface Message {
  readonly type: 'send' | 'receive';
  /** Seconds since 1970. */
  readonly time: number;
  readonly opcode: typeof OPCODE_TEXT | typeof OPCODE_BINARY;
  /** Text, or base64 if the opcode is 2. */
  readonly data: string;
  /** Bytes of the message. Present only if `data` is incomplete. */
  readonly _length?: number;
}

/**
 * Returns the start of a session in milliseconds since 1970. `openedAt` may be rounded to whole seconds.
 *
 * @param at the time of the session's first line
 */
export function startOf(at: number, record: SessionRecord | null): number {
  return record?.attached === true ? record.openedAt : at;
}

/**
 * Returns the beginning of a session's entry.
 *
 * @param record null if the recording has only frames of the session
 */
export function headOf(session: string, at: number, record: SessionRecord | null): EntryHead {
  const headers = headersOf(record?.request?.headers ?? []);
  const url = urlOf(session, record, headers);
  const { host, port } = endpointOf(record?.endpoint ?? '');
  return {
    startedDateTime: isoTime(startOf(at, record)),
    request: {
      method: 'GET',
      url,
      httpVersion: 'HTTP/1.1',
      headers,
      queryString: queryOf(url),
      cookies: cookiesOf(headers),
      headersSize: UNKNOWN,
      bodySize: 0,
    },
    response: {
      status: 101,
      statusText: 'Switching Protocols',
      httpVersion: 'HTTP/1.1',
      headers: answerHeaders(record),
      cookies: [],
      content: { size: 0, mimeType: 'x-unknown' },
      redirectURL: '',
      headersSize: UNKNOWN,
      bodySize: UNKNOWN,
    },
    cache: {},
    serverIPAddress: host,
    connection: port,
    _connectionId: session,
    _resourceType: 'websocket',
  };
}

/**
 * Returns the end of a session's entry.
 *
 * @param startedAt milliseconds since 1970
 * @param lastAt the time of the session's last line
 * @param end null if the session was open when the recording ended
 */
export function tailOf(
  record: SessionRecord | null,
  startedAt: number,
  lastAt: number,
  end: EndRecord | null,
): EntryTail {
  const time = end === null ? Math.max(0, lastAt - startedAt) : end.seconds * 1000;
  return { time, timings: { send: 0, wait: 0, receive: time }, comment: commentOf(record, end) };
}

/** Assembles messages from frames. The last fragment of a message has the payload. */
export class MessageMaker {
  /** The opcode of the current message, by direction. */
  readonly #opcodes: Record<'client' | 'endpoint', Message['opcode']> = { client: 1, endpoint: 1 };
  /** Bytes of the current message on the wire. */
  readonly #lengths = { client: 0, endpoint: 0 };

  /** @returns null for a control frame, for a frame from the proxy, and for a fragment before the last */
  message(frame: FrameRecord): Message | null {
    const { from, opcode, fin, length, size } = frame;
    if (from === 'proxy' || !['text', 'binary', 'continuation'].includes(opcode)) return null;
    if (opcode !== 'continuation') {
      this.#opcodes[from] = opcode === 'binary' ? OPCODE_BINARY : OPCODE_TEXT;
      this.#lengths[from] = 0;
    }
    this.#lengths[from] += length;
    if (fin === false) return null;
    const whole = size ?? this.#lengths[from];
    return {
      type: from === 'client' ? 'send' : 'receive',
      time: frame.at / 1000,
      ...dataOf(frame, this.#opcodes[from]),
      ...(isWhole(frame) ? {} : { _length: whole }),
    };
  }
}

function isWhole({ text, base64, cut }: FrameRecord): boolean {
  return cut !== true && (text !== undefined || base64 !== undefined);
}

/**
 * Returns the payload in HAR's form. Text with invalid UTF-8 was recorded as base64, so it is exported as
 * binary.
 */
function dataOf({ text, base64 }: FrameRecord, opcode: Message['opcode']): Pick<Message, 'opcode' | 'data'> {
  if (base64 !== undefined) return { opcode: OPCODE_BINARY, data: base64 };
  if (opcode === OPCODE_TEXT) return { opcode, data: text ?? '' };
  return { opcode, data: Buffer.from(text ?? '').toString('base64') };
}

function headersOf(pairs: readonly (readonly [string, string])[]): Header[] {
  return pairs.map(([name, value]) => ({ name, value }));
}

function answerHeaders(record: SessionRecord | null): Header[] {
  const optional = [
    ['Sec-WebSocket-Protocol', record?.subprotocol],
    ['Sec-WebSocket-Extensions', record?.extensions],
  ] as const;
  return [
    { name: 'Upgrade', value: 'websocket' },
    { name: 'Connection', value: 'Upgrade' },
    ...optional.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }])),
  ];
}

/**
 * Derives the URL. An https page may open only wss, so the Origin header tells the scheme. A session without
 * a handshake gets a unique name in a domain that never exists (RFC 2606).
 */
function urlOf(session: string, record: SessionRecord | null, headers: readonly Header[]): string {
  const target = record?.request?.target;
  if (target === undefined) return `ws://handshake-not-recorded.invalid/${encodeURIComponent(session)}`;
  const host = valueOf(headers, 'host') ?? 'unknown.invalid';
  const scheme = valueOf(headers, 'origin')?.startsWith('https:') === true ? 'wss' : 'ws';
  return `${scheme}://${host}${target}`;
}

function valueOf(headers: readonly Header[], wanted: string): string | undefined {
  return headers.find(({ name }) => name.toLowerCase() === wanted)?.value;
}

function queryOf(url: string): QueryString[] {
  const start = url.indexOf('?');
  if (start < 0) return [];
  return Array.from(new URLSearchParams(url.slice(start + 1)), ([name, value]) => ({ name, value }));
}

/**
 * Parses the Cookie header. A tap redacts the whole header, but recordings from other tools may have cookies.
 */
function cookiesOf(headers: readonly Header[]): Cookie[] {
  const text = valueOf(headers, 'cookie');
  if (text === undefined) return [];
  return text.split(';').flatMap((pair) => {
    const equals = pair.indexOf('=');
    return equals < 0 ? [] : [{ name: pair.slice(0, equals).trim(), value: pair.slice(equals + 1).trim() }];
  });
}

/** Splits an endpoint's label. Chrome's importer reads `connection` as the port. */
function endpointOf(label: string): { readonly host: string; readonly port: string } {
  const [, bracketed, plain, port = ''] = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(label) ?? [];
  return { host: bracketed ?? plain ?? '', port };
}

function commentOf(record: SessionRecord | null, end: EndRecord | null): string {
  const who =
    record === null
      ? []
      : [`client ${record.client}`, record.principal, `${record.listener}/${record.route}`, record.cluster];
  const how =
    end === null
      ? 'open at the end of the recording'
      : `closed by ${end.side ?? 'nobody known'} with ${end.code ?? 'no code'} ${end.reason ?? ''}`.trimEnd();
  return [...who, ...(record?.attached === true ? ['open before the recording'] : []), how].join(', ');
}

/** Avoids the exception for times out of range. */
function isoTime(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
}
