/** One entry may stand alone in place of a list. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Config } from '../../../../src/config/types/config.ts';
import { MINIMAL, cluster, errorsOf, l7, load, routes } from '../load.ts';

const FILES = { 'blocked.txt': '203.0.113.0/24\n' };
const read = (text: string): Config => load(text, { files: FILES }).config;
const listener = (keys: string): string => l7('address: 127.0.0.1:1', keys);
const jwt = (keys: string): string => listener(`access: { jwt: { keys: https://id.example/jwks, ${keys} } }`);
const root = (keys: string): string => `${keys}\n${MINIMAL}`;

const CASES: readonly (readonly [one: string, list: string])[] = [
  [listener('trustedProxies: 10.0.0.0/8'), listener('trustedProxies: [10.0.0.0/8]')],
  [listener('access: { deny: 10.0.0.1 }'), listener('access: { deny: [10.0.0.1] }')],
  [
    listener('access: { allow: { file: blocked.txt } }'),
    listener('access: { allow: [{ file: blocked.txt }] }'),
  ],
  [listener('access: { origins: self }'), listener('access: { origins: [self] }')],
  [jwt('from: { cookie: a }'), jwt('from: [{ cookie: a }]')],
  [
    listener('access: { forwardAuth: { url: "http://a", headers: x-a } }'),
    listener('access: { forwardAuth: { url: "http://a", headers: [x-a] } }'),
  ],
  [
    listener('limits: { key: address, connections: 5 }'),
    listener('limits: [{ key: address, connections: 5 }]'),
  ],
  [
    listener('passthrough: { serverName: a.example, cluster: app }'),
    listener('passthrough: [{ serverName: [a.example], cluster: app }]'),
  ],
  [
    routes('{ cluster: app, headers: { request: { remove: x-a } } }'),
    routes('{ cluster: app, headers: { request: { remove: [x-a] } } }'),
  ],
  [
    routes('{ cluster: app, limits: { key: address, requests: 5/s } }'),
    routes('{ cluster: app, limits: [{ key: address, requests: 5/s }] }'),
  ],
  [cluster("endpoints: 'a.example:1'"), cluster("endpoints: ['a.example:1']")],
  [
    cluster("endpoints: { address: 'a.example:1', weight: 2 }"),
    cluster("endpoints: [{ address: 'a.example:1', weight: 2 }]"),
  ],
  [
    cluster('outlier: { failures: reset }', 'resolve: { type: a, servers: 10.0.0.2 }'),
    cluster('outlier: { failures: [reset] }', 'resolve: { type: a, servers: [10.0.0.2] }'),
  ],
  [
    root('admin: { hosts: a.example, tapRedact: $..a }'),
    root('admin: { hosts: [a.example], tapRedact: [$..a] }'),
  ],
  [
    root('log: { access: { format: json, fields: client } }'),
    root('log: { access: { format: json, fields: [client] } }'),
  ],
];

describe('one entry', () => {
  it('may stand for a list', () => {
    for (const [one, list] of CASES) assert.deepEqual(read(one), read(list), one);
  });

  it('may come from the environment', () => {
    const text = listener('trustedProxies: "${PROXY}"');
    assert.deepEqual(
      load(text, { env: { PROXY: '10.0.0.1' } }).config,
      read(listener('trustedProxies: 10.0.0.1')),
    );
    const settings = load(MINIMAL, { env: { SLUICE_ADMIN_HOSTS: 'a.example' } }).config;
    assert.deepEqual(settings.admin.hosts, ['a.example']);
  });

  it('has errors at its own place', () => {
    for (const [text, error] of [
      [
        listener('trustedProxies: "a"'),
        /^6:21: trustedProxies: "a" is neither an IP address nor a CIDR block/,
      ],
      [listener('access: { origins: app.example }'), /^6:24: origins: "app.example" has no scheme/],
      [listener('limits: { key: address }'), /^6:5: a limit needs at least one of connections/],
      [listener('limits: { key: address, requests: 5 }'), /^6:39: requests: 5 is not a rate/],
      [cluster("endpoints: 'a.example'"), /^4:16: endpoints: "a.example" is not an endpoint's address/],
      [listener('trustedProxies:'), /^6:5: trustedProxies: an empty value is neither/],
      [root('admin: { hosts: a:1 }'), /^1:17: hosts: "a:1" is not a host name/],
    ] as const) {
      const [first = '', ...more] = errorsOf(text);
      assert.match(first, error);
      assert.deepEqual(more, []);
    }
  });

  it('is no list of what always is one', () => {
    assert.match(errorsOf(l7('routes: { cluster: app }'))[0] ?? '', /routes: a mapping is not a list/);
  });
});
