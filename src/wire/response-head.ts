import { hasControlCharacter, isToken, trimOws } from './request-head.ts';

/** An HTTP/1.x response's head. */
export interface ResponseHead {
  /** There where it is HTTP/1.0, which has no chunks, and ends its connection with each response. */
  readonly isOld?: true;
  readonly status: number;
  /** name (lower case), value, name, value ... */
  readonly headers: readonly string[];
  /** Bytes that the head took, the empty line included. */
  readonly length: number;
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const STARTS = ['HTTP/1.1 ', 'HTTP/1.0 '] as const;
const CR = 13;
const LF = 10;

/**
 * Reads a response's head from the beginning of `input` (RFC 9112 sections 4 and 5): strict, as what an
 * endpoint says is not to be believed either. Folded lines, bare LF, spaces before a colon and a status that is
 * none are refused.
 *
 * @param takesOld whether the response may be HTTP/1.0; an upgrade may not
 * @returns the head, `incomplete` where its end has not arrived, or `malformed`
 */
export function parseResponseHead(
  input: Buffer,
  takesOld = false,
): ResponseHead | 'incomplete' | 'malformed' {
  const end = input.indexOf('\r\n\r\n');
  if (end < 0) return isPlausible(input, takesOld) ? 'incomplete' : 'malformed';
  const lines = input.toString('latin1', 0, end).split('\r\n');
  const match = STATUS_LINE.exec(lines[0]!);
  if (match === null) return 'malformed';
  const isOld = match[1] === '0';
  if (isOld && !takesOld) return 'malformed';
  const headers: string[] = [];
  for (let index = 1; index < lines.length; index++) {
    const line = lines[index]!;
    const colon = line.indexOf(':');
    if (colon <= 0) return 'malformed';
    const name = line.slice(0, colon);
    const value = trimOws(line.slice(colon + 1));
    if (!isToken(name) || hasControlCharacter(value)) return 'malformed';
    headers.push(name.toLowerCase(), value);
  }
  const head = { status: Number(match[2]), headers, length: end + 4 };
  return isOld ? { ...head, isOld } : head;
}

/** Whether the bytes could still become a response: a peer that speaks something else is found out at once. */
function isPlausible(input: Buffer, takesOld: boolean): boolean {
  const starts = takesOld ? STARTS : [STARTS[0]];
  const found = input.toString('latin1', 0, STARTS[0].length);
  if (!starts.some((start) => start.slice(0, input.length) === found)) return false;
  for (let at = input.indexOf(LF); at >= 0; at = input.indexOf(LF, at + 1)) {
    if (input[at - 1] !== CR) return false;
  }
  return true;
}
