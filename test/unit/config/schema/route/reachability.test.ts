import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { EarlierRoutes } from '../../../../../src/config/schema/route/reachability.ts';
import type { RouteMatch } from '../../../../../src/config/types/route.ts';
import { LinearExpression } from '../../../../../src/core/linear-expression.ts';

const EVERYTHING: RouteMatch = {
  hosts: [],
  path: null,
  pathPrefix: null,
  pathRegex: null,
  headers: new Map(),
  query: new Map(),
  subprotocol: null,
  clientCertificate: null,
};

function expressionOf({ pathRegex }: RouteMatch): LinearExpression | null {
  return pathRegex === null ? null : new LinearExpression(pathRegex);
}

/** Adds routes named by their index, and returns what they cover of a later one. */
function coverOf(earlier: readonly RouteMatch[], later: RouteMatch): ReturnType<EarlierRoutes['coverOf']> {
  const routes = new EarlierRoutes();
  for (const [index, match] of earlier.entries()) {
    routes.add({ name: String(index), match, expression: expressionOf(match) });
  }
  return routes.coverOf(later);
}

/** Returns whether the earlier route matches all that the later one matches. */
function covered(earlier: Partial<RouteMatch>, later: Partial<RouteMatch>): boolean {
  const cover = coverOf([{ ...EVERYTHING, ...earlier }], { ...EVERYTHING, ...later });
  return cover !== null && cover.hosts === null;
}

describe('reachability', () => {
  it('is lost after a route without conditions, or one on the prefix /', () => {
    const later = { hosts: ['a'], path: '/x', headers: new Map([['a', 'b']]), subprotocol: 's' };
    for (const earlier of [{}, { pathPrefix: '/' }]) {
      assert.equal(covered(earlier, later), true);
      assert.equal(covered(earlier, {}), true);
      assert.equal(covered(earlier, { pathRegex: 'x' }), true);
      assert.equal(covered(later, earlier), false);
    }
  });

  it('is lost after the same match', () => {
    const match = {
      hosts: ['a.example'],
      pathPrefix: '/a',
      pathRegex: '^/a/b',
      headers: new Map([['x', '1']]),
      query: new Map([['v', '2']]),
      subprotocol: 'chat',
    };
    assert.equal(covered(match, match), true);
  });

  it('is lost after a shorter prefix, only at segment boundaries', () => {
    assert.equal(covered({ pathPrefix: '/chat' }, { path: '/chat' }), true);
    assert.equal(covered({ pathPrefix: '/chat' }, { path: '/chat/x' }), true);
    assert.equal(covered({ pathPrefix: '/chat' }, { pathPrefix: '/chat/x' }), true);
    assert.equal(covered({ pathPrefix: '/chat/' }, { pathPrefix: '/chat/x' }), true);
    assert.equal(covered({ pathPrefix: '/chat' }, { path: '/chatter' }), false);
    assert.equal(covered({ pathPrefix: '/chat' }, { pathPrefix: '/' }), false);
    assert.equal(covered({ pathPrefix: '/chat' }, { pathRegex: '^/chat/' }), false);
    assert.equal(covered({ path: '/chat' }, { pathPrefix: '/chat' }), false);
  });

  it('is lost after a regular expression that matches the path', () => {
    assert.equal(covered({ pathRegex: '^/old/' }, { path: '/old/x' }), true);
    assert.equal(covered({ pathRegex: '^/old/' }, { path: '/new' }), false);
    assert.equal(covered({ pathRegex: '^/old/' }, { pathPrefix: '/old/x' }), false);
    assert.equal(covered({ pathRegex: 'a' }, { pathRegex: 'b' }), false);
  });

  it('is lost after a wildcard of the host', () => {
    assert.equal(covered({ hosts: ['*.example.com'] }, { hosts: ['a.example.com'] }), true);
    assert.equal(covered({ hosts: ['*.example.com'] }, { hosts: ['a.b.example.com'] }), true);
    assert.equal(covered({ hosts: ['*.example.com'] }, { hosts: ['*.b.example.com'] }), true);
    assert.equal(covered({ hosts: ['*.example.com'] }, { hosts: ['example.com'] }), false);
    assert.equal(covered({ hosts: ['*.example.com'] }, { hosts: ['badexample.com'] }), false);
    assert.equal(covered({ hosts: ['*.example.com'] }, {}), false);
    assert.equal(covered({ hosts: ['a.example.com'] }, { hosts: ['*.example.com'] }), false);
  });

  it('is kept by a condition that the later route lacks', () => {
    const later = { path: '/x', headers: new Map([['a', '1']]), query: new Map([['v', '1']]) };
    assert.equal(covered({ headers: new Map([['a', '1']]) }, later), true);
    assert.equal(covered({ headers: new Map([['a', '2']]) }, later), false);
    assert.equal(covered({ headers: new Map([['b', '1']]) }, later), false);
    assert.equal(covered({ query: new Map([['v', '1']]) }, later), true);
    assert.equal(covered({ query: new Map([['v', '2']]) }, later), false);
    assert.equal(covered({ subprotocol: 's' }, later), false);
  });

  it('is lost after conditions on the certificate that the later route has too', () => {
    const nothing = { subject: null, san: null, fingerprint: null };
    const alice = { clientCertificate: { ...nothing, subject: 'CN=alice' } };
    const both = { clientCertificate: { ...nothing, subject: 'CN=alice', san: 'a.example' } };
    assert.equal(covered({}, alice), true);
    assert.equal(covered(alice, both), true);
    assert.equal(covered(both, alice), false);
    assert.equal(covered(alice, {}), false);
    assert.equal(covered({ clientCertificate: { ...nothing, subject: 'CN=bob' } }, both), false);
  });
});

