/** Requests as clients send them and as the endpoint must get them. */
import type { Case, Deviation, Known, Outcome } from './case.ts';

export const HOST = 'app.example';
const CRLF = '\r\n';

/** A request with a Host. @param lines of its head, whole */
export function request(startLine: string, lines: readonly string[] = [], body = ''): string {
  return [startLine, `Host: ${HOST}`, ...lines, '', body].join(CRLF);
}

export function get(...lines: string[]): string {
  return request('GET /a HTTP/1.1', lines);
}

export function post(lines: readonly string[], body: string): string {
  return request('POST /a HTTP/1.1', lines, body);
}

/** A POST in chunks. */
export function chunked(body: string, ...lines: string[]): string {
  return post(['Transfer-Encoding: chunked', ...lines], body);
}

/**
 * A request as the endpoint must receive it: the client's lines, the proxy's facts about the client, and the
 * framing.
 *
 * @param lines the client's head without its Host, as they must arrive
 */
export function received(
  line: string,
  { lines = [], host = HOST, isHostOurs = false, framing = '', body = '' }: Received = {},
): string {
  const head = [
    `${line} HTTP/1.1`,
    `Host: ${host}`,
    ...lines,
    'X-Forwarded-For: 127.0.0.1',
    'X-Forwarded-Proto: http',
    // Readers would take one with a comma for a list.
    ...(host.includes(',') || isHostOurs ? [] : [`X-Forwarded-Host: ${host}`]),
    'X-Forwarded-Port: 0',
    'X-Real-IP: 127.0.0.1',
    'X-Request-Id: id',
    ...(framing === '' ? [] : [framing]),
  ];
  return [...head, '', body].join(CRLF);
}

interface Received {
  readonly lines?: readonly string[];
  readonly host?: string;
  /** The client has sent none. */
  readonly isHostOurs?: boolean;
  readonly framing?: string;
  readonly body?: string;
}

/** The POST that {@link chunked} sends, with the body as it must come. */
export function receivedChunks(body: string): string {
  return received('POST /a', { framing: 'Transfer-Encoding: chunked', body });
}

/** The POST whose body has a known length. */
export function receivedLength(body: string): string {
  return received('POST /a', { framing: `Content-Length: ${body.length}`, body });
}

/** Reaches the endpoint, and leaves the connection open for the next. */
export function passes(sends: string, bytes: string, asReceived: string = received('GET /a')): Unnumbered {
  return { sends, bytes, outcome: { kind: 'passes', received: [asReceived], then: 'open' } };
}

/** Adds requests that reach the endpoint behind the first. */
export function then(one: Unnumbered, ...more: readonly string[]): Unnumbered {
  const { outcome } = one;
  if (outcome.kind !== 'passes') throw new Error('nothing comes behind a request that does not pass');
  return { ...one, outcome: { ...outcome, received: [...outcome.received, ...more] } };
}

/** Reaches the endpoint, and ends its connection. */
export function passesOnce(
  sends: string,
  bytes: string,
  asReceived: string = received('GET /a'),
): Unnumbered {
  return { sends, bytes, outcome: { kind: 'passes', received: [asReceived], then: 'closed' } };
}

/** Gets 400, and its connection is closed. */
export function refused(sends: string, bytes: string, status = 400): Unnumbered {
  return { sends, bytes, outcome: { kind: 'refused', status } };
}

/**
 * The proxy closes the connection because of the bytes after the first request, which may already be
 * upstream.
 */
export function aborted(
  sends: string,
  bytes: string,
  asReceived: string,
  statuses: readonly number[] = [],
): Unnumbered {
  return { sends, bytes, outcome: { kind: 'aborted', received: asReceived, statuses } };
}

/** Is refused when some of its body has been read. */
export function cut(sends: string, bytes: string, status = 400): Unnumbered {
  return { sends, bytes, outcome: { kind: 'cut', status } };
}

/** Is not complete. */
export function waits(sends: string, bytes: string): Unnumbered {
  return { sends, bytes, outcome: { kind: 'waits' } };
}

/** The engine of uWebSockets.js deviates. */
export function onUws(one: Unnumbered, uws: Deviation): Unnumbered {
  return { ...one, uws };
}

interface Unnumbered {
  readonly sends: string;
  readonly bytes: string;
  readonly first?: number;
  readonly outcome: Outcome;
  readonly known?: Known;
  readonly uws?: Deviation;
}

/** Gives the cases of a chapter their numbers. */
export function numbered(chapter: number, cases: readonly Unnumbered[]): Case[] {
  return cases.map((one, index) => ({ ...one, id: `${chapter}.${index + 1}` }));
}
