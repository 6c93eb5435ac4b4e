import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ItemMemory } from '../../../src/config/syntax/item-memory.ts';
import type { Route } from '../../../src/config/types/route.ts';
import { MINIMAL, cluster, errorsOf, inDirectory, l7, l7Of, load, routeOf, routes } from './load.ts';

describe('a value from the environment', () => {
  it('is a number, a boolean, a duration or a word if the setting takes one', () => {
    const env = { N: '7', FLAG: 'true', TIME: '9s', WORD: 'l7', OFF: 'off', SIZE: '64', PORT: '81' };
    const text = [
      'workers: { l7: "${N}", l4: "${MISSING:-2}" }',
      'metrics: { endpoints: "${FLAG}" }',
      'log: { access: "${OFF:-off}" }',
      'shutdown:',
      '  grace: ${TIME}',
      'clusters: [{ name: app, endpoints: [{ address: "127.0.0.1:${PORT}", weight: "${N}" }] }]',
      'listeners:',
      '  - { name: web, mode: "${WORD}", address: ":${PORT}", access: "${OFF}", http: { maxBodySize: "${SIZE}" }, routes: [{ match: {}, cluster: app }] }',
    ].join('\n');
    const loaded = load(text.replace('"${OFF:-off}"', '"${NO:-false}"'), { env });
    const { workers, metrics, log, shutdown, clusters } = loaded.config;
    assert.deepEqual([workers.l7, workers.l4, metrics.endpoints, log.access], [7, 2, true, null]);
    assert.equal(shutdown.graceMs, 9000);
    assert.deepEqual(clusters[0]!.endpoints[0], {
      address: { kind: 'tcp', host: '127.0.0.1', port: 81 },
      weight: 7,
      maxConnections: 0,
    });
    assert.equal(l7Of(loaded).http.maxBodySize, 64);
    assert.equal(l7Of(loaded).access, null);
  });

  it('stays text if the setting takes text', () => {
    const env = { SUBPROTOCOL: '12', HEADER: 'true', TOKEN: '1234567890123456' };
    const loaded = load(
      `admin: { token: "\${TOKEN}" }\n${routes('{ match: { subprotocol: "${SUBPROTOCOL}", headers: { x: "${HEADER}" } }, cluster: app }')}`,
      { env },
    );
    assert.equal(loaded.config.admin.token, env.TOKEN);
    assert.equal(routeOf(loaded).match.subprotocol, '12');
    assert.equal(routeOf(loaded).match.headers.get('x'), 'true');
  });

  it('never becomes a list, a mapping, a comment or a second value', () => {
    const value = fc.string({
      unit: fc.constantFrom(
        'a',
        ': ',
        ' #',
        '\n',
        '- ',
        '[',
        '{',
        '}',
        ']',
        '"',
        "'",
        '*',
        '&',
        '!',
        '\\',
        '$',
      ),
    });
    fc.assert(
      fc.property(value, (BODY) => {
        const loaded = load(routes('{ match: {}, respond: { body: "<${BODY}>" } }'), { env: { BODY } });
        const { action } = routeOf(loaded);
        assert.equal(action.kind === 'respond' && action.body, `<${BODY}>`);
      }),
      { numRuns: 50 },
    );
  });

  it('is refused at its place if the variable is missing, with all others of this kind', () => {
    const text = l7(
      'maxConnections: ${A}',
      'access: { deny: ["${B}"] }',
      'via: "${C:-false}"',
      'routes: "${1}"',
    );
    assert.deepEqual(errorsOf(text), [
      '5:21: the environment has no A: set it, or write ${A:-default}',
      '6:22: the environment has no B: set it, or write ${B:-default}',
      '8:13: "${1}" is not a reference to the environment: write ${NAME} or ${NAME:-default}, or $${ for the text ${',
    ]);
  });

  it('is named with its reference if the setting refuses it', () => {
    const env = { LEVEL: 'inof', LIST: '[a]', NUMBER: '-7', EMPTY: '' };
    assert.deepEqual(
      errorsOf(`${MINIMAL}log: { level: "\${LEVEL}" }\nworkers: { l7: "\${NUMBER}", l4: "\${EMPTY}" }\n`, {
        env,
      }),
      [
        '7:15: level: "${LEVEL}" is not one of debug, info, warn, error, silent: did you mean info?',
        '8:16: l7: "${NUMBER}" is not a number of threads: write auto, or 1 to 256',
        '8:33: l4: an empty value is not a number of threads: write auto, or 1 to 256 (from "${EMPTY}")',
      ],
    );
  });

  it('is not shown in the URL of a key set', () => {
    const access = 'access: { jwt: { keys: "http://keys.example/x?key=${SECRET}", issuer: a, audience: b } }';
    const errors = errorsOf(l7(access), { env: { SECRET: 's3cr3t-value' } });
    assert.ok(errors.length > 0);
    assert.ok(!errors.join().includes('s3cr3t'), errors.join());
  });

  it('is not shown where it may be secret', () => {
    const env = { KEY: 'geheim\nnis' };
    const [error = ''] = errorsOf(
      routes('{ match: {}, cluster: app, headers: { request: { set: { x: "Bearer ${KEY}" } } } }'),
      { env },
    );
    assert.match(error, /"Bearer \$\{KEY\}" has a control character/);
    assert.doesNotMatch(error, /geheim/);
  });

  it('is not read from options and variables of sluice, which the shell has already completed', () => {
    assert.match(errorsOf(MINIMAL, { overrides: ['log.level=${A}'] })[0] ?? '', /"\$\{A\}" is not one of/);
    assert.match(
      errorsOf(MINIMAL, { env: { SLUICE_LOG_LEVEL: '${A}', A: 'info' } })[0] ?? '',
      /"\$\{A\}" is not one of/,
    );
  });

  it('leaves keys, expressions and redirects alone', () => {
    const loaded = load(
      routes(
        `{ match: { pathRegex: '^/(a\\d{2})$' }, redirect: { to: '/b/$1' } }`,
        `{ match: { path: '/x' }, respond: { body: '$\${A}' } }`,
      ),
    );
    const [first, second] = l7Of(loaded).routes as [Route, Route];
    assert.equal(first.match.pathRegex, '^/(a\\d{2})$');
    assert.equal(first.action.kind === 'redirect' && first.action.to, '/b/$1');
    assert.equal(second.action.kind === 'respond' && second.action.body, '${A}');
  });

  it('is replaced once in a block with aliases, and named at each use', () => {
    const text = l7(
      'routes:',
      '  - { name: a, match: { path: /a }, headers: &h { response: { set: { x-a: "$${A}" } } }, cluster: app }',
      '  - { name: b, match: { path: /b }, headers: *h, cluster: app }',
    );
    for (const { headers } of l7Of(load(text)).routes) assert.equal(headers.response.set.get('x-a'), '${A}');
  });

  it('gives way to the variable of its setting and to --set', () => {
    const text = `${MINIMAL}log: { level: "\${LEVEL}", format: "\${FORMAT}" }\n`;
    const env = { LEVEL: 'loud', FORMAT: 'xml', SLUICE_LOG_LEVEL: 'warn' };
    const { log } = load(text, { env, overrides: ['log.format=pretty'] }).config;
    assert.deepEqual([log.level, log.format], ['warn', 'pretty']);
    const bad = errorsOf(text, { env, overrides: ['log.format=xml'] });
    assert.deepEqual(bad, ['--set log.format: "xml" is not one of auto, json, pretty']);
  });
});

