import { isToken } from '../../core/tokens.ts';
import { hasControlCharacter } from './field-value.ts';
import { isChunked, isContentLength } from './framing-headers.ts';

/**
 * The received head of an HTTP request, in byte texts: each character is a byte. Names are in lower case and in their order.
 * Values are unchanged. The header lines are a flat list of names and values, because a head is read once and dropped.
 */
export interface RequestHead {
  /** As received: methods are case-sensitive (RFC 9110 section 9.1). */
  readonly method: string;
  /** The target's path, as received. */
  readonly path: string;
  /** The text behind the first `?`; empty without one. */
  readonly query: string;
  /** name, value, name, value ... */
  readonly headers: readonly string[];
  /** The names as the client spelled them, in the order of `headers`; missing if the engine does not know them. */
  readonly names?: readonly string[];
  /** Whether the request is HTTP/1.0, which needs no Host and knows no chunks. */
  readonly isHttp10?: true;
  /** Whether the target ends in a `?` with no query behind it. An engine that does not know leaves it out. */
  readonly hasEmptyQuery?: true;
}

/** Returns the value of the first header with a name in lower case; undefined without one. */
export function headerOf({ headers }: Pick<RequestHead, 'headers'>, name: string): string | undefined {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] === name) return headers[index + 1];
  }
  return undefined;
}

/** Returns the value of a header by its name in lower case: undefined if missing, null if it has several lines. */
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

/** Returns the members of a comma-separated list, trimmed and without empty ones (RFC 9110 section 5.6.1). */
export function listMembers(value: string | undefined): string[] {
  if (value === undefined) return [];
  // Most lists have one member, and splitting costs more than looking for the comma.
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

/** Removes spaces and tabs at both ends (OWS, RFC 9110 section 5.6.3), but no other white space. */
export function trimOws(text: string): string {
  // A regular expression that ends in `[ \t]+$` would take quadratic time for a long run of spaces.
  let start = 0;
  let end = text.length;
  while (start < end && isOws(text.charCodeAt(start))) start++;
  while (end > start && isOws(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isOws(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Headers that must have one line with one value. More are an attack or a broken client (RFC 9110, RFC 9112 section 6). */
const SINGLE = new Set(['host', 'content-length', 'transfer-encoding']);

/** A fault of a head, in a few words. */
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
 * Finds a fault for which a head must not reach a route (RFC 9112 sections 3.2, 5 and 6.3). Ignores the path.
 *
 * @returns null if the head is correct
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
