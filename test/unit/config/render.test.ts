import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { loadConfig } from '../../../src/config/loader.ts';
import { renderConfig } from '../../../src/config/render.ts';
import { withGivenValues } from '../../../src/config/render/given-values.ts';
import { ConfigError } from '../../../src/core/errors.ts';
import { TLS_FILES, withAccess, withTls } from '../../support/rigs/config-mutations.ts';

import { cluster, inDirectory, l7, l7Of, load, scratchDirectory } from './load.ts';
import { GOOD_CERT, GOOD_KEY, REVOCATION_LIST } from './pem.ts';
import { TICKET_KEY, WHOLE_FILES, loadWhole } from './whole.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const EXAMPLE = join(ROOT, 'config/example.yaml');

/** Files named in the comments of the example. */
const FILES = Object.fromEntries(
  TLS_FILES.map((name) => [
    name,
    name.endsWith('.crl') ? REVOCATION_LIST : name.endsWith('.key') ? GOOD_KEY : GOOD_CERT,
  ]),
);

const elsewhere = scratchDirectory();

/** Loads what was written, from another directory. */
function reload(text: string, env = {}): ReturnType<typeof load> {
  const file = join(elsewhere, 'printed.yaml');
  writeFileSync(file, text);
  return loadConfig({ file, overrides: [], env });
}

