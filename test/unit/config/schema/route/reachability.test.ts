import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { EarlierRoutes, covers } from '../../../../../src/config/schema/route/reachability.ts';
import type { RouteMatch } from '../../../../../src/config/types/route.ts';
import { LinearExpression } from '../../../../../src/core/linear-expression.ts';

const EVERYTHING: RouteMatch = {
  host: null,
  path: null,
  pathPrefix: null,
  pathRegex: null,
  headers: new Map(),
  query: new Map(),
  subprotocol: null,
  clientCertificate: null,
};

function covered(earlier: Partial<RouteMatch>, later: Partial<RouteMatch>): boolean {
  const { pathRegex = null } = earlier;
  const expression = pathRegex === null ? null : new LinearExpression(pathRegex);
  return covers({ ...EVERYTHING, ...earlier }, { ...EVERYTHING, ...later }, expression);
}

describe('reachability', () => {
  it('is lost after a route without conditions, or one on the prefix /', () => {
    const later = { host: 'a', path: '/x', headers: new Map([['a', 'b']]), subprotocol: 's' };
    for (const earlier of [{}, { pathPrefix: '/' }]) {
      assert.equal(covered(earlier, later), true);
      assert.equal(covered(earlier, {}), true);
      assert.equal(covered(earlier, { pathRegex: 'x' }), true);
      assert.equal(covered(later, earlier), false);
    }
  });

  it('is lost after the same match', () => {
    const match = {
      host: 'a.example',
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
    assert.equal(covered({ host: '*.example.com' }, { host: 'a.example.com' }), true);
    assert.equal(covered({ host: '*.example.com' }, { host: 'a.b.example.com' }), true);
    assert.equal(covered({ host: '*.example.com' }, { host: '*.b.example.com' }), true);
    assert.equal(covered({ host: '*.example.com' }, { host: 'example.com' }), false);
    assert.equal(covered({ host: '*.example.com' }, { host: 'badexample.com' }), false);
    assert.equal(covered({ host: '*.example.com' }, {}), false);
    assert.equal(covered({ host: 'a.example.com' }, { host: '*.example.com' }), false);
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
  const host = fc.constantFrom(null, 'a.example', 'b.a.example', '*.example', '*.a.example');
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
    .map(([name, where, more]): RouteMatch => ({ ...EVERYTHING, host: name, ...where, ...more }));
  const expressionOf = ({ pathRegex }: RouteMatch): LinearExpression | null =>
    pathRegex === null ? null : new LinearExpression(pathRegex);

  it('cover it exactly if one of them does', () => {
    fc.assert(
      fc.property(fc.array(match, { maxLength: 6 }), match, (earlier, later) => {
        const routes = new EarlierRoutes();
        for (const [index, one] of earlier.entries()) {
          routes.add({ name: String(index), match: one, expression: expressionOf(one) });
        }
        const found = routes.coverOf(later);
        const expected = earlier.some((one) => covers(one, later, expressionOf(one)));
        assert.equal(found !== undefined, expected);
        if (found !== undefined) assert.ok(covers(found.match, later, found.expression));
      }),
      { numRuns: 2000 },
    );
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
    assert.equal(routes.coverOf({ ...EVERYTHING, headers }), undefined);
    assert.equal(compared, 1000);
  });
});
