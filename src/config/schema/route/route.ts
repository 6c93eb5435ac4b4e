/** Reads the routes of a listener. */
import type { Steps } from '../../../core/timing/steps.ts';
import type { Context } from '../../syntax/context.ts';
import { below } from '../../syntax/hints/elsewhere.ts';
import type { Format } from '../../syntax/formats.ts';
import { FormatError, label } from '../../syntax/formats.ts';
import type { Located } from '../../syntax/section.ts';
import type { KnownRoutes } from '../../syntax/item-memory.ts';
import { Section, isMapping } from '../../syntax/section.ts';
import type { AccessSettings } from '../../types/access.ts';
import type { Route } from '../../types/route.ts';
import { ACCESS_KEYS, readAccess } from '../access/access.ts';
import { usesFiles } from '../cluster/cluster.ts';
import { readLimits, type LimitTerms } from '../limits/limits.ts';
import { LISTENER_KEYS } from '../listener/listener-keys.ts';
import { refuseDuplicateNames } from '../uniqueness.ts';
import { placeOfRoute } from '../target/place.ts';
import { BELOW_TO, TARGET_KEYS, hasTarget, repeatTarget } from '../target/target.ts';
import { readRouteErrorPages } from './error-pages.ts';
import { readFallbackRoute } from './fallback-route.ts';
import { readHttpsRedirect } from './https-redirect.ts';
import { EarlierRoutes } from './reachability.ts';
import { BELOW_ACTION, readAction } from './route-action.ts';
import { readRouteHeaders } from './route-headers.ts';
import { MATCH_KEYS, readMatch, type MatchTerms, type ReadMatch } from './route-match.ts';

export const ROUTE_KEYS = [
  ...['name', 'match', ...TARGET_KEYS, 'upgrade', 'rewrite', 'static', 'respond', 'redirect', 'headers'],
  ...['access', 'limits', 'errorPages'],
];
const SHAPE = {
  what: 'a route',
  keys: ROUTE_KEYS,
  elsewhere: [
    below('match', MATCH_KEYS),
    ...BELOW_ACTION,
    below('access', ACCESS_KEYS),
    { keys: LISTENER_KEYS, write: 'KEY: ... in the listener, beside "routes"' },
    ...BELOW_TO,
  ],
  notes: { include: 'include has no other keys beside it: write { include: FILE } as a separate item' },
};

/** Max hosts, and max routes, that one warning lists. */
const MAX_LISTED = 5;
/** Keys whose values depend on files or on the listener. */
const EXTERNAL_KEYS = ['access', 'limits', 'errorPages'];
/** Metric label of requests without a route. */
const NO_ROUTE = 'none';

const routeName: Format<string> = (value) => {
  const name = label(value);
  if (name !== NO_ROUTE) return name;
  throw new FormatError(`"${NO_ROUTE}" is the metric label of requests without a route: use another name`);
};

/** A route, and what other routes need to know of its match. */
interface ReadRoute extends Pick<ReadMatch, 'expression' | 'isValid'> {
  readonly route: Route;
}

/** Listener settings that routes depend on. */
interface RouteTerms extends MatchTerms {
  /** The listener's name. Empty if it is invalid. */
  readonly listener: string;
  /** The listener's access settings, which a route may partly replace. */
  readonly access: AccessSettings | null;
  /** Whether others on the network can read what clients send. */
  readonly isExposed: boolean;
  readonly limits: LimitTerms;
}

/**
 * Reads the routes of a listener: the list, then the listener's own target or redirect. At least one route is
 * required. Yields after each route.
 */
export function* readRoutes(listener: Section, terms: RouteTerms, context: Context): Steps<readonly Route[]> {
  const routes: Located<ReadRoute>[] = [];
  const earlier = new EarlierRoutes();
  const { listener: name, paths, asksForCertificates, access } = terms;
  const known = context.items.routesOf(name, { paths, asksForCertificates, access });
  const problems = context.problems.count;
  const redirect = readHttpsRedirect(listener, access);
  // An invalid redirect has its own error.
  const hasOther = hasTarget(listener) || redirect !== null || context.problems.count > problems;
  const entries = hasOther ? listener.optionalList('routes', 'routes') : readRequiredEntries(listener);
  for (const [index, entry] of entries.entries()) {
    const route =
      knownRoute(entry, name, known, context) ?? readNewRoute(entry, index, terms, known, context);
    if (route === null) continue;
    warnOfUnreachable(route, earlier, context);
    routes.push(route);
    yield;
  }
  const fallback =
    readFallbackRoute(listener, name, positionName(entries.length), access, context) ?? redirect;
  if (fallback !== null) {
    const route = { path: fallback.path, value: { route: fallback.value, expression: null, isValid: true } };
    warnOfUnreachable(route, earlier, context);
    routes.push(route);
  }
  yield;
  refuseDuplicateNames(
    routes.map(({ path, value }) => ({ path, value: value.route.name })),
    'routes of this listener',
    context.problems,
  );
  return routes.map(({ value }) => value.route);
}

