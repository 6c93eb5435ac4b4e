import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderConfig } from '../../../../../src/config/render.ts';
import { ItemMemory } from '../../../../../src/config/syntax/item-memory.ts';
import type { Config } from '../../../../../src/config/types/config.ts';
import { errorsOf, l7Of, load, routes, warningsOf } from '../../load.ts';

function namesOf(config: Config): readonly string[] {
  return config.clusters.map(({ name }) => name);
}

/** Returns a listener that leads to addresses. */
function to(...addresses: readonly string[]): string {
  return `listeners: [{ address: ":80", to: ${JSON.stringify(addresses)} }]\n`;
}

describe('to', () => {
  it('is a whole configuration with an address', () => {
    const loaded = load(`listeners:\n  - { address: ':8080', to: '127.0.0.1:3000' }\n`);
    assert.deepEqual(loaded.warnings, []);
    const { name, mode, routes } = l7Of(loaded);
    assert.deepEqual([name, mode], ['l7-8080', 'l7']);
    assert.deepEqual(
      routes.map(({ name, action }) => [name, action]),
      [
        [
          'route-1',
          {
            kind: 'cluster',
            cluster: '127.0.0.1-3000',
            upgrade: 'also',
            rewrite: { host: null, stripPrefix: null, path: null },
          },
        ],
      ],
    );
    const written = `clusters: [{ name: 127.0.0.1-3000, endpoints: [{ address: '127.0.0.1:3000' }] }]
listeners: [{ name: l7-8080, mode: l7, address: ':8080', routes: [{ match: {}, cluster: 127.0.0.1-3000 }] }]
`;
    assert.deepEqual(load(written).config, loaded.config);
    assert.deepEqual(load(renderConfig(loaded)).config, loaded.config);
  });

  it('works on listeners of both modes, on routes and in passthrough', () => {
    const { config, warnings } = load(`listeners:
  - address: ':1'
    routes: [{ match: { path: /a }, to: 'a:1', upgrade: only, rewrite: { host: b }, headers: { request: { set: { x: y } } } }]
    passthrough: [{ serverName: c.example, to: ['c:1', 'd:1'] }]
    cluster: app
  - { mode: l4, address: ':2', to: 'unix:/run/e.sock' }
clusters: [{ name: app, endpoints: ['f:1'] }]
`);
    assert.deepEqual(warnings, []);
    const [web, tcp] = config.listeners;
    assert.ok(web?.mode === 'l7' && tcp?.mode === 'l4');
    assert.deepEqual(
      web.routes.map(({ action }) => action.kind === 'cluster' && action.cluster),
      ['a-1', 'app'],
    );
    const [rule] = web.passthrough;
    assert.deepEqual(namesOf(config), ['app', rule?.cluster, 'a-1', tcp.cluster]);
    assert.match(rule?.cluster ?? '', /^c-1-and-1-more-[\da-f]{12}$/);
    assert.match(tcp.cluster ?? '', /^unix-run-e.sock-[\da-f]{12}$/);
  });

  it('makes one cluster of the same addresses, in any order', () => {
    const text = routes(
      "{ match: { path: /a }, to: ['a:1', 'b:2'] }",
      "{ match: { path: /b }, to: ['b:2', 'a:1'] }",
      "{ match: { path: /c }, to: 'a:1' }",
      "{ match: {}, to: ['a:1'] }",
    ).replace(/^clusters.*\n/, '');
    const { config } = load(text);
    assert.equal(config.clusters.length, 2);
    assert.deepEqual(
      config.clusters[0]?.endpoints.map(({ address }) => address),
      [
        { kind: 'tcp', host: 'a', port: 1 },
        { kind: 'tcp', host: 'b', port: 2 },
      ],
    );
  });

  it('refuses what cannot be dialled, twice the same, and cluster beside it', () => {
    assert.deepEqual(errorsOf(to('a:1', 'a:1')), ['1:42: to: "a:1" is listed twice: list it once']);
    assert.match(errorsOf(to('a:1', 'A:1'))[0] ?? '', /"A:1" is listed twice/);
    assert.deepEqual(errorsOf(to()), ['1:31: to: the list is empty: write at least one of addresses']);
    assert.match(errorsOf(to('a:0'))[0] ?? '', /^1:36: to: "a:0" has port 0/);
    const many = Array.from({ length: 1001 }, (_, index) => `a:${index + 1}`);
    assert.match(errorsOf(to(...many))[0] ?? '', /1001 addresses are too many/);
    assert.match(
      errorsOf(to(`unix:/${'a'.repeat(200)}`))[0] ?? '',
      /^1:36: to: the path .* is too long for a UNIX socket/,
    );
    const both = `, cluster: app, to: 'a:1' }]\nclusters: [{ name: app, endpoints: ['a:1'] }]\n`;
    for (const [keys, what] of [
      ['', 'a listener of mode l7'],
      ['mode: l4, ', 'a listener of mode l4'],
    ]) {
      assert.deepEqual(errorsOf(`listeners: [{ ${keys}address: ':1'${both}`), [
        `1:13: ${what} needs exactly one of cluster, to`,
      ]);
    }
    assert.deepEqual(errorsOf(routes("{ match: {}, cluster: app, to: 'a:1' }")), [
      '6:9: a route does one thing: keep one of cluster, to',
    ]);
    assert.deepEqual(
      errorsOf(`listeners: [{ address: ':1', to: 'a:1', passthrough: [{ serverName: a.b }] }]`),
      ['1:55: a rule of passthrough needs exactly one of cluster, to'],
    );
  });

  it('refuses a configured cluster that has the derived name', () => {
    const text = `${to('a:1')}clusters: [{ name: a-1, endpoints: ['b:1'] }]\n`;
    assert.deepEqual(
      errorsOf(text).filter((error) => !error.includes('nothing uses')),
      [
        '1:31: these addresses make a cluster "a-1", and "clusters" has one: write cluster: a-1, or rename that cluster',
      ],
    );
  });

  it('makes no cluster that others can name', () => {
    const text = routes("{ match: { path: /a }, to: 'a:1' }", '{ match: {}, cluster: a-1 }');
    assert.match(errorsOf(text)[0] ?? '', /^7:31: there is no cluster "a-1"/);
  });
});

