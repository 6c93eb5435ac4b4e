/** What a route does: exactly one of four things. */
import type { Context } from './context.ts';
import { directory } from './files.ts';
import type { Format } from './formats.ts';
import { FormatError, anyText, describe, integer, pattern } from './formats.ts';
import { isBelow } from './reachability.ts';
import { urlPath } from './route-match.ts';
import type { Section } from './section.ts';
import { isMapping } from './section.ts';
import type { ClusterAction, RedirectAction, RespondAction, RouteAction, RouteMatch } from './types.ts';

const ACTIONS = ['cluster', 'static', 'respond', 'redirect'] as const;
const REWRITE = { what: '"rewrite"', keys: ['stripPrefix'] };
const STATIC = { what: '"static"', keys: ['root', 'index'] };
const RESPOND = { what: '"respond"', keys: ['status', 'body', 'contentType'] };
const REDIRECT = { what: '"redirect"', keys: ['to', 'status'] };
const REDIRECTS = [301, 302, 303, 307, 308] as const;
/** Statuses whose responses have no body (RFC 9110 section 6.4.1). */
const BODILESS = [204, 205, 304];

const fileName = pattern(
  /^[^/\\]*[^/\\.][^/\\]*$/,
  'a file name',
  'write a name without a path, such as index.html',
);
const contentType = pattern(
  /^[\x20-\x7e]+$/,
  'a content type',
  'write one such as text/plain; charset=utf-8',
);
const target = pattern(
  /^(?:\/|https?:\/\/)[!-~]*$/,
  "a redirect's target",
  'begin with "/", "http://" or "https://", without spaces',
);
const redirectStatus: Format<RedirectAction['status']> = (value) => {
  const status = REDIRECTS.find((status) => status === value);
  if (status !== undefined) return status;
  throw new FormatError(
    `${describe(value)} is not a redirect's status: write one of ${REDIRECTS.join(', ')}`,
  );
};

/** Reads the one of the four keys that is there; null where it cannot be read. */
export function readAction(route: Section, match: RouteMatch, context: Context): RouteAction | null {
  const given = ACTIONS.filter((key) => route.has(key));
  const [kind, second] = given;
  if (kind === undefined) {
    route.problem(`a route needs one of ${ACTIONS.join(', ')}`);
    return null;
  }
  if (second !== undefined) {
    route.problem(`a route does one thing: keep one of ${given.join(', ')}`);
  }
  if (route.has('rewrite') && kind !== 'cluster') {
    route.problems.keyError(
      [...route.path, 'rewrite'],
      'rewrite changes what goes to a cluster: this route has none',
    );
  }
  switch (kind) {
    case 'cluster':
      return readCluster(route, match, context);
    case 'static':
      return readStatic(route, context.base);
    case 'respond':
      return readRespond(route);
    case 'redirect':
      return readRedirect(route, match);
  }
}

function readCluster(route: Section, match: RouteMatch, context: Context): ClusterAction {
  const cluster = context.clusters.read(route);
  const rewrite = route.section('rewrite', REWRITE);
  const prefix = rewrite?.required('stripPrefix', urlPath, '/x').replace(/\/+$/, '') ?? null;
  if (rewrite === null || prefix === null) return { kind: 'cluster', cluster, stripPrefix: null };

  const path = match.path ?? match.pathPrefix;
  if (prefix === '') {
    rewrite.problemAt('stripPrefix', '"/" leaves every path as it is: name a longer prefix');
  } else if (path !== null && !isBelow(prefix, path)) {
    rewrite.problemAt(
      'stripPrefix',
      `"${prefix}" is not at the front of ${describe(path)}, which the route matches`,
    );
  } else if (path === null && match.pathRegex === null) {
    const message = `only paths under "${prefix}" are changed: the route matches others too`;
    rewrite.problems.warning([...rewrite.path, 'stripPrefix'], message);
  }
  return { kind: 'cluster', cluster, stripPrefix: prefix };
}

function readStatic(route: Section, base: string): RouteAction | null {
  const section = route.section('static', STATIC);
  if (section === null) return null;
  return {
    kind: 'static',
    root: section.required('root', directory(base), ''),
    index: section.optional('index', fileName, 'index.html'),
  };
}

function readRespond(route: Section): RespondAction | null {
  const section = route.section('respond', RESPOND);
  if (section === null) return null;
  const action: RespondAction = {
    kind: 'respond',
    status: section.optional('status', integer({ least: 200, most: 599 }), 200),
    body: section.optional('body', anyText('a body'), ''),
    contentType: section.optional('contentType', contentType, 'text/plain; charset=utf-8'),
  };
  if (BODILESS.includes(action.status) && action.body !== '') {
    section.problemAt('body', `a response of status ${action.status} has no body: leave it out`);
  }
  return action;
}

function readRedirect(route: Section, match: RouteMatch): RedirectAction | null {
  const section = route.section('redirect', REDIRECT);
  if (section === null) return null;
  const to = section.required('to', target, '/');
  const conditions = route.raw('match');
  // A bad pathRegex has been noted.
  const isBad = match.pathRegex === null && isMapping(conditions) && conditions.has('pathRegex');
  const wanted = Math.max(0, ...[...to.matchAll(/\$([1-9])/g)].map(([, digit]) => Number(digit)));
  const groups = groupsOf(match.pathRegex);
  if (wanted > groups && !isBad) {
    const has = match.pathRegex === null ? 'the match has no pathRegex' : `pathRegex has ${countOf(groups)}`;
    section.problemAt('to', `$${wanted} is group ${wanted} of pathRegex, but ${has}`);
  }
  return { kind: 'redirect', to, status: section.optional('status', redirectStatus, 308) };
}

/** How many capturing groups a regular expression has. */
function groupsOf(source: string | null): number {
  if (source === null) return 0;
  // An empty alternative always matches, and the match has a place for every group.
  return (new RegExp(`${source}|`).exec('')?.length ?? 1) - 1;
}

function countOf(groups: number): string {
  return groups === 0 ? 'no groups' : groups === 1 ? 'one group' : `${groups} groups`;
}
