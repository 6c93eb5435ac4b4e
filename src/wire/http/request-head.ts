/**
 * An HTTP request's head as it was received. Names are lower case and in their order; values are as they
 * came. Header lines are kept flat, name and value in turn, because a head is read once and thrown away.
 */
export interface RequestHead {
  /** As received: methods are case-sensitive (RFC 9110 section 9.1). */
  readonly method: string;
  /** The target's path, as received. */
  readonly path: string;
  /** Behind the first `?`, without it; empty where there is none. */
  readonly query: string;
  /** name, value, name, value ... */
  readonly headers: readonly string[];
}

/** Returns the value of the first header of a (lower-case) name in a request's or a response's head, or undefined. */
export function headerOf({ headers }: Pick<RequestHead, 'headers'>, name: string): string | undefined {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] === name) return headers[index + 1];
  }
  return undefined;
}

/** Returns the value of a (lower-case) header with one line; undefined without a line, null with several. */
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

/** All values of a name, joined with `, ` as RFC 9110 section 5.3 allows; undefined where there is none. */
export function joinedHeaderOf(head: RequestHead, name: string): string | undefined {
  const { headers } = head;
  let joined: string | undefined;
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] !== name) continue;
    const value = headers[index + 1]!;
    joined = joined === undefined ? value : `${joined}, ${value}`;
  }
  return joined;
}

/** The members of a comma-separated list, trimmed, empty ones left out (RFC 9110 section 5.6.1). */
export function listMembers(value: string | undefined): string[] {
  if (value === undefined) return [];
  const members: string[] = [];
  for (const part of value.split(',')) {
    const member = trimOws(part);
    if (member !== '') members.push(member);
  }
  return members;
}

/** Takes spaces and tabs off both ends (OWS, RFC 9110 section 5.6.3), and no other kind of white space. */
export function trimOws(text: string): string {
  // No regular expression: one that ends in `[ \t]+$` takes quadratic time on a long run of spaces.
  let start = 0;
  let end = text.length;
  while (start < end && isOws(text.charCodeAt(start))) start++;
  while (end > start && isOws(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isOws(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What may not stand in a field value: control characters except the tab (RFC 9110 section 5.5). */
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/** Whether the text is an RFC 9110 token: a method, a header's name, a subprotocol. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Whether the text holds a character that could end or split a header line. */
export function hasControlCharacter(text: string): boolean {
  return CONTROL.test(text);
}

/** Without toLowerCase, for which the Kelvin sign is a letter k. */
const CHUNKED = /^chunked$/i;

/** Headers of which a second line, or a list, is an attack or a broken client (RFC 9110, RFC 9112 section 6). */
const SINGLE = new Set(['host', 'content-length', 'transfer-encoding']);

/** What is wrong with a head, in a few words. */
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
 * What is wrong with a head that no route should see (RFC 9112 sections 3.2, 5 and 6.3), in a few words, or
 * null. Says nothing of the path.
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
  if (seen === 0) return 'no host header';
  if (length !== undefined && !/^\d{1,15}$/.test(length)) return 'bad content-length';
  if (encoding !== undefined && !CHUNKED.test(encoding)) return 'transfer-encoding other than chunked';
  if (encoding !== undefined && length !== undefined) return 'both content-length and transfer-encoding';
  return null;
}