describe('rendered configuration', () => {
  it('loads to the same configuration, wherever it is', () => {
    const loaded = loadWhole();
    const again = reload(renderConfig(loaded));
    assert.deepEqual(again.config, loaded.config);
    assert.deepEqual(again.clusterFiles, loaded.clusterFiles);
    assert.deepEqual([...again.blockLists.values()], [...loaded.blockLists.values()]);
    assert.equal(renderConfig(again), renderConfig(loaded));
  });

  it("loads to the same configuration for sluice's own files", () => {
    for (const name of ['sluice.yaml', 'example.yaml']) {
      const loaded = loadConfig({ file: join(ROOT, 'config', name), overrides: [], env: {} });
      assert.deepEqual(loaded.warnings, [], name);
      assert.deepEqual(reload(renderConfig(loaded)).config, loaded.config, name);
    }
  });

  it('has no password of Redis, of users or of tokens', () => {
    const text = renderConfig(loadWhole());
    assert.ok(!text.includes('{SHA}') && !text.includes('crv'));
    const loaded = load(`redis: { url: 'redis://edge:pass%20word@a.example/1' }\n${l7()}`);
    assert.equal(loaded.config.redis?.url, 'redis://edge:pass%20word@a.example/1');
    assert.match(renderConfig(loaded), /url: redis:\/\/edge:\(hidden\)@a.example\/1\n/);
  });

  it('names the headers for the collector without their values, and its URL without the query', () => {
    const tracing =
      'tracing: { url: "https://a.example/v1/traces?key=geheim", headers: { authorization: geheim } }\n';
    const loaded = load(`${tracing}${l7()}`);
    assert.deepEqual(loaded.config.tracing?.headers, { authorization: 'geheim' });
    assert.match(renderConfig(loaded), /headers:\n +authorization: \(hidden\)\n/);
    assert.match(renderConfig(loaded), /url: https:\/\/a.example\/v1\/traces\?\(hidden\)\n/);
    assert.ok(!renderConfig(loaded).includes('geheim'));
  });

  it('has no text of a key or certificate, and no ticket key', () => {
    const text = renderConfig(loadWhole());
    assert.ok(!text.includes('-----BEGIN'));
    for (const encoding of ['base64', 'hex', 'latin1'] as const) {
      assert.ok(!text.includes(TICKET_KEY.toString(encoding).slice(0, 20)));
    }
  });

  it('has the placeholder for each secret of the file and the command line, which no load accepts', () => {
    const text = `${cluster('sticky: { cookie: c, secret: sixteen-characters }')}admin: { token: a-token-of-20-chars. }\n`;
    const printed = renderConfig(load(text, { overrides: ['redis.url=redis://:geheim@a.example'] }));
    assert.match(
      printed,
      /token: \(hidden\)\n[^]*url: redis:\/\/:\(hidden\)@a.example\n[^]*secret: \(hidden\)\n/,
    );
    assert.ok(
      !printed.includes('sixteen-characters') && !printed.includes('a-token') && !printed.includes('geheim'),
    );
    const remedy = /"\(hidden\)" is the placeholder of print-config for a secret: write the secret, /g;
    assert.throws(
      () => reload(printed),
      (error: unknown) => error instanceof ConfigError && error.message.match(remedy)?.length === 3,
    );
  });

  it('has secrets from the environment and from files as they were given', () => {
    const text = [
      'admin: { token: "${TOKEN}" }',
      'tracing: { url: "https://a.example/v1?key=${KEY:-k}", headers: { X-Key: { file: key.txt }, b: "Bearer ${KEY}" } }',
      'redis: { url: { file: redis.txt } }',
      'listeners:',
      '  - name: web',
      '    mode: l7',
      '    address: :${PORT}',
      '    routes:',
      '      - { match: { path: /a }, cluster: app, headers: { request: { set: { Authorization: "Basic ${KEY}", X-B: "$${b}" } } } }',
      '      - { match: {}, respond: { body: { file: body.txt } } }',
      'clusters:',
      '  - { name: app, sticky: { cookie: c }, endpoints: [{ address: 127.0.0.1:1 }] }',
      '  - { name: b, sticky: { cookie: c, secret: { file: key.txt } }, endpoints: [{ address: 127.0.0.1:1 }] }',
      'demo: { echo: b }',
    ].join('\n');
    const env = { TOKEN: 'a-token-of-20-chars.', KEY: 'geheim', PORT: '81' };
    const files = {
      'key.txt': 'geheim-of-sixteen-characters',
      'redis.txt': 'rediss://:geheim@a.example/2\n',
      'body.txt': 'geheim ${b}',
    };
    const loaded = load(text, { env, files });
    const printed = renderConfig(loaded);
    assert.ok(!printed.includes('geheim') && !printed.includes('a-token'), printed);
    for (const line of [
      'token: ${TOKEN}',
      'url: https://a.example/v1?key=${KEY:-(hidden)}',
      'b: Bearer ${KEY}',
      `file: ${inDirectory('redis.txt')}`,
      'authorization: Basic ${KEY}',
      'x-b: $${b}',
      'address: "[::]:${PORT}"',
    ]) {
      assert.ok(printed.includes(`${line}\n`), `${line} in ${printed}`);
    }
    const again = reload(printed, env);
    assert.deepEqual(again.config, loaded.config);
    assert.equal(renderConfig(again), printed);
  });

  it('hides defaults of secrets, and their text beside a reference', () => {
    const env = { PASS: 'other' };
    for (const [token, shown] of [
      ['${TOKEN:-geheim-of-16-characters}', '${TOKEN:-(hidden)}'],
      ['geheim-of-16-characters-${PASS}', '(hidden)'],
    ] as const) {
      const text = `${l7()}\nadmin: { token: '${token}' }\nredis: { url: 'redis://:\${RP:-geheim}@127.0.0.1:1' }`;
      const printed = renderConfig(load(text, { env }));
      assert.ok(printed.includes(`token: ${shown}\n`) || printed.includes(`token: "${shown}"\n`), printed);
      assert.match(printed, /redis:\/\/:\$\{RP:-\(hidden\)\}@/);
      assert.ok(!printed.includes('geheim'), printed);
    }
  });

  it("has secrets of sluice's own variables as references to them", () => {
    const env = {
      SLUICE_ADMIN_TOKEN: 'a-token-of-20-chars.',
      SLUICE_REDIS_URL: 'redis://:geheim@a.example/',
      SLUICE_STICKY_SECRET: 'sixteen-characters',
      SLUICE_LOG_LEVEL: 'warn',
    };
    const loaded = load(cluster('sticky: { cookie: c }'), { env });
    const printed = renderConfig(loaded);
    for (const name of Object.keys(env).slice(0, 3)) assert.ok(printed.includes(`: \${${name}}\n`), name);
    assert.ok(printed.includes('level: warn\n'));
    assert.deepEqual(reload(printed, env).config, loaded.config);
    const replaced = load(cluster('sticky: { cookie: c }'), {
      env,
      overrides: ['admin.token=another-token-of-20'],
    });
    assert.match(renderConfig(replaced), /token: \(hidden\)\n/);
  });

  it('has items of a sorted list, completed paths and long forms as they were given', () => {
    const values = [
      { path: ['hosts', 0], text: 'B.example', given: '${B}' },
      { path: ['hosts', 1], text: 'a.example', given: '${A}' },
      { path: ['cert'], text: 'certs/a.pem', given: '${DIR}/a.pem' },
      { path: ['key'], text: './a.key', given: './${KEY}' },
      { path: ['body'], text: 'text', given: '${BODY}' },
      { path: ['size'], text: '1024KiB', given: '${SIZE}' },
    ];
    const tree = {
      hosts: ['a.example', 'b.example', '${c}'],
      cert: '/etc/${x}/certs/a.pem',
      key: '/etc/a.key',
      respond: { body: 'text' },
      size: '1MiB',
    };
    assert.deepEqual(withGivenValues(tree, values), {
      hosts: ['${A}', '${B}', '$${c}'],
      cert: '/etc/$${x}/${DIR}/a.pem',
      key: '/etc/./${KEY}',
      respond: { body: '${BODY}' },
      size: '${SIZE}',
    });
  });

  it('tells keys and items apart that differ in case, except names of headers', () => {
    const values = [
      { path: ['require', 'role'], text: 'user', given: '${R}' },
      { path: ['redact', 1], text: '$..password', given: '${V}' },
      { path: ['headers', 'X-Key'], text: 'k', given: '${K}' },
    ];
    const tree = {
      require: { Role: 'admin', role: 'user' },
      redact: ['$..Password', '$..password'],
      headers: { 'x-key': 'k' },
    };
    assert.deepEqual(withGivenValues(tree, values), {
      require: { Role: 'admin', role: '${R}' },
      redact: ['$..Password', '${V}'],
      headers: { 'x-key': '${K}' },
    });
  });

  it('has a directory whose given text is only ./', () => {
    const values = [{ path: ['root'], text: './', given: '${DIR}' }];
    assert.deepEqual(withGivenValues({ root: '/srv' }, values), { root: '/srv' });
  });

  it('hides the text of a file that it has in another place', () => {
    const values = [{ path: ['short'], text: 'geheim', given: { file: '/a' } }];
    assert.deepEqual(withGivenValues({ long: { form: ['geheim', 'b'] } }, values), {
      long: { form: ['(hidden)', 'b'] },
    });
  });

  it('keeps text exactly', () => {
    const word = fc.string({ unit: 'binary', maxLength: 40 });
    const header = fc.string().filter((text) => !/[\u0000-\u001f\u007f]/.test(text));
    fc.assert(
      fc.property(word, header, fc.string({ minLength: 1 }), (body, value, source) => {
        let loaded;
        try {
          loaded = load(
            JSON.stringify({
              listeners: [
                {
                  name: 'a',
                  mode: 'l7',
                  address: ':1',
                  routes: [
                    {
                      match: { headers: { x: value }, query: { q: value }, pathRegex: source },
                      respond: { body },
                    },
                  ],
                },
              ],
            }),
          );
        } catch (error) {
          if (error instanceof ConfigError) return;
          throw error;
        }
        assert.deepEqual(reload(renderConfig(loaded)).config, loaded.config);
      }),
      { numRuns: 50 },
    );
  });
});

