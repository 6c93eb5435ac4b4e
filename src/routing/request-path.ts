import type { PathSettings } from '../config/types/listener.ts';

const PERCENT = 0x25;
const DOT = 0x2e;
const SLASH = 0x2f;
const SEMICOLON = 0x3b;
const QUESTION_MARK = 0x3f;

/** Findings of {@link inspect}, one bit each. */
const ESCAPES = 1;
const DOTS = 2;
const SPELLINGS = 4;
const MALFORMED = -1;

/** A request's path in the form that routes match. */
interface ReadPath {
  readonly path: string;
  /** The path before its dot segments were removed; null if every endpoint reads the path the same way. */
  readonly spelling: string | null;
}

/** Why a listener refuses a path: it is malformed, or `paths` refuses a part of it. */
type PathRefusal = 'bad request target' | 'the path has an escaped slash' | 'the path has a parameter';

/**
 * Normalizes the path of a request target for matching routes and for endpoints (RFC 3986 sections 6.2.2 and
 * 5.2.4). Decodes escapes of unreserved characters, writes other escapes in upper case, and removes dot
 * segments. Dot segments that climb past the root stop there.
 *
 * Escaped slashes and backslashes, repeated slashes and path parameters stay, because endpoints give them
 * meaning. A raw backslash is refused. Browsers never send one, and servers disagree whether it is a slash or
 * a letter, so one path could evade a rule for the other. Also refused: a missing leading slash, a control
 * character, a space, `#`, `?`, a non-ASCII character, a broken escape, and an escaped NUL.
 *
 * @param raw the path as received, without the query
 * @returns the path, the same string if nothing changes; null to refuse it with 400
 */
export function normalizePath(raw: string): string | null {
  const seen = inspect(raw);
  return seen === MALFORMED ? null : normalized(raw, seen);
}

/**
 * Normalizes a request's path like {@link normalizePath}, and applies the listener's `paths`: first to
 * escaped slashes, then to path parameters, then to repeated slashes. Removes dot segments last.
 */
export function readPath(raw: string, settings: PathSettings): ReadPath | PathRefusal {
  const seen = inspect(raw);
  if (seen === MALFORMED) return 'bad request target';
  if ((seen & SPELLINGS) === 0) return { path: normalized(raw, seen), spelling: null };
  let spelling = (seen & ESCAPES) === 0 ? raw : rewriteEscapes(raw);
  if (settings.escapedSlashes !== 'keep' && ESCAPED_SLASH.test(spelling)) {
    if (settings.escapedSlashes === 'refuse') return 'the path has an escaped slash';
    spelling = spelling.replaceAll(ESCAPED_SLASHES, '/');
  }
  if (settings.pathParameters !== 'keep' && spelling.includes(';')) {
    if (settings.pathParameters === 'refuse') return 'the path has a parameter';
    spelling = stripParameters(spelling);
  }
  if (settings.mergeSlashes) spelling = mergeSlashes(spelling);
  return { path: removeDotSegments(spelling), spelling: settings.ambiguous === 'refuse' ? spelling : null };
}

const ESCAPED_SLASH = /%(?:2F|5C)/;
const ESCAPED_SLASHES = /%(?:2F|5C)/g;

/** Replaces every run of slashes by one slash. */
export function mergeSlashes(path: string): string {
  return path.includes('//') ? path.replaceAll(/\/{2,}/g, '/') : path;
}

/** Cuts the parameters of each segment: `/a;v=1/b;c` becomes `/a/b`. */
export function stripParameters(path: string): string {
  return path.includes(';') ? path.replaceAll(/;[^/]*/g, '') : path;
}

/**
 * Inspects each character once.
 *
 * @returns {@link MALFORMED}, or a sum of three bits. {@link ESCAPES}: escapes must be rewritten. {@link
 * DOTS}: there are dot segments. {@link SPELLINGS}: endpoints may read the path in several ways.
 */