describe('a value from a file', () => {
  const files = {
    'secrets/token': 'file-token-of-20-chars\n',
    'secrets/windows': 'file-token-of-20-chars\r\n',
    'secrets/number': '5\n',
    'secrets/empty': '\n',
    'secrets/binary': new Uint8Array([255, 254, 0]),
    'secrets/large': 'x'.repeat(64 * 1024 + 1),
  };

  it('takes the place of any text, without its last line end', () => {
    const text = [
      'admin: { token: { file: secrets/token } }',
      'tracing: { url: "https://a.example/v1/traces", headers: { x-key: { file: "${DIRECTORY}/windows" } } }',
      'workers: { l7: { file: secrets/number } }',
      cluster('sticky: { cookie: c, secret: { file: ./secrets/token } }'),
    ].join('\n');
    const { config, files: watched } = load(text, { files, env: { DIRECTORY: inDirectory('secrets') } });
    assert.equal(config.admin.token, 'file-token-of-20-chars');
    assert.deepEqual(config.tracing?.headers, { 'x-key': 'file-token-of-20-chars' });
    assert.equal(config.workers.l7, 5);
    assert.equal(config.clusters[0]!.sticky?.secret, 'file-token-of-20-chars');
    for (const name of ['secrets/token', 'secrets/windows', 'secrets/number']) {
      assert.ok(watched.includes(inDirectory(name)), name);
    }
  });

  it('is refused at its place, with the file and without its text', () => {
    const errors = (value: string): string[] => errorsOf(`admin: { token: ${value} }\n${l7()}`, { files });
    assert.deepEqual(errors('{ file: none }'), [
      '1:10: token: "none" cannot be read: file not found (looked for none)',
    ]);
    assert.deepEqual(errors('{ file: secrets }'), [
      '1:10: token: "secrets" cannot be read: it is a directory (looked for secrets)',
    ]);
    assert.deepEqual(errors('{ file: secrets/empty }'), [
      '1:10: token: "secrets/empty" is empty: write the value into it (looked at secrets/empty)',
    ]);
    assert.deepEqual(errors('{ file: secrets/binary }'), [
      '1:10: token: "secrets/binary" is not text in UTF-8 (looked at secrets/binary)',
    ]);
    assert.deepEqual(errors('{ file: secrets/large }'), [
      '1:10: token: "secrets/large" is larger than 64KiB (looked at secrets/large)',
    ]);
    assert.match(
      errors('{ file: secrets/number }')[0] ?? '',
      /^1:10: token: the value is not a token: .* \(from the text of secrets\/number\)$/,
    );
    assert.match(errors('{ file: a, b: c }')[0] ?? '', /^1:10: token: the value is not a token/);
    const level = errorsOf(`log: { level: { file: secrets/token } }\n${l7()}`, { files });
    assert.deepEqual(level, [
      '1:8: level: the text of secrets/token is not one of debug, info, warn, error, silent',
    ]);
  });

  it('does not replace mappings with a key file', () => {
    const text = `log: { access: { file: access.log } }\n${l7('access: { deny: [{ file: blocks }], basic: { file: users } }', 'trustedProxies: [127.0.0.1]', 'routes: [{ match: { headers: { file: a }, query: { file: b } }, cluster: app }]')}`;
    const loaded = load(text, {
      files: { blocks: '10.0.0.0/8\n', users: 'alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n' },
    });
    assert.equal(loaded.config.log.access?.file, inDirectory('access.log'));
    assert.deepEqual(l7Of(loaded).access?.deny, ['10.0.0.0/8']);
    assert.deepEqual(routeOf(loaded).match.headers, new Map([['file', 'a']]));
    assert.deepEqual(routeOf(loaded).match.query, new Map([['file', 'b']]));
  });

  it('can come from --set', () => {
    const overrides = ['admin.token={file: secrets/token}'];
    assert.equal(load(l7(), { files, overrides }).config.admin.token, 'file-token-of-20-chars');
  });
});

