/** Reads the action of a route: exactly one. */
import type { Context } from '../../syntax/context.ts';
import type { BaseDirectory } from '../../syntax/files.ts';
import { below } from '../../syntax/hints/elsewhere.ts';
import { directory } from '../../syntax/files.ts';
import { described } from '../../syntax/format-description.ts';
import type { Format } from '../../syntax/formats.ts';
import { FormatError, anyText, describe, integer, oneOf, pattern, toggle } from '../../syntax/formats.ts';
import { hostAndPort } from '../../syntax/host.ts';
import type { Section } from '../../syntax/section.ts';
import type {
  ClusterAction,
  RedirectAction,
  RespondAction,
  Rewrite,
  RouteAction,
} from '../../types/route.ts';
import type { Place } from '../target/place.ts';
import { TARGET_KEYS, hasTarget, readTarget } from '../target/target.ts';
import { checkRedirect, checkRewrite } from './placeholders.ts';
import { isBelow } from './reachability.ts';
import type { ReadMatch } from './route-match.ts';
import { urlPath } from './route-match.ts';

const ACTIONS = [...TARGET_KEYS, 'static', 'respond', 'redirect'] as const;
const REWRITE = { what: '"rewrite"', keys: ['host', 'stripPrefix', 'path'] };
const STATIC = {
  what: '"static"',
  keys: ['root', 'index', 'fallback', 'precompressed', 'cacheControl'],
  short: 'root',
};
const RESPOND = {
  what: '"respond"',
  keys: ['status', 'body', 'contentType'],
  short: 'status',
  elsewhere: [below('body', ['file'])],
};
const REDIRECT = { what: '"redirect"', keys: ['to', 'status'], short: 'to' };
/** Keys of the mappings that a route's action consists of. */
export const BELOW_ACTION = [
  below('rewrite', REWRITE.keys),
  below('static', STATIC.keys),
  below('respond', RESPOND.keys),
  below('redirect', REDIRECT.keys),
];
const REDIRECTS = [301, 302, 303, 307, 308] as const;
/** Keys that need `cluster`, with their effect. */
const CLUSTER_ONLY = [
  ['rewrite', 'changes what goes to'],
  ['upgrade', 'says what goes to'],
] as const;
/** Changes nothing. */
export const NO_REWRITE: Rewrite = { host: null, stripPrefix: null, path: null };
/** Statuses whose responses have no body (RFC 9110 section 6.4.1). */
const BODILESS = [204, 205, 304];

const fileName = pattern(
  /^[^/\\]*[^/\\.][^/\\]*$/,
  'a file name',
  'write a name without a path, such as index.html',
);
const filePath = pattern(
  /^(?!\.{1,2}(?:\/|$))[^/\\]+(?:\/(?!\.{1,2}(?:\/|$))[^/\\]+)*$/,
  'a path below the root',
  'write one without "/" at its front and without "..", such as index.html',
);
const fieldValue = pattern(
  /^[!-~](?:[ -~]*[!-~])?$/,
  "a header's value",
  'write one such as "public, max-age=3600"',
);
const contentType = pattern(
  /^[\x20-\x7e]+$/,
  'a content type',
  'write one such as text/plain; charset=utf-8',
);
const target = pattern(
  /^(?:\/|\$path(?!\w)|https?:\/\/)[!-z|~]*$/,
  "a redirect's target",
  'begin with "/", "$path", "http://" or "https://", without spaces and braces; $host, $path and $query are placeholders',
);
const redirectStatus = described({ type: 'constant', values: REDIRECTS }, (value) => {
  const status = REDIRECTS.find((status) => status === value);
  if (status !== undefined) return status;
  throw new FormatError(
    `${describe(value)} is not a redirect's status: write one of ${REDIRECTS.join(', ')}`,
  );
});

const statusNumber = integer({ min: 200, max: 599 });
const responseStatus: Format<number> = (value) => {
  if (typeof value !== 'string' || /^\d+$/.test(value)) return statusNumber(value);
  throw new FormatError(`${describe(value)} is not a status: write 200 to 599, and a text as { body: TEXT }`);
};

/**
 * Reads the one action key of the route. Returns null if it is invalid.
 *
 * @param place the route's place; null if its match is invalid
 */
