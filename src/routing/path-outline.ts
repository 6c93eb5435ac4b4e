import { decodeOverlongForms, decodeVisible } from './path-escapes.ts';
import { rewriteEscapes } from './request-path.ts';

/** Facts that all readings of a path share, found without listing the readings. */
export interface PathOutline {
  /** Common start of every reading: whole segments with a trailing slash. At least `/`. */
  readonly head: string;
  /**
   * All segments of readings without `%`, `;`, `?`, `#`, blanks and backslashes; null if any are possible.
   */
  readonly segments: ReadonlySet<string> | null;
  /** Whether a reading may have a query that the request does not have. */
  readonly hasQuery: boolean;
}

/** Max rounds of decoding. Each undoes any number of `%25`, but one level of other nested escapes. */
const MAX_ROUNDS = 6;
/** `%25` once or more before two hexadecimal digits. */
const NESTED = /%(?:25)+(?=[\dA-F]{2})/gi;
const REMOVED = /%0[9AD]/gi;
const BACKSLASH = /\\/g;
/** Characters that end a segment, or are cut off. */
const ENDS = /[/;?#]|%20|%[01][\dA-F]/i;
/** A segment that no server changes: no escape of ASCII, no overlong form, no parameter. */
const STABLE = /^(?:[^%;]|%(?:[89ABD][\dA-F]|[CEF][2-9A-F]))+$/;

/** Outline of a path whose escapes are nested deeper than {@link MAX_ROUNDS}. */
const ANYTHING: PathOutline = { head: '/', segments: null, hasQuery: true };

/**
 * Outlines the readings of a path. A segment of a reading is the part of the path between two characters that
 * can end a segment. A segment without escapes is the same in every order of decoding, so one complete
 * decoding finds all segments. A segment `..` removes at most one segment before it.
 *
 * @param spelling the path before its dot segments were removed
 */
export function outlineOf(spelling: string): PathOutline {
  const decoded = decodeFully(spelling);
  if (decoded === null) return ANYTHING;
  let climbs = 0;
  const segments = new Set<string>();
  for (const segment of decoded.split(ENDS)) {
    segments.add(segment);
    if (segment === '..') climbs += 1;
  }
  return { head: headOf(spelling, climbs), segments, hasQuery: decoded.includes('?') };
}

function decodeFully(path: string): string | null {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const escapes = rewriteEscapes(path.replaceAll(NESTED, '%').replaceAll(REMOVED, ''));
    const decoded = decodeOverlongForms(decodeVisible(escapes)).replaceAll(BACKSLASH, '/');
    if (decoded === path) return path;
    path = decoded;
  }
  return null;
}

/**
 * Returns the start that all readings share.
 *
 * @param climbs number of segments that may be removed from its end
 */
function headOf(spelling: string, climbs: number): string {
  const ends = [1];
  for (let start = 1; ;) {
    const slash = spelling.indexOf('/', start);
    if (slash === -1) break;
    const segment = spelling.slice(start, slash);
    if (segment === '.' || segment === '..' || !STABLE.test(segment)) break;
    start = slash + 1;
    ends.push(start);
  }
  return spelling.slice(0, ends[Math.max(0, ends.length - 1 - climbs)]);
}