describe('the routes before a route', () => {
  const host = fc.uniqueArray(
    fc.constantFrom('a.example', 'b.a.example', '*.example', '*.a.example', 'other.test'),
    { maxLength: 3 },
  );
  const path = fc.constantFrom('/', '/a', '/a/', '/a/b', '/a/b/c', '/ab');
  const match = fc
    .tuple(
      host,
      fc.oneof(
        path.map((exact) => ({ path: exact })),
        path.map((prefix) => ({ pathPrefix: prefix })),
        fc.constantFrom({}, { pathRegex: '^/a/b' }),
      ),
      fc.constantFrom({}, { subprotocol: 's' }),
    )
    .map(([hosts, where, more]): RouteMatch => ({ ...EVERYTHING, hosts, ...where, ...more }));

  it('cover it, host by host, exactly if one of them does', () => {
    fc.assert(
      fc.property(fc.array(match, { maxLength: 6 }), match, (earlier, later) => {
        const isCovered = (host: string): boolean =>
          earlier.some((one) => {
            const takesHost =
              one.hosts.length === 0 ||
              one.hosts.includes(host) ||
              one.hosts.some((each) => each.startsWith('*.') && host.endsWith(each.slice(1)));
            return takesHost && covered({ ...one, hosts: [] }, { ...later, hosts: [] });
          });
        const hosts = later.hosts.length === 0 ? [''] : later.hosts;
        const expected = hosts.filter(isCovered);
        const found = coverOf(earlier, later);
        if (expected.length === hosts.length) assert.equal(found?.hosts, null);
        else assert.deepEqual(found?.hosts ?? [], expected);
        assert.equal(found === null, expected.length === 0);
        for (const { name } of found?.by ?? []) assert.ok(Number(name) < earlier.length);
      }),
      { numRuns: 2000 },
    );
  });

  it('are named once, with the hosts that they cover', () => {
    const on = (...hosts: readonly string[]): RouteMatch => ({ ...EVERYTHING, hosts, pathPrefix: '/a' });
    const earlier = [on('a.example', 'b.example'), on('*.c.example')];
    const cover = coverOf(earlier, on('b.example', 'x.c.example', 'd.example', 'a.example'));
    assert.deepEqual(cover?.hosts, ['b.example', 'x.c.example', 'a.example']);
    assert.deepEqual(
      cover.by.map(({ name }) => name),
      ['0', '1'],
    );
    assert.equal(coverOf(earlier, on('x.c.example', 'a.example'))?.hosts, null);
    assert.equal(coverOf(earlier, on('d.example')), null);
  });

  it('are compared up to a limit', () => {
    const routes = new EarlierRoutes();
    let compared = 0;
    const get = (): undefined => {
      compared++;
      return undefined;
    };
    const headers = { get } as unknown as ReadonlyMap<string, string>;
    const one = { ...EVERYTHING, headers: new Map([['a', 'b']]) };
    for (let index = 0; index < 5000; index++) {
      routes.add({ name: String(index), match: one, expression: null });
    }
    assert.equal(routes.coverOf({ ...EVERYTHING, headers }), null);
    assert.equal(compared, 1000);
    const hosts = Array.from({ length: 500 }, (_, index) => `h${index}.example`);
    compared = 0;
    assert.equal(routes.coverOf({ ...EVERYTHING, headers, hosts }), null);
    assert.equal(compared, 5000);
  });
});