function inspect(raw: string): number {
  if (raw.charCodeAt(0) !== SLASH) return MALFORMED;
  let seen = 0;
  for (let i = 1; i < raw.length; i++) {
    const code = raw.charCodeAt(i);
    if (code > QUESTION_MARK) {
      if (code === 0x5c || code >= 0x7f) return MALFORMED;
    } else if (code === PERCENT) {
      const byte = escapedByte(raw, i);
      // 0 is an escaped NUL, -1 an invalid escape.
      if (byte <= 0) return MALFORMED;
      if (isUnreserved(byte)) seen |= ESCAPES;
      else {
        if (isLowerCase(raw.charCodeAt(i + 1)) || isLowerCase(raw.charCodeAt(i + 2))) seen |= ESCAPES;
        if (byte === 0x20 ? isAtSegmentEnd(raw, i) : hasReadings(byte, raw, i + 3)) seen |= SPELLINGS;
      }
      i += 2;
    } else if (code === DOT) {
      if (isDotSegment(raw, i)) seen |= DOTS;
    } else if (code === SLASH) {
      if (raw.charCodeAt(i - 1) === SLASH) seen |= SPELLINGS;
    } else if (code === SEMICOLON) {
      seen |= SPELLINGS;
    } else if (code <= 0x20 || code === 0x23 || code === QUESTION_MARK) {
      return MALFORMED;
    }
  }
  return seen;
}

function normalized(raw: string, seen: number): string {
  if ((seen & ESCAPES) !== 0) return removeDotSegments(rewriteEscapes(raw));
  return (seen & DOTS) === 0 ? raw : removeDotSegments(raw);
}

/**
 * Normalizes a configured path or path prefix as {@link normalizePath} does for request paths, so that they
 * compare: `/caf%c3%a9` becomes `/caf%C3%A9`.
 *
 * @returns the path; the unchanged text if no request path can equal it
 */
export function normalizePattern(text: string): string {
  return normalizePath(text) ?? text;
}

/** Returns the byte of the escape at `at`; -1 if two hexadecimal digits do not follow. */
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

/** Whether a character is unreserved (RFC 3986 section 2.3): a letter, a digit, `-`, `.`, `_` or `~`. */
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

/**
 * Reports whether decoders disagree on an escape. 0xC0 and 0xC1 start overlong forms of ASCII, and so do 0xE0
 * and 0xF0 before a byte below 0x90.
 *
 * @param next index after the escape
 */
function hasReadings(byte: number, path: string, next: number): boolean {
  if (byte === 0xe0 || byte === 0xf0) return path.charCodeAt(next + 1) === 0x38;
  return byte < 0x7f || byte === 0xc0 || byte === 0xc1;
}

/** Reports whether the escape at `at` starts or ends a segment, possibly next to other escapes. */
function isAtSegmentEnd(path: string, at: number): boolean {
  const end = path.charCodeAt(at + 3);
  return (
    path.charCodeAt(at - 1) === SLASH ||
    end === SLASH ||
    end === SEMICOLON ||
    end === PERCENT ||
    at + 3 === path.length
  );
}

/** Reports whether the dot at `at` starts a segment `.` or `..`. */
function isDotSegment(path: string, at: number): boolean {
  if (path.charCodeAt(at - 1) !== SLASH) return false;
  const end = path.charCodeAt(at + 1) === DOT ? at + 2 : at + 1;
  return end === path.length || path.charCodeAt(end) === SLASH;
}

/** Decodes escapes of unreserved characters, and writes other escapes in upper case. */
export function rewriteEscapes(path: string): string {
  return path.replace(/%[0-9a-f]{2}/gi, (escape) => {
    const byte = escapedByte(escape, 0);
    return isUnreserved(byte) ? String.fromCharCode(byte) : escape.toUpperCase();
  });
}

/** Removes dot segments (RFC 3986 section 5.2.4). */
export function removeDotSegments(path: string): string {
  if (!path.includes('/.')) return path;
  const segments = path.split('/');
  const kept: string[] = [];
  for (let i = 1; i < segments.length; i++) {
    const segment = segments[i]!;
    if (segment !== '.' && segment !== '..') {
      kept.push(segment);
      continue;
    }
    if (segment === '..') kept.pop();
    // A dot segment at the end names a directory: keep its slash.
    if (i === segments.length - 1) kept.push('');
  }
  return `/${kept.join('/')}`;
}