describe('the target of a listener with routes', () => {
  it('serves the requests that no route matches', () => {
    const text = `listeners:\n  - { address: ':1', routes: [{ match: { path: /a }, respond: {} }], to: 'a:1' }\n`;
    const listener = l7Of(load(text));
    assert.deepEqual(
      listener.routes.map(({ name, match }) => [name, match.path]),
      [
        ['route-1', '/a'],
        ['route-2', null],
      ],
    );
  });

  it('causes a warning if a route already matches everything', () => {
    const text = `listeners:\n  - { address: ':1', routes: [{ match: {}, respond: {} }], to: 'a:1' }\n`;
    assert.deepEqual(warningsOf(text), [
      '2:64: the route "route-2" is never reached: the route "route-1" before it matches all that it matches',
    ]);
  });
});

describe('remembered routes', () => {
  it('bring their clusters along', () => {
    const memory = new ItemMemory();
    const item = (index: number): string =>
      `      - { name: r${index}, match: { path: /${index}/a/path/of/some/length }, to: '127.0.0.1:${index + 1}' }\n`;
    const items = Array.from({ length: 400 }, (_, index) => item(index));
    const text = (some: readonly string[]): string =>
      `listeners:\n  - name: web\n    address: ':1'\n    routes:\n${some.join('')}`;
    const first = load(text(items), { memory }).config;
    const second = load(text(items.slice(1)), { memory }).config;
    assert.deepEqual(second, load(text(items.slice(1))).config);
    assert.equal(second.clusters.length, 399);
    assert.equal(second.clusters[300], first.clusters[301]);
  });
});

describe('derived names of listeners', () => {
  it('are made of mode and port, and must be unique', () => {
    const text = (first: string): string => `listeners:
  - { ${first}address: '127.0.0.1:8080', to: 'a:1' }
  - { address: '[::1]:8080', to: 'a:1' }
  - { mode: l4, address: ':5432', to: 'a:1' }
`;
    assert.deepEqual(
      load(text('name: web, ')).config.listeners.map(({ name }) => name),
      ['web', 'l7-8080', 'l4-5432'],
    );
    assert.deepEqual(errorsOf(text('')), [
      '3:5: two listeners have the name "l7-8080": this one has it by default, so write a name here',
    ]);
  });

  it('cause no more errors beside an invalid address', () => {
    const errors = errorsOf("listeners: [{ address: x, to: 'a:1' }, { address: y, to: 'a:1' }]\n");
    assert.deepEqual(
      errors.map((error) => error.slice(0, 40)),
      ['1:24: address: "x" is not an address to ', '1:51: address: "y" is not an address to '],
    );
  });
});
