import type { RouteMatch } from '../../src/config/types/route.ts';
import type { RouteRequest } from '../../src/routing/route-request.ts';
import { RouteTable } from '../../src/routing/route-table.ts';
import type { MicroCase } from './micro-case.ts';

const ANY: RouteMatch = {
  host: null,
  path: null,
  pathPrefix: null,
  pathRegex: null,
  headers: new Map(),
  query: new Map(),
  subprotocol: null,
  clientCertificate: null,
};

/** Choosing a route: the last of its table, so that no luck is in it, and none at all. */
export default function cases(): MicroCase[] {
  return [10, 1000].flatMap((count) => {
    const last = count - 1;
    const paths = tableOf(count, (index) => ({ path: `/app/${index}` }));
    const prefixes = tableOf(count, (index) => ({ pathPrefix: `/app/${index}/` }));
    const hosts = tableOf(count, (index) => ({ host: `h${index}.example.com`, pathPrefix: '/' }));
    const expressions = tableOf(count, (index) => ({ pathRegex: `^/v${index}/([a-z]+)/(.*)$` }));
    const headers = tableOf(count, (index) => ({ headers: new Map([['x-tier', `t${index}`]]) }));
    return [
      match(paths, `path, ${count} routes`, request('example.com', `/app/${last}`)),
      match(prefixes, `prefix, ${count} routes`, request('example.com', `/app/${last}/room/7`)),
      match(hosts, `host, ${count} routes`, request(`h${last}.example.com`, '/wsapp')),
      match(expressions, `expression, ${count} routes`, request('example.com', `/v${last}/users/7/rooms`)),
      match(headers, `header, ${count} routes`, request('example.com', '/', `t${last}`)),
      match(paths, `none, ${count} routes`, request('example.com', '/nowhere'), false),
    ];
  });
}

function tableOf(count: number, matchOf: (index: number) => Partial<RouteMatch>): RouteTable<number> {
  return new RouteTable(
    Array.from({ length: count }, (_, value) => ({ match: { ...ANY, ...matchOf(value) }, value })),
  );
}

function match(table: RouteTable<number>, name: string, wanted: RouteRequest, found = true): MicroCase {
  if ((table.match(wanted) !== null) !== found)
    throw new Error(`${name}: the match is not what it should be`);
  return { name: `match by ${name}`, run: () => table.match(wanted) };
}

function request(host: string, path: string, tier?: string): RouteRequest {
  return {
    host,
    path,
    query: '',
    subprotocols: [],
    certificate: null,
    header: (name) => (name === 'x-tier' ? tier : undefined),
  };
}