describe('example.yaml', () => {
  const text = readFileSync(EXAMPLE, 'utf8');

  it('shows the defaults that it documents', () => {
    const { config } = loadConfig({ file: EXAMPLE, overrides: [], env: {} });
    const [web] = config.listeners;
    const bare = load(
      'listeners: [{ name: web, mode: l7, address: ":1", routes: [{ match: {}, respond: {} }] }]',
    ).config;
    const [bareWeb] = bare.listeners;
    assert.deepEqual(web?.mode === 'l7' && web.websocket, bareWeb?.mode === 'l7' && bareWeb.websocket);
    assert.deepEqual(
      { ...config, demo: null, listeners: [], clusters: [] },
      { ...bare, demo: null, listeners: [], clusters: [] },
    );
  });

  it('is valid when its comments are uncommented', () => {
    const whole = withTls(text);
    assert.notEqual(whole, text);
    mkdirSync(inDirectory('public'), { recursive: true });
    const { config } = load(whole, { files: FILES });
    const [, secure] = config.listeners;
    assert.ok(secure?.mode === 'l7' && secure.tls !== null);
    assert.equal(secure.tls.certificates.length, 2);
    assert.notEqual(secure.tls.clientCertificates?.crl, null);
    const tls = 'tls: { certificates: [{ cert: example.com.pem, key: example.com.key }] }';
    const bare = l7Of(load(l7(tls), { files: FILES })).tls;
    const { certificates, clientCertificates } = secure.tls;
    assert.deepEqual(secure.tls, { ...bare, certificates, clientCertificates });
    assert.notEqual(config.clusters[1]?.tls?.cert, null);
    assert.equal(config.clusters[1]?.tls?.serverName, 'chat.internal');
  });

  it('is valid when its comments about access and limits are uncommented', () => {
    mkdirSync(inDirectory('public'), { recursive: true });
    const loaded = load(withAccess(text), { files: WHOLE_FILES });
    const { access, limits, routes } = l7Of(loaded);
    assert.deepEqual([access?.basic?.realm, access?.jwt?.leewayMs], ['restricted', 30_000]);
    assert.deepEqual(access?.forwardAuth?.maxConcurrent, 100);
    assert.deepEqual(
      limits.map(({ name }) => name),
      ['address', 'claim-sub', 'header-x-api-key'],
    );
    assert.equal(loaded.config.redis?.onFailure, 'local');
    const chat = routes.find(({ name }) => name === 'premium-chat');
    assert.equal(chat?.access?.forwardAuth, null);
    assert.equal(chat.access.origins, null);
    assert.equal(chat.access.jwt, access.jwt);
    assert.equal(chat.limits[0]?.name, 'route');
    assert.deepEqual(reload(renderConfig(loaded)).config, loaded.config);
  });
});