export function readAction(
  route: Section,
  read: ReadMatch,
  place: Place | null,
  context: Context,
): RouteAction | null {
  const given = ACTIONS.filter((key) => route.has(key));
  const [kind, second] = given;
  if (kind === undefined) {
    route.problem(`a route needs one of ${ACTIONS.join(', ')}`);
    return null;
  }
  if (second !== undefined) {
    route.problem(`a route does one thing: keep one of ${given.join(', ')}`);
  }
  for (const [key, does] of CLUSTER_ONLY) {
    if (!route.has(key) || hasTarget(route)) continue;
    route.problems.keyError([...route.path, key], `${key} ${does} a cluster: this route has none`);
  }
  switch (kind) {
    case 'cluster':
    case 'to':
      return readCluster(route, read, place, context);
    case 'static':
      return readStatic(route, context.base);
    case 'respond':
      return readRespond(route);
    case 'redirect':
      return readRedirect(route, read);
  }
}

function readCluster(route: Section, read: ReadMatch, place: Place | null, context: Context): ClusterAction {
  const cluster = readTarget(route, place, context);
  const upgrade = route.optional('upgrade', oneOf('only', 'also', 'never'), 'also');
  return { kind: 'cluster', cluster, upgrade, rewrite: readRewrite(route, read) };
}

function readRewrite(route: Section, read: ReadMatch): Rewrite {
  const section = route.section('rewrite', REWRITE);
  if (section === null) return NO_REWRITE;
  if (!['host', 'stripPrefix', 'path'].some((key) => section.has(key))) {
    section.problem('"rewrite" needs one of host, stripPrefix and path');
  }
  const host = section.optional('host', hostAndPort, null);
  if (section.has('stripPrefix') && section.has('path')) {
    section.problem('stripPrefix keeps the rest of the path and path replaces all of it: keep one of them');
  }
  const path = section.optional('path', urlPath, null);
  if (path !== null) checkRewrite(section, path, read);
  if (!section.has('stripPrefix')) return { host, stripPrefix: null, path };
  return { host, stripPrefix: readPrefix(section, read), path };
}

function readPrefix(rewrite: Section, { match, isValid }: ReadMatch): string {
  const prefix = rewrite.required('stripPrefix', urlPath, '/x').replace(/\/+$/, '');
  const path = match.path ?? match.pathPrefix;
  if (prefix === '') {
    rewrite.problemAt('stripPrefix', '"/" leaves every path as it is: name a longer prefix');
    return prefix;
  }
  // An invalid match has its own error.
  if (!isValid) return prefix;
  if (path !== null && !isBelow(prefix, path)) {
    rewrite.problemAt(
      'stripPrefix',
      `"${prefix}" is not at the front of ${describe(path)}, which the route matches`,
    );
  } else if (path === null && match.pathRegex === null) {
    const message = `only paths under "${prefix}" are changed: the route matches others too`;
    rewrite.problems.warning([...rewrite.path, 'stripPrefix'], message);
  }
  return prefix;
}

function readStatic(route: Section, base: BaseDirectory): RouteAction | null {
  const section = route.section('static', STATIC);
  if (section === null) return null;
  return {
    kind: 'static',
    root: section.required('root', directory(base), ''),
    index: section.optional('index', fileName, 'index.html'),
    fallback: section.optional('fallback', filePath, null),
    precompressed: section.optional('precompressed', toggle, false),
    cacheControl: section.optional('cacheControl', fieldValue, null),
  };
}

function readRespond(route: Section): RespondAction | null {
  const section = route.section('respond', RESPOND);
  if (section === null) return null;
  const action: RespondAction = {
    kind: 'respond',
    status: section.optional('status', responseStatus, 200),
    body: section.optional('body', anyText('a body'), ''),
    contentType: section.optional('contentType', contentType, 'text/plain; charset=utf-8'),
  };
  if (BODILESS.includes(action.status) && action.body !== '') {
    section.problemAt('body', `a response of status ${action.status} has no body: leave it out`);
  }
  return action;
}

function readRedirect(route: Section, read: ReadMatch): RedirectAction | null {
  const section = route.section('redirect', REDIRECT);
  if (section === null) return null;
  const to = section.required('to', target, '/');
  checkRedirect(section, to, read);
  return { kind: 'redirect', to, status: section.optional('status', redirectStatus, 308) };
}
