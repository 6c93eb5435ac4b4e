import { STATUS_CODES } from 'node:http';
import { safeFieldValue } from '../../../wire/http/field-value.ts';
import type { HeaderEdits } from '../../../wire/http/header-edits.ts';
import type { HeaderList } from '../../contract/http-reply.ts';
import { CORK_BYTES } from './cork-sizes.ts';
import type { HeadResponse } from './uws-response.ts';

/** Max bytes of a status line and of the headers that uWS adds. */
const MAX_ADDED_BYTES = 256;
/** Max bytes of headers in one cork, unless a single header is larger. */
const MAX_HEAD_BYTES = CORK_BYTES - 1024;

const PLAIN_VALUE = /^[\t\x20-\x7e]*$/;

/** The head of a response. */
export interface Head {
  readonly status: number;
  readonly headers: HeaderList;
  /** Value of X-Request-Id. */
  readonly requestId: string;
  /** Whether to write `Connection: close`. */
  readonly closes: boolean;
}

/**
 * Corks a head together with the output of `write`. A head that exceeds the cork buffer is sent in several
 * corks.
 *
 * @param write gets the free bytes of the cork buffer
 */
export function corkHead(
  response: HeadResponse,
  head: Head,
  edits: HeaderEdits,
  write: (room: number) => void,
): void {
  const { headers } = head;
  let size = MAX_ADDED_BYTES + head.requestId.length;
  for (const text of edits.added) size += text.length + 2;
  let from = 0;
  for (let index = 0; index < headers.length; index++) {
    const [name, value] = headers[index]!;
    const bytes = name.length + value.length + 4;
    if (size + bytes > MAX_HEAD_BYTES && index > from) {
      const first = from;
      response.cork(() => writeHeaders(response, head, edits, first, index));
      from = index;
      size = MAX_ADDED_BYTES;
    }
    size += bytes;
  }
  response.cork(() => {
    writeHeaders(response, head, edits, from, headers.length);
    writeOwnHeaders(response, head, edits);
    write(CORK_BYTES - size);
  });
}

/** Writes a head. The caller has corked. */
export function writeHead(response: HeadResponse, head: Head, edits: HeaderEdits): void {
  writeHeaders(response, head, edits, 0, head.headers.length);
  writeOwnHeaders(response, head, edits);
}

/** Writes the headers of every head, so that a route's edits apply to all of its answers. */
function writeHeaders(
  response: HeadResponse,
  { status, headers }: Head,
  { dropped }: HeaderEdits,
  from: number,
  to: number,
): void {
  if (from === 0) response.writeStatus(`${status} ${STATUS_CODES[status] ?? ''}`);
  for (let index = from; index < to; index++) {
    const [name, value, kept] = headers[index]!;
    if (dropped.size > 0 && kept !== true && dropped.has(name.toLowerCase())) continue;
    // uWS writes Date itself.
    if (name.length === 4 && name.toLowerCase() === 'date') continue;
    response.writeHeader(name, headerValue(value));
  }
}

function writeOwnHeaders(
  response: HeadResponse,
  { requestId, closes }: Head,
  { dropped, added }: HeaderEdits,
): void {
  for (let index = 0; index < added.length; index += 2) {
    response.writeHeader(added[index]!, headerValue(added[index + 1]!));
  }
  if (!dropped.has('x-request-id')) response.writeHeader('X-Request-Id', requestId);
  if (closes) response.writeHeader('Connection', 'close');
}

/**
 * Returns a value as Latin-1 bytes without line ends: uWS writes strings as UTF-8, and does not check them.
 */
function headerValue(value: string): string | Uint8Array {
  return PLAIN_VALUE.test(value) ? value : Buffer.from(safeFieldValue(value), 'latin1');
}
