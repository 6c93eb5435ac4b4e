import { isToken } from '../../core/tokens.ts';
import { hasControlCharacter } from './field-value.ts';
import { isChunked, isContentLength } from './framing-headers.ts';

/**
 * A received HTTP request head. Strings have one character per byte. Names are in lower case and in order,
 * values unchanged. Header lines are a flat list because a head is read once and dropped.
 */
export interface RequestHead {
  /** As received: methods are case-sensitive (RFC 9110 section 9.1). */
  readonly method: string;
  /** The target's path, as received. */
  readonly path: string;
  /** The text after the first `?`; empty without one. */
  readonly query: string;
  /** name, value, name, value ... */
  readonly headers: readonly string[];
  /**
   * Names as the client spelled them, in the order of `headers`; missing if the engine does not know them.
   */
  readonly names?: readonly string[];
  /** Whether the request is HTTP/1.0, which needs no Host and has no chunks. */
  readonly isHttp10?: true;
  /** Whether the target ends in a bare `?`. Missing if the engine does not know. */
  readonly hasEmptyQuery?: true;
}

/** Returns the first value of a header, named in lower case; undefined without one. */
export function headerOf({ headers }: Pick<RequestHead, 'headers'>, name: string): string | undefined {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] === name) return headers[index + 1];
  }
  return undefined;
}

/** Returns the value of a header, named in lower case: undefined if missing, null if repeated. */
export function onlyHeaderOf(head: RequestHead, name: string): string | null | undefined {
  const { headers } = head;
  let value: string | undefined;
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] !== name) continue;
    if (value !== undefined) return null;
    value = headers[index + 1]!;
  }
  return value;
}

/** Joins all values of a header with `, ` (RFC 9110 section 5.3); undefined without the header. */
export function joinedHeaderOf({ headers }: Pick<RequestHead, 'headers'>, name: string): string | undefined {
  let joined: string | undefined;
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] !== name) continue;
    const value = headers[index + 1]!;
    joined = joined === undefined ? value : `${joined}, ${value}`;
  }
  return joined;
}

/** Returns the members of a comma-separated list, trimmed, without empty ones (RFC 9110 section 5.6.1). */
export function listMembers(value: string | undefined): string[] {
  if (value === undefined) return [];
  // Most lists have one member, and splitting costs more than finding no comma.
  if (!value.includes(',')) {
    const only = trimOws(value);
    return only === '' ? [] : [only];
  }
  const members: string[] = [];
  for (const part of value.split(',')) {
    const member = trimOws(part);
    if (member !== '') members.push(member);
  }
  return members;
}

/** Trims spaces and tabs at both ends (OWS, RFC 9110 section 5.6.3), but no other white space. */
export function trimOws(text: string): string {
  // A regular expression that ends in `[ \t]+$` takes quadratic time on a long run of spaces.
  let start = 0;
  let end = text.length;
  while (start < end && isOws(text.charCodeAt(start))) start++;
  while (end > start && isOws(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isOws(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/**
 * Headers that may occur once, with one value. Repetition means an attack or a broken client (RFC 9110, RFC
 * 9112 section 6).
 */
const SINGLE = new Set(['host', 'content-length', 'transfer-encoding']);

/** Short description of what is wrong with a head. */
export type HeadProblem =
  | 'bad method'
  | 'bad header name'
  | 'control character in a header'
  | 'no host header'
  | 'bad content-length'
  | 'transfer-encoding other than chunked'
  | 'both content-length and transfer-encoding'
  | `more than one ${string} header`;

/**
 * Checks a head before routing (RFC 9112 sections 3.2, 5 and 6.3). Ignores the path.
 *
 * @returns the problem, or null for a valid head
 */
export function headProblem(head: RequestHead): HeadProblem | null {
  if (!isToken(head.method)) return 'bad method';
  let seen = 0;
  let length: string | undefined;
  let encoding: string | undefined;
  const { headers } = head;
  const counts = new Map<string, number>();
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]!;
    const value = headers[index + 1]!;
    if (!isToken(name)) return 'bad header name';
    if (hasControlCharacter(value)) return 'control character in a header';
    if (!SINGLE.has(name)) continue;
    const count = (counts.get(name) ?? 0) + 1;
    if (count > 1) return `more than one ${name} header`;
    counts.set(name, count);
    if (name === 'host') seen++;
    else if (name === 'content-length') length = value;
    else if (name === 'transfer-encoding') encoding = value;
  }
  if (seen === 0 && head.isHttp10 !== true) return 'no host header';
  if (length !== undefined && !isContentLength(length)) return 'bad content-length';
  if (encoding !== undefined && !isChunked(encoding)) return 'transfer-encoding other than chunked';
  if (encoding !== undefined && length !== undefined) return 'both content-length and transfer-encoding';
  return null;
}
