import { STATUS_CODES } from 'node:http';
import { lastChunk } from '../../../wire/http/chunked-body/chunk-writing.ts';
import { safeFieldValue } from '../../../wire/http/field-value.ts';
import type { HeaderEdits } from '../../../wire/http/header-edits.ts';
import type { HeaderList } from '../../contract/http-reply.ts';

/** The facts of one head beside its headers. */
interface HeadTerms {
  readonly status: number;
  /** Lines that frame the message and say what becomes of the connection, each with its line end. */
  readonly ownLines: string;
  /** For X-Request-Id. */
  readonly requestId: string;
}

/** Writes the head of a final response, with the route's changes. Each character of the text is a byte. */
export function finalHead(
  { status, ownLines, requestId }: HeadTerms,
  headers: HeaderList,
  edits: HeaderEdits,
): string {
  const { dropped, added } = edits;
  const changes = dropped.size > 0;
  // A route that drops or sets Date decides about it.
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
  // RFC 9110 section 6.6.1: a recipient with a clock adds the Date that a response lacks.
  if (!hasDate) text += dateLine();
  return `${text}${ownLines}\r\n`;
}

/** Writes the head of an interim response. A route can only drop its headers. */
export function interimHead(status: number, headers: HeaderList, { dropped }: HeaderEdits): string {
  let text = statusLine(status);
  for (const [name, value] of headers) {
    if (!dropped.has(name.toLowerCase())) text += `${name}: ${safeFieldValue(value)}\r\n`;
  }
  return `${text}\r\n`;
}

/** Writes the end of a body in chunks. A route can only drop its trailers. */
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

/** The second that {@link line} is of. */
let second = 0;
let line = '';

/** Returns the Date header of now, which is made once a second. */
function dateLine(): string {
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) {
    second = now;
    line = `Date: ${new Date(now * 1000).toUTCString()}\r\n`;
  }
  return line;
}
