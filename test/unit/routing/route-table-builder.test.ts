import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { RouteMatch } from '../../../src/config/types/route.ts';
import { doSteps } from '../../../src/core/timing/steps.ts';
import type { CompiledRoute } from '../../../src/routing/compiled-route.ts';
import type { RouteRequest } from '../../../src/routing/route-request.ts';
import { createRouteTable, RouteTableBuilder } from '../../../src/routing/route-table-builder.ts';
import type { RouteTable } from '../../../src/routing/route-table.ts';
import { ANY } from './any-match.ts';

interface Listed {
  readonly match: RouteMatch;
  readonly value: string;
}

/** A table, and what it has compiled from each match. */
interface Built {
  readonly table: RouteTable<string>;
  readonly compiled: ReadonlyMap<RouteMatch, readonly CompiledRoute<string>[]>;
}

function build(routes: readonly Listed[], previous: Built | null = null): Built {
  const builder = new RouteTableBuilder<string>(previous?.table ?? null);
  const compiled = new Map(
    routes.map(({ match, value }) => [
      match,
      builder.add(match, value, previous?.compiled.get(match) ?? null),
    ]),
  );
  return { table: doSteps(builder.build()), compiled };
}

function request(host: string, path: string, query = ''): RouteRequest {
  return { host, path, query, subprotocols: [], certificate: null, header: () => undefined };
}

/** The value of the route that a request takes; null for none. */
function valueOf(table: RouteTable<string>, asked: RouteRequest): string | null {
  const hit = table.match(asked);
  return hit !== null && 'value' in hit ? hit.value : null;
}

const named = (host: string | null, pathPrefix: string, value = `${host} ${pathPrefix}`): Listed => ({
  match: { ...ANY, hosts: host === null ? [] : [host], pathPrefix },
  value,
});

describe('a table built from another', () => {
  it('reuses a compiled route with a new position and value', () => {
    const match = {
      ...ANY,
      pathPrefix: '/%40app',
      pathRegex: '^/.*app/(\\d+)',
      query: new Map([['v', '1']]),
    };
    const before = build([{ match, value: 'old' }]);
    const first = { match: { ...ANY, path: '/@app/7' }, value: 'first' };
    const { table } = build([first, { match, value: 'new' }], before);
    const hitOf = (path: string, query = ''): unknown => table.match(request('a.com', path, query));
    for (const path of ['/@app/42', '/%40app/42']) {
      assert.deepEqual(hitOf(path, 'v=1'), { value: 'new', groups: ['42'] });
      assert.equal(hitOf(path), null);
    }
    assert.deepEqual(hitOf('/@app/7', 'v=1'), { value: 'first', groups: [] });
    const old = before.table.match(request('a.com', '/@app/7', 'v=1'));
    assert.deepEqual(old, { value: 'old', groups: ['7'] });
  });

  it('shares the routes and indexes of all unchanged hosts', () => {
    const routes = [
      named('a.com', '/'),
      named('b.com', '/x'),
      named('b.com', '/'),
      named('*.c.com', '/'),
      named(null, '/'),
    ];
    const before = build(routes);
    const added = named('b.com', '/y');
    const after = build([routes[0]!, added, ...routes.slice(1)], before);
    for (const { match } of routes) assert.equal(after.compiled.get(match), before.compiled.get(match));
    for (const host of ['a.com', 'x.c.com']) {
      assert.deepEqual(after.table.hosts.of(host), before.table.hosts.of(host));
      after.table.hosts.of(host).forEach((index, at) => assert.equal(index, before.table.hosts.of(host)[at]));
    }
    assert.equal(valueOf(after.table, request('b.com', '/y')), added.value);
    assert.equal(valueOf(before.table, request('b.com', '/y')), 'b.com /');
  });

  it('drops a host and a wildcard after their last route is removed', () => {
    const [kept, ...gone] = [named('a.com', '/'), named('b.com', '/'), named('*.c.com', '/')];
    const { table } = build([kept], build([kept, ...gone]));
    assert.equal(valueOf(table, request('b.com', '/')), null);
    assert.equal(valueOf(table, request('x.c.com', '/')), null);
    assert.equal(valueOf(table, request('a.com', '/')), 'a.com /');
  });

  it('shares the indexes of the other hosts of a route that has one host in common with a change', () => {
    const both: Listed = { match: { ...ANY, hosts: ['a.com', 'b.com'], pathPrefix: '/' }, value: 'both' };
    const before = build([both]);
    const added = named('a.com', '/x');
    const { table, compiled } = build([added, both], before);
    assert.equal(compiled.get(both.match), before.compiled.get(both.match));
    assert.equal(table.hosts.of('b.com')[1], before.table.hosts.of('b.com')[1]);
    for (const path of ['/x', '/y']) assert.equal(valueOf(table, request('b.com', path)), 'both');
    assert.equal(valueOf(table, request('a.com', '/x')), added.value);
    assert.equal(valueOf(table, request('a.com', '/y')), 'both');
    const { table: fewer } = build([{ match: { ...both.match, hosts: ['a.com'] }, value: 'a' }], before);
    assert.equal(valueOf(fewer, request('b.com', '/')), null);
    assert.equal(valueOf(fewer, request('a.com', '/')), 'a');
  });

  it('finds room for any number of routes between two others', () => {
    const [first, last] = [named('a.com', '/a'), named('a.com', '/')];
    let built = build([first, last]);
    const between: Listed[] = [];
    for (let count = 0; count < 1100; count++) {
      between.unshift(named('a.com', '/', `between ${count}`));
      built = build([first, ...between, last], built);
    }
    assert.equal(valueOf(built.table, request('a.com', '/b')), 'between 1099');
    assert.deepEqual(
      built.table.routes.map(({ value }) => value),
      [first, ...between, last].map(({ value }) => value),
    );
  });

  it('answers like a newly built table after any additions, removals and moves', () => {
    const lists = [['a.com'], ['b.a.com', 'd.com'], ['*.a.com', 'a.com'], ['*.com'], []];
    const paths = ['/', '/x', '/x/y', '/%78', '/z'];
    const pool = lists.flatMap((hosts) =>
      paths.flatMap((path) => [
        { match: { ...ANY, hosts, path }, value: `${hosts.join()} =${path}` },
        { match: { ...ANY, hosts, pathPrefix: path }, value: `${hosts.join()} ${path}` },
      ]),
    );
    // The same conditions may lead elsewhere: a value with another number.
    const listed = fc.uniqueArray(fc.nat(pool.length - 1), { maxLength: 12 });
    const generation = fc.tuple(listed, fc.nat(1));
    fc.assert(
      fc.property(fc.array(generation, { minLength: 2, maxLength: 6 }), (generations) => {
        let built: Built | null = null;
        for (const [places, variant] of generations) {
          const routes = places.map((place) => {
            const { match, value } = pool[place]!;
            return { match, value: place % 3 === 0 ? `${value} ${variant}` : value };
          });
          built = build(routes, built);
          const anew = createRouteTable(routes);
          for (const host of ['a.com', 'b.a.com', 'c.a.com', 'd.com', 'org']) {
            for (const path of ['/', '/x', '/x/y/z', '/z']) {
              const asked = request(host, path);
              assert.equal(valueOf(built.table, asked), valueOf(anew, asked));
            }
          }
        }
      }),
    );
  });
});
