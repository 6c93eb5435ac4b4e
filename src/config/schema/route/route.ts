/** The routes of a listener. */
import type { LinearExpression } from '../../../core/linear-expression.ts';
import type { Steps } from '../../../core/timing/steps.ts';
import type { Context } from '../../syntax/context.ts';
import type { Format } from '../../syntax/formats.ts';
import { FormatError, label } from '../../syntax/formats.ts';
import type { Located } from '../../syntax/section.ts';
import { Section } from '../../syntax/section.ts';
import type { AccessSettings } from '../../types/access.ts';
import type { Route } from '../../types/route.ts';
import { readAccess } from '../access/access.ts';
import { readLimits, type LimitTerms } from '../limits/limits.ts';
import { refuseTwins } from '../uniqueness.ts';
import { EarlierRoutes } from './reachability.ts';
import { readAction } from './route-action.ts';
import { readRouteHeaders } from './route-headers.ts';
import { readMatch, type MatchTerms } from './route-match.ts';

const SHAPE = {
  what: 'a route',
  keys: [
    ...['name', 'match', 'cluster', 'upgrade', 'rewrite', 'static', 'respond', 'redirect', 'headers'],
    ...['access', 'limits'],
  ],
};

/** The name in metrics for requests that no route took. */
const NO_ROUTE = 'none';

const routeName: Format<string> = (value) => {
  const name = label(value);
  if (name !== NO_ROUTE) return name;
  throw new FormatError(`"${NO_ROUTE}" is what metrics call requests that no route took: use another name`);
};

/** A route, and the compiled pathRegex of its match. */
interface ReadRoute {
  readonly route: Route;
  readonly expression: LinearExpression | null;
}

/** What the listener says of its routes. */
interface RouteTerms extends MatchTerms {
  /** Its own settings, of which a route may replace some. */
  readonly access: AccessSettings | null;
  /** Whether others on the network can read what clients send. */
  readonly isExposed: boolean;
  readonly limits: LimitTerms;
}

/** Reads the required list of routes, which must not be empty. Each route is a step. */
export function* readRoutes(listener: Section, terms: RouteTerms, context: Context): Steps<readonly Route[]> {
  const routes: Located<ReadRoute>[] = [];
  const earlier = new EarlierRoutes();
  for (const [index, entry] of listener.list('routes', 'routes').entries()) {
    const route = readRoute(entry, `route-${index + 1}`, terms, context);
    if (route === null) continue;
    warnOfCover(route, earlier, context);
    routes.push(route);
    yield;
  }
  refuseTwins(
    routes.map(({ path, value }) => ({ path, value: value.route.name })),
    'routes of this listener',
    context.problems,
  );
  return routes.map(({ value }) => value.route);
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
  const action = readAction(section, read, context);
  const headers = readRouteHeaders(section);
  const { access: inherited, isExposed } = terms;
  const access = readAccess({ section, mode: 'l7', inherited, isExposed }, context);
  const limits = readLimits(section, terms.limits);
  if (action === null) return null;
  const { match, expression } = read;
  return {
    path: entry.path,
    value: { route: { name, match, action, headers, access, limits }, expression },
  };
}

/** Warns if an earlier route takes all that a route matches, and adds the route to the earlier ones. */
function warnOfCover(
  { path, value: { route, expression } }: Located<ReadRoute>,
  earlier: EarlierRoutes,
  { problems }: Context,
): void {
  const { name, match } = route;
  const cover = earlier.coverOf(match);
  earlier.add({ name, match, expression });
  if (cover === undefined) return;
  const reason = `the route "${cover.name}" before it matches all that it matches`;
  problems.warning(path, `the route "${name}" is never reached: ${reason}`);
}
