import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorsOf, load, refusalOf, routes, warningsOf } from '../../load.ts';

const actionErrors = (text: string): string[] => errorsOf(routes(`{ match: {}, ${text} }`));

describe('route', () => {
  it('is named by its place in the list if it has no name', () => {
    const text = routes(
      '{ match: { path: /a }, respond: {} }',
      '{ name: x, match: { path: /b }, respond: {} }',
      '{ match: {}, respond: {} }',
    );
    const [listener] = load(text).config.listeners;
    assert.deepEqual(listener?.mode === 'l7' && listener.routes.map(({ name }) => name), [
      'route-1',
      'x',
      'route-3',
    ]);
  });

  it('must not use the metric label of requests without a route', () => {
    assert.deepEqual(errorsOf(routes('{ name: none, match: {}, respond: {} }')), [
      '6:17: name: "none" is the metric label of requests without a route: use another name',
    ]);
  });

  it('adds no second X-Request-Id', () => {
    for (const side of ['request', 'response']) {
      const changed = `cluster: app, headers: { ${side}: { CHANGE: { X-Request-Id: a } } }`;
      assert.match(
        actionErrors(changed.replace('CHANGE', 'add'))[0] ?? '',
        /"x-request-id" is always there: use set, which replaces it$/,
      );
      assert.deepEqual(actionErrors(changed.replace('CHANGE', 'set')), []);
    }
  });

  it('does exactly one thing', () => {
    assert.deepEqual(errorsOf(routes('{ match: {} }')), [
      '6:9: a route needs one of cluster, to, static, respond, redirect',
    ]);
    assert.deepEqual(actionErrors('cluster: app, respond: {}'), [
      '6:9: a route does one thing: keep one of cluster, respond',
    ]);
  });

  it('causes a warning if an earlier route matches all of its requests', () => {
    const text = routes(
      '{ name: all, match: { pathPrefix: /a }, respond: {} }',
      '{ name: some, match: { path: /a/b, host: x }, respond: {} }',
      '{ match: { path: /ab }, cluster: app }',
    );
    assert.deepEqual(warningsOf(text), [
      '7:9: the route "some" is never reached: the route "all" before it matches all that it matches',
    ]);
  });

  it('causes one error and no warning if its match is invalid', () => {
    const later = '{ match: { host: a.example.com, pathPrefix: /a }, cluster: app }';
    for (const match of [
      '{ hots: a.example.com }',
      '{ header: { x: 1 } }',
      '{ headers: [x] }',
      '{ host: 1 }',
      'a b',
    ]) {
      const broken = `{ match: ${match}, cluster: app, rewrite: { stripPrefix: /b } }`;
      const redirect = `{ match: ${match}, redirect: "https://example.com/$1" }`;
      for (const text of [routes(broken, later), routes(redirect, later), routes(later, broken)]) {
        const { problems, warnings } = refusalOf(text);
        assert.equal(problems.length, 1, `${match}: ${JSON.stringify(problems)}`);
        assert.deepEqual(warnings, [], match);
      }
    }
  });

  it('causes a warning for the hosts that earlier routes leave without requests', () => {
    const hosts = Array.from({ length: 7 }, (_, index) => `h${index}.a.test`).join(', ');
    const text = routes(
      '{ name: a, match: { host: ["*.a.test", b.test] }, respond: {} }',
      '{ name: c, match: { host: c.test, pathPrefix: / }, respond: {} }',
      '{ name: some, match: { host: [b.test, c.test, d.test], path: /x }, respond: {} }',
      '{ name: no, match: { host: [x.a.test, c.test] }, respond: {} }',
      `{ name: many, match: { host: [${hosts}, e.test] }, respond: {} }`,
      '{ match: {}, cluster: app }',
    );
    assert.deepEqual(warningsOf(text), [
      '8:32: the route "some" is never reached for b.test and c.test: the routes "a" and "c" before it match all ' +
        'that it matches there',
      '9:9: the route "no" is never reached: the routes "a" and "c" before it match all that it matches',
      '10:32: the route "many" is never reached for h0.a.test, h1.a.test, h2.a.test, h3.a.test, h4.a.test and ' +
        '2 more: the route "a" before it matches all that it matches there',
    ]);
  });
});
