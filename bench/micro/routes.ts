import type { RouteMatch } from '../../src/config/types/route.ts';
import type { RouteRequest } from '../../src/routing/route-request.ts';
import { createRouteTable } from '../../src/routing/route-table-builder.ts';
import type { RouteTable } from '../../src/routing/route-table.ts';
import type { MicroCase } from './micro-case.ts';

const ANY: RouteMatch = {
  hosts: [],
  path: null,
  pathPrefix: null,
  pathRegex: null,
  headers: new Map(),
  query: new Map(),
  subprotocol: null,
  clientCertificate: null,
};

/** Number of hosts in the tables with both hosts and prefixes. */
const HOSTS = 500;

/** Matches the last route of a table, so that no early match helps. Also matches no route at all. */
export default function cases(): MicroCase[] {
  return [...[10, 1000, 10_000].flatMap(indexedCases), ...[10, 1000].flatMap(searchedCases)];
}

/**
 * Returns cases whose conditions are found by an index, in a time that does not depend on the number of
 * routes.
 */
function indexedCases(count: number): MicroCase[] {
  const last = count - 1;
  const paths = tableOf(count, (index) => ({ path: `/app/${index}` }));
  const prefixes = tableOf(count, (index) => ({ pathPrefix: `/app/${index}/` }));
  const hosts = tableOf(count, (index) => ({ hosts: [`h${index}.example.com`], pathPrefix: '/' }));
  const wildcards = tableOf(count, (index) => ({ hosts: [`*.h${index}.example.com`], pathPrefix: '/' }));
  const both = tableOf(count, (index) => ({
    hosts: [`h${index % HOSTS}.example.com`],
    pathPrefix: `/app/${index}`,
  }));
  const names = Array.from({ length: count }, (_, index) => `h${index}.example.com`);
  const list = tableOf(1, () => ({ hosts: names, pathPrefix: '/' }));
  const bothHost = `h${last % HOSTS}.example.com`;
  return [
    match(paths, `path, ${count} routes`, request('example.com', `/app/${last}`)),
    match(prefixes, `prefix, ${count} routes`, request('example.com', `/app/${last}/room/7`)),
    match(prefixes, `prefix of a deep path, ${count} routes`, request('example.com', `/app/${last}${DEEP}`)),
    match(hosts, `host, ${count} routes`, request(`h${last}.example.com`, '/wsapp')),
    match(list, `one of ${count} hosts of a route`, request(`h${last}.example.com`, '/wsapp')),
    match(wildcards, `wildcard host, ${count} routes`, request(`a.b.h${last}.example.com`, '/wsapp')),
    match(both, `host and prefix, ${count} routes`, request(bothHost, `/app/${last}/room/7`)),
    match(paths, `none, ${count} routes`, request('example.com', '/nowhere'), false),
    readings(both, `${count} routes`, request(bothHost, `/app/${last}/a%2Fb`), last),
    readings(prefixes, `${count} routes of one host`, request('example.com', `/app/${last}/a%2Fb`), last),
  ];
}

/** A path of a hundred segments. */
const DEEP = '/room'.repeat(100);

/** Returns cases whose conditions are tried in sequence. */
function searchedCases(count: number): MicroCase[] {
  const last = count - 1;
  const expressions = tableOf(count, (index) => ({ pathRegex: `^/v${index}/([a-z]+)/(.*)$` }));
  const headers = tableOf(count, (index) => ({ headers: new Map([['x-tier', `t${index}`]]) }));
  return [
    match(expressions, `expression, ${count} routes`, request('example.com', `/v${last}/users/7/rooms`)),
    match(headers, `header, ${count} routes`, request('example.com', '/', `t${last}`)),
  ];
}

function tableOf(count: number, matchOf: (index: number) => Partial<RouteMatch>): RouteTable<number> {
  return createRouteTable(
    Array.from({ length: count }, (_, value) => ({ match: { ...ANY, ...matchOf(value) }, value })),
  );
}

function match(table: RouteTable<number>, name: string, wanted: RouteRequest, found = true): MicroCase {
  if ((table.match(wanted) !== null) !== found)
    throw new Error(`${name}: the match is not what it should be`);
  return { name: `match by ${name}`, run: () => table.match(wanted) };
}

/** Compares the readings of a path with an escaped slash. All readings must match the same route. */
function readings(table: RouteTable<number>, name: string, wanted: RouteRequest, route: number): MicroCase {
  const compare = (): unknown => table.compareReadings(wanted, wanted.path, (value) => value === route);
  if (compare() !== 'all hold') throw new Error(`readings, ${name}: not all lead to route ${route}`);
  return { name: `readings of an escaped path, ${name}`, run: compare };
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