describe('a load that remembers the previous one', () => {
  const NUMBERS = Array.from({ length: 300 }, (_, index) => index);
  const text = (prefix: string): string =>
    [
      'listeners:',
      '  - name: web',
      '    mode: l7',
      '    address: 127.0.0.1:8080',
      `    via: ${prefix === 'b'}`,
      `    paths: { mergeSlashes: ${prefix === 'b'} }`,
      '    routes:',
      ...NUMBERS.map(
        (n) =>
          `      - { name: "r${n}", match: { host: "h${n}.\${DOMAIN}", path: /some/long/path }, cluster: c${n} }`,
      ),
      '      - { name: own, match: {}, respond: { body: { file: body.txt } } }',
      'clusters:',
      ...NUMBERS.map((n) => `  - name: c${n}\n    endpoints: [{ address: "\${HOST}:${n + 1}" }]`),
      '',
    ].join('\n');
  const env = { DOMAIN: 'a.example', HOST: '127.0.0.1' };

  it('reuses items with references, and reads them again for a changed listener', () => {
    const memory = new ItemMemory();
    const first = load(text('a'), { env, memory, files: { 'body.txt': 'one' } });
    const second = load(text('a'), { env, memory });
    assert.equal(second.config.clusters[7], first.config.clusters[7]);
    assert.equal(l7Of(second).routes[7], l7Of(first).routes[7]);
    const third = load(text('b'), { env, memory });
    assert.deepEqual(l7Of(third).routes, l7Of(load(text('b'), { env })).routes);
    assert.deepEqual(l7Of(third).routes[7]?.match.hosts, ['h7.a.example']);
  });

  it('reads the files of items again', () => {
    const memory = new ItemMemory();
    for (const body of ['one', 'two']) {
      const loaded = load(text('a'), { env, memory, files: { 'body.txt': body } });
      const { action } = l7Of(loaded).routes.at(-1)!;
      assert.equal(action.kind === 'respond' && action.body, body);
    }
  });
});
