/** Reads the conditions of a route. */
import { ExpressionError, LinearExpression } from '../../../core/linear-expression.ts';
import { SUBPROTOCOL, TOKEN } from '../../../core/tokens.ts';
import { describeFormat } from '../../syntax/format-description.ts';
import type { Format } from '../../syntax/formats.ts';
import { FormatError, describe, line, pattern, text } from '../../syntax/formats.ts';
import { Section, isMapping, notMapping, readValue } from '../../syntax/section.ts';
import type { PathSettings } from '../../types/listener.ts';
import type { RouteMatch } from '../../types/route.ts';
import { readClientCertificateMatch } from './client-certificate-match.ts';
import { readHosts } from './hosts.ts';
import { faultOfPath, faultsOfExpression } from './path-patterns.ts';
import { readShortMatch } from './short-match.ts';

export const MATCH_KEYS = [
  ...['host', 'path', 'pathPrefix', 'pathRegex'],
  ...['headers', 'query', 'subprotocol', 'clientCertificate'],
];
const SHAPE = { what: 'a match', keys: MATCH_KEYS };
/** Other proxies have patterns with stars. */
const STAR_IN_PATH = 'a star is an ordinary character here: for all paths below /api, write pathPrefix: /api';
/** Matches every request. */
export const MATCH_ALL: RouteMatch = {
  hosts: [],
  path: null,
  pathPrefix: null,
  pathRegex: null,
  headers: new Map(),
  query: new Map(),
  subprotocol: null,
  clientCertificate: null,
};

/** A path without a query, as in a request line. */
export const urlPath = pattern(
  /^\/[!"$->@-~]*$/,
  'a path',
  'begin with "/", without spaces, "?" and "#", and percent-encode what is not ASCII',
);

const tokenName = pattern(TOKEN, "a header's name", 'write letters, digits and "-"');
/** Name of a header. Returned in lower case. */
export const headerName: Format<string> = (value) => tokenName(value).toLowerCase();
const subprotocol = pattern(
  SUBPROTOCOL,
  'a subprotocol',
  'write one name such as chat.v2, without spaces, commas, semicolons and quotes',
);
const parameterName = text("a query parameter's name");

const regularExpression: Format<LinearExpression> = (value) => {
  const source = text('a regular expression')(value);
  try {
    return new LinearExpression(source);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw new FormatError(`${describe(source)} cannot be used: ${error.message}`);
  }
};

/** A match, with its compiled pathRegex for the checks of other keys. */
export interface ReadMatch {
  readonly match: RouteMatch;
  readonly expression: LinearExpression | null;
  /** False for a match with errors. It lacks conditions then, and other keys are not compared with it. */
  readonly isValid: boolean;
}

/** Listener settings that matches depend on. */
export interface MatchTerms {
  readonly paths: PathSettings;
  /** Whether the listener requests client certificates. */
  readonly asksForCertificates: boolean;
}

/** Reads the optional key `match`. Without it, or with an empty mapping, a route matches every request. */
export function readMatch(route: Section, { paths, asksForCertificates }: MatchTerms): ReadMatch {
  const { problems } = route;
  const errors = problems.errorCount;
  const section = readConditions(route);
  if (section === null) {
    return { match: MATCH_ALL, expression: null, isValid: problems.errorCount === errors };
  }
  for (const other of ['pathPrefix', 'pathRegex']) {
    if (section.has('path') && section.has(other)) {
      section.problem(`path matches one path exactly, and needs no ${other} beside it: keep one of them`);
    }
  }
  const expression = section.optional('pathRegex', regularExpression, null);
  const match: RouteMatch = {
    hosts: readHosts(section),
    path: section.optional('path', urlPath, null),
    pathPrefix: section.optional('pathPrefix', urlPath, null),
    pathRegex: expression === null ? null : expression.source,
    headers: readPairs(section, 'headers', headerName, line("a header's value")),
    query: readPairs(section, 'query', parameterName, line("a query parameter's value")),
    subprotocol: section.optional('subprotocol', subprotocol, null),
    clientCertificate: readClientCertificateMatch(section, asksForCertificates),
  };
  checkPaths(section, match, paths);
  return { match, expression, isValid: problems.errorCount === errors };
}

/** Reads the mapping, or the text or list in its place. Null without the key, and for an invalid value. */
function readConditions(route: Section): Section | null {
  if (!route.has('match')) return null;
  const path = [...route.path, 'match'];
  const conditions = readShortMatch(route.raw('match'), path, route.problems);
  return conditions === undefined ? null : Section.of(conditions, path, route.problems, SHAPE);
}

/**
 * Adds errors and warnings for conditions that no normalised path meets, because the route would protect
 * nothing.
 */
function checkPaths(section: Section, match: RouteMatch, paths: PathSettings): void {
  for (const key of ['path', 'pathPrefix'] as const) {
    const fault = match[key] === null ? null : faultOfPath(match[key], paths);
    if (fault !== null) section.problemAt(key, fault);
    else if (match[key]?.includes('*') === true)
      section.problems.warning([...section.path, key], STAR_IN_PATH);
  }
  for (const fault of match.pathRegex === null ? [] : faultsOfExpression(match.pathRegex, paths)) {
    section.problems.warning([...section.path, 'pathRegex'], fault);
  }
}

/** Reads an optional mapping of names to values. */
export function readPairs(
  match: Section,
  key: string,
  name: Format<string>,
  text: Format<string>,
): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  if (!match.has(key)) return pairs;
  const path = [...match.path, key];
  const { problems } = match;
  problems.observer?.form?.(path, { type: 'pairs', values: describeFormat(text), lists: false, files: true });
  const mapping = match.raw(key);
  if (!isMapping(mapping)) {
    problems.valueError(path, notMapping(mapping, { what: `"${key}"`, keys: ['names and values'] }));
    return pairs;
  }
  for (const [raw, value] of mapping) {
    const read = readValue(raw, [...path, raw], problems, name, null);
    if (read === null) continue;
    if (pairs.has(read)) {
      problems.keyError(
        [...path, raw],
        `${describe(read)} is given twice (case is ignored): keep one of them`,
      );
    }
    pairs.set(read, readValue(value, [...path, raw], problems, text, ''));
  }
  return pairs;
}
