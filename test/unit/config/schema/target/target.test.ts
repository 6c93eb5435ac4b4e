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
            cluster: 'l7-8080',
            upgrade: 'also',
            rewrite: { host: null, stripPrefix: null, path: null },
          },
        ],
      ],
    );
    const written = `clusters: [{ name: l7-8080, endpoints: [{ address: '127.0.0.1:3000' }] }]
listeners: [{ name: l7-8080, mode: l7, address: ':8080', routes: [{ match: {}, cluster: l7-8080 }] }]
`;
    assert.deepEqual(load(written).config, loaded.config);
    assert.deepEqual(load(renderConfig(loaded)).config, loaded.config);
  });

  it('works on listeners of both modes, on routes and in passthrough', () => {
    const { config, warnings } = load(`listeners:
  - address: ':1'
    routes: [{ match: { pathPrefix: /a }, to: 'a:1', upgrade: only, rewrite: { host: b }, headers: { request: { set: { x: y } } } }]
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
      ['l7-1-a', 'app'],
    );
    assert.equal(tcp.cluster, 'l4-2');
    const [rule] = web.passthrough;
    assert.equal(rule?.cluster, 'l7-1-c.example');
    assert.deepEqual(namesOf(config), ['app', 'l7-1-c.example', 'l7-1-a', 'l4-2']);
  });

  it('makes a cluster for each place, also of the same addresses', () => {
    const text = routes(
      "{ match: { pathPrefix: /a }, to: ['a:1', 'b:2'] }",
      "{ name: chat, match: { pathPrefix: /b }, to: ['b:2', 'a:1'] }",
    ).replace(/^clusters.*\n/, '');
    assert.deepEqual(namesOf(load(text).config), ['web-a', 'web-chat']);
  });

  it('takes ports, and endpoints with more keys', () => {
    const { config } = load(
      `listeners:
  - { address: ':80', to: 3000, routes: [{ match: { pathPrefix: /a }, to: [3001, { address: 'a:1', weight: 3 }] }] }
  - { mode: l4, address: ':81', to: '\${PORT}' }
`,
      { env: { PORT: '5432' } },
    );
    const endpoint = (host: string, port: number, weight = 1): object => ({
      address: { kind: 'tcp', host, port },
      weight,
      maxConnections: 0,
    });
    assert.deepEqual(
      config.clusters.map(({ endpoints }) => endpoints),
      [
        [endpoint('127.0.0.1', 3001), endpoint('a', 1, 3)],
        [endpoint('127.0.0.1', 3000)],
        [endpoint('127.0.0.1', 5432)],
      ],
    );
  });

  it('takes a cluster without its name', () => {
    const keys = 'balancer: p2c, sticky: { cookie: io }, tls: { verify: false }, healthCheck: { type: tcp }';
    const loaded = load(
      `listeners: [{ address: ":80", to: { ${keys}, endpoints: ['a:1', { address: 'b:1', weight: 2 }] } }]`,
    );
    const long = load(`listeners: [{ address: ":80", cluster: l7-80 }]
clusters: [{ name: l7-80, ${keys}, endpoints: ['a:1', { address: 'b:1', weight: 2 }] }]`);
    assert.deepEqual(loaded.config, long.config);
    assert.equal(renderConfig(loaded), renderConfig(long));
    assert.deepEqual(load(renderConfig(loaded)).config, loaded.config);
  });

  it('names the place of every mistake in a cluster without a name', () => {
    const errors = (mapping: string): string[] =>
      errorsOf(`listeners: [{ address: ":80", to: { ${mapping} } }]`);
    assert.deepEqual(errors("sticky: { cookies: io }, endpoints: ['a:1', { adress: 'b:1' }]"), [
      '1:37: "sticky" needs "cookie"',
      '1:47: unknown key "cookies" in "sticky": did you mean "cookie"?',
      '1:81: an endpoint needs "address"',
      '1:83: unknown key "adress" in an endpoint: did you mean "address"?',
    ]);
    assert.deepEqual(errors('balancer: p2c'), ['1:31: a cluster without a name needs "endpoints"']);
    assert.match(
      errors("name: a, endpoints: ['a:1']")[0] ?? '',
      /^1:37: the place of "to" names its cluster: leave name out/,
    );
    assert.match(
      errors("address: 'a:1'")[1] ?? '',
      /^1:37: a mapping in "to" is a whole cluster: write endpoints/,
    );
    assert.match(errors('file: a')[1] ?? '', /write endpoints: \[\{ address: \{ file: FILE \} \}\]$/);
  });

  it('keeps secrets and other values from outside in the long form', () => {
    const env = { SECRET: 'a secret of a cookie', BACKEND: 'b:1' };
    const loaded = load(
      `listeners:
  - address: ':80'
    to: { sticky: { cookie: io, secret: '\${SECRET}' }, endpoints: ['a:1', '\${BACKEND}'] }
`,
      { env },
    );
    const text = renderConfig(loaded);
    assert.match(text, /secret: \$\{SECRET\}\n/);
    assert.match(text, /address: a:1\n[^$]*address: \$\{BACKEND\}\n/);
    assert.deepEqual(load(text, { env }).config, loaded.config);
  });

  it('refuses what cannot be dialled, twice the same, and cluster beside it', () => {
    assert.deepEqual(errorsOf(to('a:1', 'a:1')), [
      '1:42: to: "a:1" is listed twice: list it once, with a higher weight',
    ]);
    assert.match(errorsOf(to('a:1', 'A:1'))[0] ?? '', /"A:1" is listed twice/);
    assert.deepEqual(errorsOf(to()), ['1:31: to: the list is empty: write at least one of endpoints']);
    assert.match(errorsOf(to('a:0'))[0] ?? '', /^1:36: to: "a:0" has port 0/);
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

  it('refuses a configured cluster that has the name of the place', () => {
    const text = `${to('a:1')}clusters: [{ name: l7-80, endpoints: ['b:1'] }]\n`;
    assert.deepEqual(
      errorsOf(text).filter((error) => !error.includes('nothing uses')),
      [
        '1:31: the place of "to" names its cluster "l7-80", and "clusters" has one of this name: ' +
          'write cluster: l7-80, or rename that cluster, this listener or this route',
      ],
    );
  });

  it('refuses two places with one name, and names both', () => {
    const text = `listeners:
  - { name: web, address: ':1', routes: [{ match: { pathPrefix: /api }, to: 'a:1' }], to: 'a:1' }
  - { name: web-api, address: ':2', to: 'a:1' }
`;
    assert.deepEqual(errorsOf(text), [
      '3:41: the place of "to" names its cluster "web-api", as does the "to" at 2:73: ' +
        'give a route a name, rename a listener, or move one of the clusters to "clusters"',
    ]);
    assert.deepEqual(errorsOf(text.replace('{ match', '{ name: chat, match')), []);
  });

  it('causes no second error beside equal names of listeners and routes, and invalid matches', () => {
    const places = "{ name: a, match: { path: /a }, to: 'a:1' }, { name: a, match: { path: /b }, to: 'b:1' }";
    const text = `listeners: [{ name: web, address: ':1', routes: [${places}] }, { name: web, address: ':2', to: 3000, routes: [${places.replaceAll('name: a, ', '')}] }]`;
    const other = text.replace("':2', to: 3000,", "':2',");
    assert.equal(errorsOf(text).length, 2, errorsOf(text).join('\n'));
    assert.equal(errorsOf(other).length, 2, errorsOf(other).join('\n'));
    const route = "{ match: { paths: /a }, to: 'a:1' }";
    assert.equal(errorsOf(`listeners: [{ address: ':1', routes: [${route}, ${route}] }]`).length, 2);
  });

  it('makes no cluster that others can name', () => {
    const text = routes("{ match: { pathPrefix: /a }, to: 'a:1' }", '{ match: {}, cluster: web-a }');
    const fault =
      '"web-a" is the cluster of the "to" at 6:38, and only clusters in "clusters" can be named: move it there';
    assert.deepEqual(errorsOf(text), [`7:31: ${fault}`]);
    const reversed = routes(
      '{ match: { path: /b }, cluster: web-a }',
      "{ match: { pathPrefix: /a }, to: 'a:1' }",
    );
    assert.match(errorsOf(reversed)[0] ?? '', /^6:41: "web-a" is the cluster of the "to" at 7:/);
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
    const other = `clusters: [{ name: web-r7, endpoints: ['a:1'] }]\n${text(items)}`;
    assert.match(errorsOf(other, { memory })[0] ?? '', /names its cluster "web-r7", and "clusters" has one/);
  });

  it('are read again if their cluster depends on a file', () => {
    const memory = new ItemMemory();
    const item = (index: number): string =>
      `      - name: r${index}\n        match: { path: /${index} }\n` +
      "        to: { sticky: { cookie: io, secretFile: rotated.secret }, endpoints: ['a:1'] }\n";
    const text = `listeners:\n  - name: web\n    address: ':1'\n    routes:\n${Array.from({ length: 400 }, (_, index) => item(index)).join('')}`;
    const secretOf = (secret: string): unknown =>
      load(text, { memory, files: { 'rotated.secret': secret } }).config.clusters[300]?.sticky?.secret;
    for (const secret of ['the first secret of all', 'the second secret of all'])
      assert.equal(secretOf(secret), secret);
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
