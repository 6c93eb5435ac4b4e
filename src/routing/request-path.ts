const PERCENT = 0x25;
const DOT = 0x2e;
const SLASH = 0x2f;

/**
 * Brings the path of a request target into the one form that routes are matched against and endpoints are
 * given: escapes of unreserved characters are decoded, the other escapes are in upper case, dot segments are
 * removed (those that climb past the root stop there). RFC 3986 sections 6.2.2 and 5.2.4.
 *
 * Escaped slashes and backslashes stay escaped and repeated slashes stay repeated: they mean something to the
 * endpoint. A raw backslash is refused and not taken for a slash or a letter: browsers never send one, and
 * servers disagree on which of the two it is, so that a rule for one path could be passed with the other.
 *
 * @param raw the path as received, without the query
 * @returns the path, the same string where nothing had to change; null for what is to be refused with 400: it
 *   does not begin with a slash, holds a control character, a space, a backslash, `#`, `?` or anything but
 *   ASCII, an escape that is none, or an escaped NUL
 */
export function normalizePath(raw: string): string | null {
  if (raw.charCodeAt(0) !== SLASH) return null;
  let escapes = false;
  let dots = false;
  for (let i = 1; i < raw.length; i++) {
    const code = raw.charCodeAt(i);
    if (code === PERCENT) {
      const byte = escapedByte(raw, i);
      // Zero is an escaped NUL, less than zero is no escape.
      if (byte <= 0) return null;
      escapes ||=
        isUnreserved(byte) || isLowerCase(raw.charCodeAt(i + 1)) || isLowerCase(raw.charCodeAt(i + 2));
      i += 2;
    } else if (code === DOT) {
      dots ||= isDotSegment(raw, i);
    } else if (code <= 0x20 || code >= 0x7f || code === 0x5c || code === 0x23 || code === 0x3f) {
      return null;
    }
  }
  if (escapes) return removeDotSegments(rewriteEscapes(raw));
  return dots ? removeDotSegments(raw) : raw;
}

/**
 * Brings a path or path prefix of the configuration into the form that {@link normalizePath} gives request
 * paths, so that the two compare: `/caf%c3%a9` becomes `/caf%C3%A9`.
 *
 * @returns the path; the text as it is where no request path can look like it
 */
export function normalizePattern(text: string): string {
  return normalizePath(text) ?? text;
}

/** The byte that the escape at `at` stands for, or -1 where two hexadecimal digits do not follow. */
function escapedByte(text: string, at: number): number {
  const high = hexValue(text.charCodeAt(at + 1));
  const low = hexValue(text.charCodeAt(at + 2));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x41 && code <= 0x46) return code - 0x41 + 10;
  if (isLowerCase(code) && code <= 0x66) return code - 0x61 + 10;
  return -1;
}

function isLowerCase(code: number): boolean {
  return code >= 0x61 && code <= 0x7a;
}

/** RFC 3986 section 2.3: letters, digits, `-`, `.`, `_`, `~`. */
function isUnreserved(code: number): boolean {
  return (
    isLowerCase(code) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2d ||
    code === DOT ||
    code === 0x5f ||
    code === 0x7e
  );
}

/** Whether the dot at `at` begins a segment that is `.` or `..` and nothing else. */
function isDotSegment(path: string, at: number): boolean {
  if (path.charCodeAt(at - 1) !== SLASH) return false;
  const end = path.charCodeAt(at + 1) === DOT ? at + 2 : at + 1;
  return end === path.length || path.charCodeAt(end) === SLASH;
}

function rewriteEscapes(path: string): string {
  return path.replace(/%[0-9a-f]{2}/gi, (escape) => {
    const byte = escapedByte(escape, 0);
    return isUnreserved(byte) ? String.fromCharCode(byte) : escape.toUpperCase();
  });
}

function removeDotSegments(path: string): string {
  const segments = path.split('/');
  const kept: string[] = [];
  for (let i = 1; i < segments.length; i++) {
    const segment = segments[i]!;
    if (segment !== '.' && segment !== '..') {
      kept.push(segment);
      continue;
    }
    if (segment === '..') kept.pop();
    // A dot segment at the end names a directory: its slash stays.
    if (i === segments.length - 1) kept.push('');
  }
  return `/${kept.join('/')}`;
}