/** Returns the entries of a listener without its own target or redirect. */
function readRequiredEntries(listener: Section): readonly Located<unknown>[] {
  if (listener.has('routes')) return listener.list('routes', 'routes');
  const remedy = listener.has('passthrough') ? ', or mode: l4 if it only tunnels by server name' : '';
  listener.problem(`a listener of mode l7 needs one of routes, cluster, to, redirectToHttps${remedy}`);
  return [];
}

/** Returns the name of a route without the key `name`. */
function positionName(index: number): string {
  return `route-${index + 1}`;
}

/** Returns a route known from an earlier load. Null if it is new. */
function knownRoute(
  { path, value: item }: Located<unknown>,
  listener: string,
  known: KnownRoutes,
  context: Context,
): Located<ReadRoute> | null {
  const route = known.find(item);
  if (route === null) return null;
  const { name, action } = route;
  if (action.kind === 'cluster') {
    repeatTarget(path, { listener, route: name, cluster: action.cluster }, context);
  }
  return { path, value: { route, expression: null, isValid: true } };
}

function readNewRoute(
  { path, value: item }: Located<unknown>,
  index: number,
  terms: RouteTerms,
  known: KnownRoutes,
  context: Context,
): Located<ReadRoute> | null {
  const { outside } = context.problems;
  const { filesRead } = outside;
  const entry = { path, value: outside.valueOfItem(item, path, context.problems) };
  const problems = context.problems.count;
  const read = readRoute(entry, positionName(index), terms, context);
  if (
    read !== null &&
    context.problems.count === problems &&
    outside.filesRead === filesRead &&
    dependsOnTextOnly(entry.value, read.value.route, context)
  ) {
    known.keep(item, read.value.route);
  }
  return read;
}

/**
 * Whether a route depends only on its text and the listener's terms. Other routes depend on files, on their
 * position or on other routes, or need their expression for comparisons.
 */
function dependsOnTextOnly(value: unknown, { match, action }: Route, { clusters }: Context): boolean {
  const isOwn = isMapping(value) && value.has('name') && !EXTERNAL_KEYS.some((key) => value.has(key));
  if (!isOwn || match.pathRegex !== null || action.kind === 'static') return false;
  const unnamed = action.kind === 'cluster' ? clusters.findUnnamed(action.cluster) : null;
  return unnamed === null || !usesFiles(unnamed);
}

function readRoute(
  entry: Located<unknown>,
  defaultName: string,
  terms: RouteTerms,
  context: Context,
): Located<ReadRoute> | null {
  const section = Section.of(entry.value, entry.path, context.problems, SHAPE);
  if (section === null) return null;
  const name = section.optional('name', routeName, defaultName);
  const read = readMatch(section, terms);
  const hasPlace = section.has('to') && terms.listener !== '' && read.isValid;
  const place = hasPlace ? placeOfRoute(terms.listener, section.has('name') ? name : null, read.match) : null;
  const action = readAction(section, read, place, context);
  const headers = readRouteHeaders(section);
  const { access: inherited, isExposed } = terms;
  const access = readAccess({ section, mode: 'l7', inherited, isExposed }, context);
  const limits = readLimits(section, terms.limits);
  const errorPages = readRouteErrorPages(section, context);
  if (action === null) return null;
  const { match, expression, isValid } = read;
  return {
    path: entry.path,
    value: { route: { name, match, action, headers, access, limits, errorPages }, expression, isValid },
  };
}

/**
 * Warns if an earlier route matches everything that a route matches. Then adds the route to the earlier ones.
 * Ignores a route whose match has errors.
 */
function warnOfUnreachable(
  { path, value: { route, expression, isValid } }: Located<ReadRoute>,
  earlier: EarlierRoutes,
  { problems }: Context,
): void {
  if (!isValid) return;
  const { name, match } = route;
  const cover = earlier.coverOf(match);
  earlier.add({ name, match, expression });
  if (cover === null) return;
  const { by, hosts } = cover;
  const names = fewOf(by.map((other) => `"${other.name}"`));
  const before =
    by.length === 1 ? `the route ${names} before it matches` : `the routes ${names} before it match`;
  if (hosts === null) {
    problems.warning(path, `the route "${name}" is never reached: ${before} all that it matches`);
  } else {
    const text = `the route "${name}" is never reached for ${fewOf(hosts)}: ${before} all that it matches there`;
    problems.warning([...path, 'match', 'host'], text);
  }
}

/** Lists at most five texts, and counts the others. */
function fewOf(texts: readonly string[]): string {
  const more = texts.length - MAX_LISTED;
  const listed = more > 0 ? [...texts.slice(0, MAX_LISTED), `${more} more`] : texts;
  return listed.length === 1 ? listed[0]! : `${listed.slice(0, -1).join(', ')} and ${listed.at(-1)!}`;
}
