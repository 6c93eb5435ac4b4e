import { decodeEscape, decodeOverlongForms, decodeUnreserved } from './path-escapes.ts';
import { outlineOf } from './path-outline.ts';
import { mergeSlashes, removeDotSegments, stripParameters } from './request-path.ts';

/**
 * Max work for the readings of one path, in units of about 5 ns. Enough for 600 readings of 50 characters, or
 * 40 of 8 KiB, or 5 of 8 KiB if most characters are escapes, parameters and slashes.
 */
const MAX_WORK = 384 * 1024;
/** Min readings to check, even if they exceed {@link MAX_WORK}. */
const MIN_READINGS = 4;
/** Fixed cost of a reading. Each character adds one unit. */
const READING_WORK = 256;
/** Cost of each place that a step may change. */
const PLACE_WORK = 25;
const PLACE = /[%;\\]|\/[/.]/g;
/**
 * Max expressions that count as work: this number doubles the work of a reading. Counting more would refuse
 * paths that other routes need.
 */
const MAX_EXPRESSIONS = 100;

/** An escaped escape (`%25` and two digits), or an escaped visible character that no other step decodes. */
const ENCODED = /%25([\dA-F]{2})|%(?!2[05DEF]|3\d|4[1-9A-F]|5[0-9ACF]|6[1-9A-F]|7[0-9AEF])[2-7][\dA-F]/gi;
const DOT_SEGMENT = /\/\.\.?(?:\/|$)/;
const QUERY = /[?#]/;

/**
 * Steps that servers are known to apply to a path before they use it. Each server applies some of them, in
 * its own order. Tomcat cuts parameters, decodes, then removes dot segments. nginx decodes, merges slashes
 * and removes dot segments. Node's URL reads `//x/a` as path /a of host x, and drops tabs and line ends.
 * Others decode twice because two servers are chained.
 */
const STEPS: readonly ((path: string) => string)[] = [
  (path) => path.replaceAll('%2F', '/'),
  (path) => path.replaceAll('%5C', '\\'),
  decodeOthers,
  decodeUnreserved,
  decodeOverlongForms,
  (path) => path.replaceAll('\\', '/'),
  mergeSlashes,
  dropAuthority,
  (path) => path.replaceAll(/%0[9AD]/g, ''),
  trimSegments,
  stripParameters,
  (path) => cutAt(path, path.indexOf(';')),
  (path) => cutAt(path, path.search(QUERY)),
  removeDotSegments,
];

/** The verdict on all readings of a path. */
export type Readings = 'all hold' | 'one does not' | 'too many';

/** How to check readings. */
interface ReadingLookup {
  /** Whether the part after a decoded `?` counts as the reading's query. */
  readonly usesQuery: boolean;
  /** Max expressions that one check may run. */
  readonly expressions: number;
  /**
   * Reports whether a reading is acceptable. Not called for the path itself.
   *
   * @param query the part after a decoded `?`; null if the query is the request's
   */
  accepts(reading: string, query: string | null): boolean;
}

/** Separates a reading from its query in keys. Paths never contain it. */
const QUERY_MARK = '\0';

/**
 * Checks every reading of a request's path by an endpoint: every result of {@link STEPS}, in any order, with
 * repetitions.
 *
 * @param path the path that the endpoint receives
 * @param spelling the path before its dot segments were removed; its readings without dot segments count, too
 */
export function everyReading(path: string, spelling: string, lookup: ReadingLookup): Readings {
  const seen = new Set([path]);
  const check = (reading: string, query: string | null): boolean => {
    const key = keyOf(reading, query);
    if (seen.has(key)) return true;
    seen.add(key);
    return lookup.accepts(reading, query);
  };
  const budget = { readings: maxReadings(spelling, lookup.expressions) };
  const found = everyOutcome(path, budget, lookup.usesQuery, check);
  if (found !== 'all hold' || spelling === path) return found;
  // No endpoint receives this spelling. It counts because a client may target a server that merges slashes
  // before it removes dot segments.
  return everyOutcome(spelling, budget, lookup.usesQuery, (outcome, query) =>
    check(removeDotSegments(outcome), query),
  );
}

/** Reports whether a segment of the path is `.` or `..`, or can be read as one. */
export function hasDotSegment(path: string): boolean {
  if (!path.includes('/.') && !path.includes('%')) return false;
  if (DOT_SEGMENT.test(path)) return true;
  const { segments } = outlineOf(path);
  if (segments !== null && !segments.has('.') && !segments.has('..')) return false;
  const accepts = (reading: string): boolean => !DOT_SEGMENT.test(reading);
  return everyReading(path, path, { usesQuery: false, expressions: 0, accepts }) !== 'all hold';
}

/**
 * Decodes escapes in a configured pattern if their characters have no special meaning in a path: `/%40admin`
 * becomes `/@admin`.
 */
export function decodePattern(pattern: string): string {
  return pattern.replaceAll(/%(?:2[1246-9A-E]|3[AC-E]|40|5[BDE]|60|7[B-D])/gi, decodeEscape);
}

/** Returns the max number of readings to check for a path. */
function maxReadings(spelling: string, expressions: number): number {
  const places = spelling.match(PLACE)?.length ?? 0;
  const work = READING_WORK + spelling.length + PLACE_WORK * places;
  const lookups = 1 + Math.min(expressions, MAX_EXPRESSIONS) / MAX_EXPRESSIONS;
  return Math.max(MIN_READINGS, MAX_WORK / (work * lookups));
}

function everyOutcome(
  start: string,
  budget: { readings: number },
  usesQuery: boolean,
  holds: (outcome: string, query: string | null) => boolean,
): Readings {
  const outcomes = new Set([start]);
  // The loop also visits outcomes added during the loop.
  for (const key of outcomes) {
    budget.readings -= 1;
    if (budget.readings < 0) return 'too many';
    const mark = usesQuery ? key.indexOf(QUERY_MARK) : -1;
    const outcome = cutAt(key, mark);
    const query = mark === -1 ? null : key.slice(mark + 1);
    if (!holds(outcome, query)) return 'one does not';
    for (const step of STEPS) outcomes.add(keyOf(step(outcome), query));
    const queryMark = usesQuery ? outcome.indexOf('?') : -1;
    if (queryMark === -1) continue;
    const decodedQuery = outcome.slice(queryMark + 1);
    outcomes.add(keyOf(outcome.slice(0, queryMark), cutAt(decodedQuery, decodedQuery.indexOf('#'))));
  }
  return 'all hold';
}

function keyOf(outcome: string, query: string | null): string {
  return query === null ? outcome : `${outcome}${QUERY_MARK}${query}`;
}

/** Decodes the matches of {@link ENCODED}, once. */
function decodeOthers(path: string): string {
  return path.replaceAll(ENCODED, (escape, inner?: string) =>
    inner === undefined ? decodeEscape(escape) : `%${inner.toUpperCase()}`,
  );
}

/** Reads two leading slashes as the start of a host, like WHATWG's URL parser. */
function dropAuthority(path: string): string {
  if (!path.startsWith('//')) return path;
  const rest = path.replace(/^\/+[^/?#]*/, '');
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** Trims spaces and control characters at both ends of each segment. */
function trimSegments(path: string): string {
  const blank = path.replaceAll(/%(?:20|[01][\dA-F])/g, ' ');
  if (blank === path) return path;
  const segments = blank.split('/').map((segment) => segment.trim());
  return segments.join('/').replaceAll(' ', '%20');
}

function cutAt(path: string, end: number): string {
  return end === -1 ? path : path.slice(0, end);
}
