import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { L7Listener } from '../../../../../src/config/types/listener.ts';
import { renderConfig } from '../../../../../src/config/render.ts';
import { errorsOf, load, warningsOf } from '../../load.ts';

/** A configuration of one listener, whose keys are at line 3. */
function listener(...lines: readonly string[]): string {
  return `listeners:\n  - address: '127.0.0.1:8080'\n${lines.map((line) => `    ${line}\n`).join('')}`;
}

function routesOf(text: string): L7Listener['routes'] {
  return (load(text).config.listeners[0] as L7Listener).routes;
}

describe('redirectToHttps', () => {
  it('adds a route behind all others', () => {
    const routes = routesOf(
      listener(
        'redirectToHttps: true',
        'access: { allow: [10.0.0.0/8] }',
        'routes: [{ name: acme, match: { path: /a }, respond: {} }]',
      ),
    );
    assert.deepEqual(
      routes.map(({ name }) => name),
      ['acme', 'redirect-to-https'],
    );
    const { match, action, access } = routes[1]!;
    assert.deepEqual(action, { kind: 'redirect', to: 'https://$host$path$query', status: 308 });
    assert.deepEqual([match.hosts, match.path, match.pathPrefix], [[], null, null]);
    assert.deepEqual(access?.allow, ['10.0.0.0/8']);
  });

  it('needs no other route, and may name a port', () => {
    for (const [value, host] of [
      ['true', '$host'],
      ['443', '$host'],
      ['8443', '$host:8443'],
    ] as const) {
      const [route] = routesOf(listener(`redirectToHttps: ${value}`));
      assert.equal(route?.action.kind === 'redirect' ? route.action.to : '', `https://${host}$path$query`);
    }
  });

  it('is rendered as a route', () => {
    const loaded = load(listener('redirectToHttps: 8443'));
    const again = load(renderConfig(loaded));
    assert.deepEqual(again.config, loaded.config);
  });

  it('adds nothing if it is false', () => {
    assert.equal(
      routesOf(listener('redirectToHttps: false', 'routes: [{ match: {}, respond: {} }]')).length,
      1,
    );
    assert.deepEqual(errorsOf(listener('redirectToHttps: false')), [
      '2:5: a listener of mode l7 needs one of routes, cluster, to, redirectToHttps',
    ]);
  });

  it('takes its value from the environment', () => {
    const text = listener('redirectToHttps: ${H}');
    assert.deepEqual(errorsOf(text, { env: { H: 'false' } }), [
      '2:5: a listener of mode l7 needs one of routes, cluster, to, redirectToHttps',
    ]);
    assert.equal(errorsOf(text, { env: { H: 'maybe' } }).length, 1);
    assert.deepEqual(errorsOf(text, { env: { H: '8443' } }), []);
  });

  it('refuses other values', () => {
    for (const [value, text] of [
      ['0', '0'],
      ['65536', '65536'],
      ['1.5', '1.5'],
      ['https', '"https"'],
      ['', 'an empty value'],
    ] as const) {
      assert.match(
        errorsOf(listener(`redirectToHttps: ${value}`))[0] ?? '',
        new RegExp(
          `redirectToHttps: ${text} is not true or a port: write true, or the port of the listener with tls`,
        ),
      );
    }
  });

  it('is refused where TLS ends, at layer 4, and beside another target', () => {
    const tls = errorsOf(listener('redirectToHttps: true', 'tls: {}'));
    assert.ok(
      tls.some((error) => error.endsWith('write redirectToHttps at the listener of plain HTTP, without tls')),
    );
    assert.match(
      errorsOf(listener('redirectToHttps: true', 'mode: l4', 'to: 10.0.0.1:80'))[0] ?? '',
      /"redirectToHttps" is for listeners of mode l7/,
    );
    assert.deepEqual(errorsOf(listener('redirectToHttps: true', 'to: 10.0.0.1:80')), [
      '3:22: redirectToHttps: "to" already takes every request that no route takes: keep one of them',
    ]);
  });

  it('causes a warning if a route takes every request, and an error if a route has its name', () => {
    const all = listener('redirectToHttps: true', 'routes: [{ name: all, match: {}, respond: {} }]');
    assert.deepEqual(warningsOf(all), [
      '3:22: the route "redirect-to-https" is never reached: the route "all" before it matches all that it matches',
    ]);
    const same = listener(
      'redirectToHttps: true',
      'routes: [{ name: redirect-to-https, match: { path: /a }, respond: {} }]',
    );
    assert.match(errorsOf(same)[0] ?? '', /two routes of this listener have the name "redirect-to-https"/);
  });
});
