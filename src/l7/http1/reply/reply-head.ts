import { STATUS_CODES } from 'node:http';
import { lastChunk } from '../../../wire/http/chunked-body/chunk-writing.ts';
import { safeFieldValue } from '../../../wire/http/field-value.ts';
import type { HeaderEdits } from '../../../wire/http/header-edits.ts';
import type { HeaderList } from '../../contract/http-reply.ts';

/** The facts about a head, apart from its headers. */
interface HeadTerms {
  readonly status: number;
  /** Lines for the framing of the message and the fate of the connection, each with its line end. */
  readonly ownLines: string;
  /** Value of X-Request-Id. */
  readonly requestId: string;
}

/** Returns the head of a final response, with the route's edits. Each character is one byte. */
export function finalHead(
  { status, ownLines, requestId }: HeadTerms,
  headers: HeaderList,
  edits: HeaderEdits,
): string {
  const { dropped, added } = edits;
  const changes = dropped.size > 0;
  // A route that drops or sets Date has the last word.
  let hasDate = changes && dropped.has('date');
  let text = statusLine(status);
  for (const [name, value, kept] of headers) {
    if (changes && kept !== true && dropped.has(name.toLowerCase())) continue;
    if (name.length === 4 && name.toLowerCase() === 'date') hasDate = true;
    text += `${name}: ${safeFieldValue(value)}\r\n`;
  }
  for (let index = 0; index < added.length; index += 2) {
    text += `${added[index]!}: ${safeFieldValue(added[index + 1]!)}\r\n`;
  }
  if (!changes || !dropped.has('x-request-id')) text += `X-Request-Id: ${requestId}\r\n`;
  // RFC 9110 section 6.6.1: a recipient with a clock adds a missing Date.
  if (!hasDate) text += dateLine();
  return `${text}${ownLines}\r\n`;
}

/** Returns the head of an interim response. A route can only drop headers of it. */
export function interimHead(status: number, headers: HeaderList, { dropped }: HeaderEdits): string {
  let text = statusLine(status);
  for (const [name, value] of headers) {
    if (!dropped.has(name.toLowerCase())) text += `${name}: ${safeFieldValue(value)}\r\n`;
  }
  return `${text}\r\n`;
}

/** Returns the end of a chunked body. A route can only drop trailers. */
export function chunkedEnd(trailers: HeaderList, { dropped }: HeaderEdits): string {
  let text = '';
  for (const [name, value] of trailers) {
    if (!dropped.has(name.toLowerCase())) text += `${name}: ${safeFieldValue(value)}\r\n`;
  }
  return lastChunk(text);
}

function statusLine(status: number): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
}

/** The second that {@link line} belongs to. */
let second = 0;
let line = '';

/** Returns the current Date header, formatted once per second. */
function dateLine(): string {
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) {
    second = now;
    line = `Date: ${new Date(now * 1000).toUTCString()}\r\n`;
  }
  return line;
}
