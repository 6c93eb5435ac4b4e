import { mergeSlashes, removeDotSegments, rewriteEscapes, stripParameters } from './request-path.ts';

/** Max paths that {@link everyReading} looks at. Short paths of three odd spellings have about 20 readings. */
const MAX_READINGS = 64;
/** Max characters of all these paths: a path of 8 KiB may have 4 readings. */
const MAX_CHARACTERS = 32 * 1024;

/** An escaped escape (`%25` and two digits), or an escaped visible character that no other step decodes. */
const ENCODED = /%25([\dA-F]{2})|%(?!2[05DEF]|3\d|4[1-9A-F]|5[0-9ACF]|6[1-9A-F]|7[0-9AEF])[2-7][\dA-F]/gi;
/** Forms of ASCII that are one to three bytes too long. */
const OVERLONG = /(?:%C[01]|%E0%8[01]|%F0%80%8[01])%[89AB][\dA-F]/gi;
const DOT_SEGMENT = /\/\.\.?(?:\/|$)/;
const QUERY = /[?#]/;

/**
 * What servers are known to do to a path before they use it. Each does some of this, in an order of its own: Tomcat
 * cuts parameters, decodes, then removes dot segments; nginx decodes, merges slashes and removes dot segments; Node's URL
 * takes `//x/a` for the path /a of the host x, and leaves out tabs and line ends; others decode twice because a second
 * server stands behind the first.
 */
const STEPS: readonly ((path: string) => string)[] = [
  (path) => path.replaceAll('%2F', '/'),
  (path) => path.replaceAll('%5C', '\\'),
  decodeOthers,
  rewriteEscapes,
  (path) => path.replaceAll(OVERLONG, decodeOverlong),
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

/**
 * Whether `holds` is true for every path that an endpoint can read out of a request's path: for every result of
 * {@link STEPS}, taken in any order and repeatedly. False for a path with too many readings: no honest client needs one.
 *
 * @param path the path that the endpoint gets
 * @param spelling the path before its dot segments were removed; its readings without dot segments count, too
 * @param holds not asked about `path` itself
 */
export function everyReading(path: string, spelling: string, holds: (reading: string) => boolean): boolean {
  const seen = new Set([path]);
  const budget = { readings: MAX_READINGS, characters: MAX_CHARACTERS };
  const check = (reading: string): boolean => {
    if (seen.has(reading)) return true;
    seen.add(reading);
    return holds(reading);
  };
  if (!everyOutcome(path, budget, check)) return false;
  // No endpoint sees this spelling, but its writer may mean a server that merges slashes before it removes dot segments.
  return spelling === path || everyOutcome(spelling, budget, (outcome) => check(removeDotSegments(outcome)));
}

/** Whether a segment of the path is `.` or `..`, or can be read so. */
export function hasDotSegment(path: string): boolean {
  if (!path.includes('/.') && !path.includes('%')) return false;
  return DOT_SEGMENT.test(path) || !everyReading(path, path, (reading) => !DOT_SEGMENT.test(reading));
}

/**
 * Decodes the escapes of a configured pattern whose characters have no meaning in a path: `/%40admin` becomes `/@admin`.
 */
export function decodePattern(pattern: string): string {
  return pattern.replaceAll(/%(?:2[1246-9A-E]|3[AC-E]|40|5[BDE]|60|7[B-D])/gi, decodeEscape);
}

function everyOutcome(
  start: string,
  budget: { readings: number; characters: number },
  holds: (outcome: string) => boolean,
): boolean {
  const outcomes = new Set([start]);
  // The loop also visits what is added to the set meanwhile.
  for (const outcome of outcomes) {
    budget.readings -= 1;
    budget.characters -= outcome.length;
    if (budget.readings < 0 || budget.characters < 0 || !holds(outcome)) return false;
    for (const step of STEPS) outcomes.add(step(outcome));
  }
  return true;
}

/** Decodes what {@link ENCODED} finds, once. */
function decodeOthers(path: string): string {
  return path.replaceAll(ENCODED, (escape, inner?: string) =>
    inner === undefined ? decodeEscape(escape) : `%${inner.toUpperCase()}`,
  );
}

function decodeEscape(escape: string): string {
  return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
}

/** Decodes several bytes for one of ASCII (`%C0%AF` for a slash), as decoders do that do not check for the shortest form. */
function decodeOverlong(escape: string): string {
  const high = Number.parseInt(escape.slice(-5, -3), 16) & 1;
  const low = Number.parseInt(escape.slice(-2), 16) & 0x3f;
  const code = high * 64 + low;
  return code > 0x20 && code < 0x7f && code !== 0x25 ? String.fromCharCode(code) : escape;
}

/** Reads two slashes at the front as WHATWG's URL parser does: a host follows. */
function dropAuthority(path: string): string {
  if (!path.startsWith('//')) return path;
  const rest = path.replace(/^\/+[^/?#]*/, '');
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** Cuts spaces and control characters off both ends of each segment. */
function trimSegments(path: string): string {
  const blank = path.replaceAll(/%(?:20|[01][\dA-F])/g, ' ');
  if (blank === path) return path;
  const segments = blank.split('/').map((segment) => segment.trim());
  return segments.join('/').replaceAll(' ', '%20');
}

function cutAt(path: string, end: number): string {
  return end === -1 ? path : path.slice(0, end);
}
