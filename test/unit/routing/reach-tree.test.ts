import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { RouteMatch } from '../../../src/config/types/route.ts';
import { CompiledRoute } from '../../../src/routing/compiled-route.ts';
import { outlineOf } from '../../../src/routing/path-outline.ts';
import { ReachSearch } from '../../../src/routing/reach-search.ts';
import { ReachTree } from '../../../src/routing/reach-tree.ts';
import type { RouteRequest } from '../../../src/routing/route-request.ts';
import { ANY } from './any-match.ts';

/** Routes that have their values in `values`, or their places. */
function routesOf(
  matches: readonly Partial<RouteMatch>[],
  values?: readonly number[],
): CompiledRoute<number>[] {
  return matches.map(
    (match, order) => new CompiledRoute(order, { ...ANY, ...match }, values?.[order] ?? order),
  );
}

function treeOf(routes: readonly CompiledRoute<number>[]): ReachTree<number> {
  const tree = new ReachTree<number>();
  for (const route of routes) tree.add(route);
  return tree;
}

/** A request that counts the routes that look at its headers. */
class CountingRequest implements RouteRequest {
  readonly host = 'example.com';
  readonly query = '';
  readonly subprotocols = [];
  readonly certificate = null;
  readonly path: string;
  looks = 0;

  constructor(path: string) {
    this.path = path;
  }

  header(): string {
    this.looks++;
    return 'wanted';
  }
}

/** A search for the routes of one value. */
function searchFor(request: RouteRequest, value: number): ReachSearch<number> {
  return new ReachSearch(request, outlineOf(request.path), null, (other) => other === value);
}

/** A condition that each look at a route shows. */
const SEEN = { headers: new Map([['x', 'wanted']]) };
/** Escapes that are nested deeper than the outline of a path decodes. */
const NESTED = `/${nest('/', 8)}`;

/** Escapes every character of a text, and those of the result, several times. */
function nest(text: string, times: number): string {
  if (times === 0) return text;
  const escaped = Array.from(text, (one) => `%${one.charCodeAt(0).toString(16)}`).join('');
  return nest(escaped, times - 1);
}

describe('a tree of routes by segments', () => {
  it('judges the readings of a path like a check of every route', () => {
    const segment = fc.constantFrom(
      'a',
      'b',
      'c',
      '%40',
      ';',
      '..',
      'a%2Fb',
      '%2e%2e',
      '%252525252525252525252Fa',
    );
    const path = fc.array(segment, { maxLength: 5 }).map((segments) => `/${segments.join('/')}`);
    const condition = fc.oneof(
      path.map((text) => ({ path: text })),
      path.map((text) => ({ pathPrefix: text })),
      fc.constant({ pathPrefix: '/' }),
      fc.constant({ pathRegex: '^/a' }),
    );
    const routes = fc.array(fc.tuple(condition, fc.integer({ min: 0, max: 1 })), { maxLength: 80 });
    fc.assert(
      fc.property(routes, path, (given, wanted) => {
        const all = routesOf(
          given.map(([match]) => match),
          given.map(([, value]) => value),
        );
        const request = new CountingRequest(wanted);
        const one = searchFor(request, 1);
        treeOf(all).search(one);
        const whole = searchFor(request, 1);
        whole.check(all);
        assert.equal(one.isCertain, whole.isCertain);
      }),
      { numRuns: 1000 },
    );
  });

  for (const [what, prefixOf] of [
    ['their first segments', (index: number) => `/app${index}/`],
    ['their second segments', (index: number) => `/app/${index}/`],
    ['segments far behind', (index: number) => `/app/of/one/name/${index}/`],
  ] as const) {
    it(`checks few of many routes that differ by ${what}`, () => {
      const count = 5000;
      const all = routesOf(
        Array.from({ length: count }, (_, index) => ({ ...SEEN, pathPrefix: prefixOf(index) })),
      );
      const tree = treeOf(all);
      const wanted = 4321;
      const request = new CountingRequest(`${prefixOf(wanted)}a%2Fb`);
      const search = searchFor(request, wanted);
      tree.search(search);
      assert.equal(search.isCertain, true);
      assert.ok(request.looks <= 16, `${request.looks} looks`);
    });
  }

  it('checks only routes with segments that a path may have', () => {
    const tree = treeOf(
      routesOf(Array.from({ length: 5000 }, (_, index) => ({ ...SEEN, pathPrefix: `/app/${index}` }))),
    );
    const request = new CountingRequest('/app/1%2F2%2f3/4');
    const search = searchFor(request, 1);
    tree.search(search);
    assert.equal(search.isCertain, false);
    assert.ok(request.looks <= 4, `${request.looks} looks`);
  });

  it('stops at the first decisive route if a path may have any segment', () => {
    const all = routesOf(
      Array.from({ length: 5000 }, (_, index) => ({ ...SEEN, pathPrefix: `/app/${index}` })),
    );
    const tree = treeOf(all);
    const request = new CountingRequest(NESTED);
    assert.equal(outlineOf(NESTED).segments, null);
    const search = searchFor(request, 4321);
    tree.search(search);
    assert.equal(search.isCertain, false);
    assert.equal(request.looks, 1);
  });

  it('gives up on a path with thousands of possible routes, even if they do the same', () => {
    const matches = Array.from({ length: 5000 }, (_, index) => ({ ...SEEN, pathPrefix: `/app/${index}` }));
    const values = matches.map(() => 1);
    for (const [first, isCertain] of [
      [[], false],
      [[{ ...SEEN, pathPrefix: '/' }], true],
    ] as const) {
      const tree = treeOf(routesOf([...first, ...matches], [...first.map(() => 1), ...values]));
      const request = new CountingRequest(NESTED);
      const search = searchFor(request, 1);
      tree.search(search);
      assert.equal(search.isCertain, isCertain);
      assert.ok(request.looks <= 1100, `${request.looks} looks`);
    }
  });

  it('accepts many routes of one long path', () => {
    const deep = '/a'.repeat(4000);
    const all = routesOf(Array.from({ length: 100 }, () => ({ ...SEEN, path: deep })));
    const request = new CountingRequest(`${deep}/..%2f`);
    const search = searchFor(request, 0);
    treeOf(all).search(search);
    assert.equal(search.isCertain, false);
  });
});
