/** Routes paths with the settings of a listener, and says in a word what becomes of each. */
import type { PathSettings } from '../../../src/config/types/listener.ts';
import type { RouteMatch } from '../../../src/config/types/route.ts';
import { readPath } from '../../../src/routing/request-path.ts';
import { createRouteTable } from '../../../src/routing/route-table-builder.ts';
import { ANY } from './any-match.ts';

const DEFAULTS: PathSettings = {
  ambiguous: 'refuse',
  mergeSlashes: false,
  escapedSlashes: 'keep',
  pathParameters: 'keep',
};
/** Routes whose names differ only in a digit do the same. */
function effectOf(name: string): string {
  return name.replace(/\d$/, '');
}

/** Returns a function that says what becomes of a path: the route and the path that it gets, or why it is refused. */
export function router(
  routes: Readonly<Record<string, Partial<RouteMatch>>>,
  settings: Partial<PathSettings> = {},
): (raw: string, query?: string) => string {
  const table = createRouteTable(
    Object.entries(routes).map(([value, match]) => ({ match: { ...ANY, ...match }, value })),
  );
  return (raw, query = '') => {
    const read = readPath(raw, { ...DEFAULTS, ...settings });
    if (typeof read === 'string') return read;
    const { path, spelling } = read;
    const request = {
      host: 'example.com',
      path,
      query,
      subprotocols: [],
      certificate: null,
      header: (name: string) => (name === 'x-tier' ? 'gold' : undefined),
    };
    const hit = table.match(request);
    if (hit === null) return 'no route';
    if ('status' in hit) return hit.reason;
    const effect = effectOf(hit.value);
    const found =
      spelling === null
        ? 'all hold'
        : table.compareReadings(request, spelling, (other) => effectOf(other) === effect);
    if (found === 'all hold') return `${hit.value} ${path}`;
    return found === 'one does not' ? 'ambiguous' : found;
  };
}
