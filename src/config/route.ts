/** The routes of a listener. */
import type { Context } from './context.ts';
import type { Format } from './formats.ts';
import { FormatError, label } from './formats.ts';
import { covers } from './reachability.ts';
import { readAction } from './route-action.ts';
import { readRouteHeaders } from './route-headers.ts';
import { readMatch } from './route-match.ts';
import type { Located } from './section.ts';
import { Section } from './section.ts';
import type { Route } from './types.ts';
import { refuseTwins } from './uniqueness.ts';

const SHAPE = {
  what: 'a route',
  keys: ['name', 'match', 'cluster', 'upgrade', 'rewrite', 'static', 'respond', 'redirect', 'headers'],
};

/** Metrics count under this name what no route took. */
const NO_ROUTE = 'none';

const routeName: Format<string> = (value) => {
  const name = label(value);
  if (name !== NO_ROUTE) return name;
  throw new FormatError(`"${NO_ROUTE}" is what metrics call requests that no route took: use another name`);
};

/** Reads the list of routes, which must be there and not be empty. */
export function readRoutes(listener: Section, context: Context): readonly Route[] {
  const routes: Located<Route>[] = [];
  for (const [index, entry] of listener.list('routes', 'routes').entries()) {
    const route = readRoute(entry, `route-${index + 1}`, context);
    if (route === null) continue;
    warnOfCover(route, routes, context);
    routes.push(route);
  }
  refuseTwins(
    routes.map(({ path, value }) => ({ path, value: value.name })),
    'routes of this listener',
    context.problems,
  );
  return routes.map(({ value }) => value);
}

function readRoute(entry: Located<unknown>, defaultName: string, context: Context): Located<Route> | null {
  const section = Section.of(entry.value, entry.path, context.problems, SHAPE);
  if (section === null) return null;
  const name = section.optional('name', routeName, defaultName);
  const match = readMatch(section);
  const action = readAction(section, match, context);
  const headers = readRouteHeaders(section);
  return action === null ? null : { path: entry.path, value: { name, match, action, headers } };
}

function warnOfCover(route: Located<Route>, earlier: readonly Located<Route>[], { problems }: Context): void {
  const { name, match } = route.value;
  const cover = earlier.find(({ value }) => covers(value.match, match));
  if (cover === undefined) return;
  const reason = `the route "${cover.value.name}" before it matches all that it matches`;
  problems.warning(route.path, `the route "${name}" is never reached: ${reason}`);
}
