import { clusterConfig } from '../upstream/endpoints.ts';
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadConfig } from '../../../src/config/loader.ts';
import { ConfigError } from '../../../src/core/errors.ts';
import { errorsOf, inDirectory, l7, load, scratchDirectory, warningsOf } from './load.ts';

const MINIMAL = `
listeners:
  - { name: web, mode: l7, address: ':8080', routes: [{ match: {}, cluster: app }] }
  - { name: tcp, mode: l4, address: '127.0.0.1:8081', cluster: app }
clusters:
  - { name: app, endpoints: [{ address: 'app.internal:9001' }] }
`;

function place(load: () => unknown): string {
  try {
    load();
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message;
  }
  return 'loaded';
}

describe('loader', () => {
  it('fills in every default', () => {
    const { config, warnings } = load(MINIMAL);
    assert.deepEqual(warnings, []);
    // A quarter of what there is: of all memory, or of what a container may have.
    assert.ok(config.workers.bufferBudget > 0 && config.workers.bufferBudget <= totalmem() / 4);
    assert.deepEqual(config, {
      workers: {
        l7: availableParallelism(),
        l4: availableParallelism(),
        bufferBudget: config.workers.bufferBudget,
        stuckAfterMs: 10_000,
      },
      admin: { address: { kind: 'tcp', host: '127.0.0.1', port: 9090 }, hosts: [], token: null },
      log: { level: 'info', format: 'json', access: true, file: null },
      shutdown: { graceMs: 30_000, readyDelayMs: 0 },
      drain: { rate: 100, deadlineMs: 300_000, jitterMs: 0 },
      demo: null,
      listeners: [
        {
          name: 'web',
          mode: 'l7',
          address: { kind: 'tcp', host: '::', port: 8080 },
          maxConnections: 0,
          tls: null,
          maxPendingHandshakes: 0,
          maxQueuedHandshakes: 1000,
          trustedProxies: [],
          websocket: {
            handshakeTimeoutMs: 10_000,
            maxMessageSize: 16 * 1024 ** 2,
            idleTimeoutMs: 120_000,
            maxLifetimeMs: 0,
            downstreamBuffer: 1024 ** 2,
            upstreamBuffer: 16 * 1024 ** 2,
            compression: 'off',
            endpointLostCode: 1011,
          },
          forwarded: 'x',
          via: false,
          underscoreHeaders: 'drop',
          paths: {
            ambiguous: 'refuse',
            mergeSlashes: false,
            escapedSlashes: 'keep',
            pathParameters: 'keep',
          },
          http: {
            requestTimeoutMs: 60_000,
            idleTimeoutMs: 120_000,
            maxBodySize: 0,
            minBodyRate: 512,
            keepAliveMs: 60_000,
          },
          routes: [
            {
              name: 'route-1',
              match: {
                host: null,
                path: null,
                pathPrefix: null,
                pathRegex: null,
                headers: new Map(),
                query: new Map(),
                subprotocol: null,
              },
              action: {
                kind: 'cluster',
                cluster: 'app',
                upgrade: 'also',
                rewrite: { host: null, stripPrefix: null, path: null },
              },
              headers: {
                request: { set: new Map(), add: new Map(), remove: [] },
                response: { set: new Map(), add: new Map(), remove: [] },
              },
            },
          ],
        },
        {
          name: 'tcp',
          mode: 'l4',
          address: { kind: 'tcp', host: '127.0.0.1', port: 8081 },
          maxConnections: 0,
          cluster: 'app',
          engine: 'auto',
          idleTimeoutMs: 600_000,
          halfCloseTimeoutMs: 60_000,
        },
      ],
      clusters: [
        clusterConfig({
          connectTimeoutMs: 5000,
          retries: 2,
          outlier: {
            failures: ['connect'],
            windowMs: 10_000,
            minClients: 5,
            consecutiveFailures: 5,
            ejectionMs: 30_000,
            maxEjectionMs: 300_000,
            maxEjectedPercent: 50,
          },
          endpoints: [
            { address: { kind: 'tcp', host: 'app.internal', port: 9001 }, weight: 1, maxConnections: 0 },
          ],
        }),
      ],
    });
  });

  it('reads JSON', () => {
    const json = JSON.stringify(
      { listeners: [{ name: 't', mode: 'l4', address: ':1', cluster: 'a' }] },
      null,
      '\t',
    );
    assert.deepEqual(errorsOf(json), ['7:15: there is no cluster "a": there are no clusters']);
  });

  it('names places by the file as it was given', () => {
    const directory = scratchDirectory();
    const file = join(directory, 'x.yaml');
    writeFileSync(file, 'listeners: 5');
    const load = (): unknown => loadConfig({ file, overrides: [], env: {} });
    assert.equal(place(load), `${file}:1:12: listeners: 5 is not a list: write a list of listeners`);
  });

  it('says in one line why a file cannot be read', () => {
    const directory = scratchDirectory();
    const load = (file: string) => (): unknown => loadConfig({ file, overrides: [], env: {} });
    assert.equal(place(load(`${directory}/no`)), `${directory}/no: cannot be read: there is no such file`);
    assert.equal(place(load(directory)), `${directory}: cannot be read: it is a directory`);
    assert.match(place(load('no/such.yaml')), /^no\/such\.yaml: .* \(looked for \/.*\/no\/such\.yaml\)$/);
  });

  it('finds every problem, in the order of the file', () => {
    const errors = errorsOf(`shutdown: { grace: 5 sec }
worker: {}
listeners:
  - { name: web, mode: l4, address: x, cluster: nope }
log: { level: loud }
clusters:
  - { name: app, endpoints: [] }
`);
    assert.deepEqual(
      errors.map((error) => error.split(': ')[0]),
      ['1:20', '2:1', '4:37', '4:49', '5:15', '7:18'],
    );
    assert.equal(errors[0], '1:20: grace: "5 sec" is not a duration: write a number and a unit, such as 5s');
  });

  it('refuses unknown keys at every level, and says which was meant', () => {
    const text = `listeners:
  - name: web
    mode: l7
    adress: ':1'
    address: ':8080'
    websocket: { idleTimout: 1s }
    routes:
      - macth: {}
        match: { pathprefix: / }
        cluster: app
        rewrite: { strip: /x, stripPrefix: /x }
      - match: {}
        respond: { stauts: 200 }
      - match: {}
        redirect: { to: /, code: 301 }
    tls: { certificate: [], certificates: [{ crt: x }] }
clusters:
  - { name: app, balancr: x, tls: { servername: x }, endpoints: [{ adr: x, address: 'a:1' }] }
lisners: []
log: { levels: 1 }
`;
    assert.deepEqual(
      errorsOf(text).filter((error) => error.includes('unknown key')),
      [
        '4:5: unknown key "adress" in a listener of mode l7: did you mean "address"?',
        '6:18: unknown key "idleTimout" in "websocket": did you mean "idleTimeout"?',
        '8:9: unknown key "macth" in a route: did you mean "match"?',
        '9:18: unknown key "pathprefix" in a match: did you mean "pathPrefix"?',
        '11:20: unknown key "strip" in "rewrite": did you mean "stripPrefix"?',
        '13:20: unknown key "stauts" in "respond": did you mean "status"?',
        '15:28: unknown key "code" in "redirect": it has to, status',
        '16:12: unknown key "certificate" in the tls of a listener: did you mean "certificates"?',
        '16:46: unknown key "crt" in a certificate: did you mean "cert"?',
        '18:18: unknown key "balancr" in a cluster: did you mean "balancer"?',
        '18:37: unknown key "servername" in the tls of a cluster: did you mean "serverName"?',
        '18:68: unknown key "adr" in an endpoint: it has address, weight, maxConnections',
        '19:1: unknown key "lisners" in a configuration: did you mean "listeners"?',
        '20:8: unknown key "levels" in "log": did you mean "level"?',
      ],
    );
  });

  it('does not take a prototype for a key', () => {
    assert.match(errorsOf(`${MINIMAL}__proto__: { log: 1 }\n`)[0] ?? '', /unknown key "__proto__"/);
    assert.match(errorsOf(`${MINIMAL}constructor: 1\n`)[0] ?? '', /unknown key "constructor"/);
    assert.match(errorsOf(`${MINIMAL}'log.level': debug\n`)[0] ?? '', /unknown key "log.level"/);
  });

  it('needs at least one listener, and lists that are not empty', () => {
    assert.deepEqual(errorsOf(''), ['1:1: a configuration needs "listeners"']);
    assert.deepEqual(errorsOf('listeners:\n'), ['1:1: a configuration needs "listeners"']);
    assert.deepEqual(errorsOf('listeners: []\nclusters: []\n'), [
      '1:1: listeners: the list is empty: write at least one of listeners',
      '2:1: clusters: the list is empty: write at least one of clusters',
    ]);
    assert.deepEqual(errorsOf(l7('routes: []')), [
      '5:5: routes: the list is empty: write at least one of routes',
    ]);
  });

  it('needs no cluster where no route goes to one', () => {
    const text = 'listeners: [{ name: a, mode: l7, address: ":1", routes: [{ match: {}, respond: {} }] }]';
    assert.deepEqual(load(text).config.clusters, []);
  });

  it('reads a log file in a directory that is there, and names every file that was read', () => {
    const { config, files } = load(`${MINIMAL}log: { file: my.log }\n`);
    assert.equal(config.log.file, inDirectory('my.log'));
    assert.deepEqual(files, [inDirectory('sluice.yaml')]);
    assert.match(
      errorsOf(`${MINIMAL}log: { file: gone/my.log }\n`)[0] ?? '',
      /^\d+:\d+: file: ".*gone" cannot be used: there is no such directory/,
    );
  });

  it('refuses a mapping where something else stands', () => {
    assert.deepEqual(
      errorsOf('- a\n')[0],
      '1:1: a list is not a mapping: a configuration has workers, admin, log, shutdown, drain, demo, listeners, clusters',
    );
    assert.deepEqual(errorsOf(`${MINIMAL}log: info\n`), [
      '7:6: log: "info" is not a mapping: "log" has level, format, access, file',
    ]);
    assert.deepEqual(errorsOf(l7('websocket: [1]')), [
      '5:5: websocket: a list is not a mapping: "websocket" has handshakeTimeout, maxMessageSize, idleTimeout, maxLifetime, downstreamBuffer, upstreamBuffer, compression, endpointLostCode',
    ]);
  });

  it('takes a group in which everything is commented out', () => {
    const { config } = load(`${l7('websocket:', '  # idleTimeout: 1s')}log:\n  # level: debug\n`);
    assert.equal(config.log.level, 'info');
  });

  it('refuses a value that was left empty', () => {
    assert.deepEqual(errorsOf(`${MINIMAL}log: { level: }\n`), [
      '7:8: level: the value is empty: write one, or leave the key out',
    ]);
  });

  it('stops at broken syntax, and at that alone', () => {
    assert.deepEqual(errorsOf('listeners: [\nlog: loud\n').length, 1);
    assert.match(errorsOf('a: "x\n')[0] ?? '', /^[12]:\d: Missing closing "quote$/);
  });

  it('refuses keys that are set twice along with everything else', () => {
    assert.deepEqual(errorsOf(`${MINIMAL}log: { level: info, level: loud }\n`), [
      '7:21: "level" is set twice here: keep one of them',
      '7:28: level: "loud" is not one of debug, info, warn, error, silent',
    ]);
  });

  it('takes --set over the environment, and that over the file', () => {
    const text = `${MINIMAL}log: { level: debug, format: pretty, access: false }\n`;
    const env = { SLUICE_LOG_LEVEL: 'warn', SLUICE_LOG_FORMAT: 'json', SLUICE_WORKERS_L7: '3' };
    const { config } = load(text, { env, overrides: ['log.level=error'] });
    assert.deepEqual(config.log, { level: 'error', format: 'json', access: false, file: null });
    assert.equal(config.workers.l7, 3);
  });

  it('reads for how long a worker may be silent', () => {
    const stuckAfter = (text: string): string => `${MINIMAL}workers: { stuckAfter: ${text} }\n`;
    assert.equal(load(stuckAfter('1s')).config.workers.stuckAfterMs, 1000);
    assert.equal(load(stuckAfter('0')).config.workers.stuckAfterMs, 0);
    for (const text of ['999ms', '11m']) {
      assert.deepEqual(errorsOf(stuckAfter(text)), [
        `7:24: stuckAfter: ${text} is out of range: write 1s to 10m, or 0 for never`,
      ]);
    }
  });

  it('takes every setting from the environment', () => {
    const { config } = load(MINIMAL.replace(/clusters:[^]*/, ''), {
      env: {
        SLUICE_WORKERS_L7: 'auto',
        SLUICE_WORKERS_L4: '2',
        SLUICE_ADMIN_ADDRESS: '[::1]:0',
        SLUICE_ADMIN_TOKEN: 'from-the-environment=',
        SLUICE_LOG_LEVEL: 'silent',
        SLUICE_LOG_FORMAT: 'pretty',
        SLUICE_LOG_ACCESS: 'false',
        SLUICE_SHUTDOWN_GRACE: '1m',
        SLUICE_DEMO_ECHO: 'app',
        SLUICE_CLUSTERS: '[{name: app, endpoints: [{address: "a:1"}]}]',
      },
    });
    assert.equal(config.workers.l4, 2);
    assert.deepEqual(config.admin.address, { kind: 'tcp', host: '::1', port: 0 });
    assert.equal(config.admin.token, 'from-the-environment=');
    assert.deepEqual(config.log, { level: 'silent', format: 'pretty', access: false, file: null });
    assert.equal(config.shutdown.graceMs, 60_000);
    assert.deepEqual(config.demo, { echo: 'app', chat: null });
    assert.equal(config.clusters[0]?.name, 'app');
  });

  it('refuses a token that can be guessed or cannot be sent, and does not show it', () => {
    for (const token of [
      'too-short',
      'has a space in its middle',
      '\u00fcber-alle-massen-gut',
      1234567890123456,
    ]) {
      const [error = ''] = errorsOf(`admin: { token: ${JSON.stringify(token)} }\n${MINIMAL}`);
      assert.match(error, /token: the value is not a token: write 16 to 512 /);
      assert.ok(!error.includes(String(token)));
    }
  });

  it('reads the host names of the admin address, and says where one is none', () => {
    const { config } = load(`admin: { hosts: [Admin.Example.COM, sluice] }\n${MINIMAL}`);
    assert.deepEqual(config.admin.hosts, ['admin.example.com', 'sluice']);
    for (const [hosts, place, message] of [
      ["['admin:9090']", '1:18', 'write letters, digits and "-" with dots between, without a port'],
      ["[sluice, '*.example.com']", '1:26', 'is not a host name'],
      ['[sluice, 5]', '1:26', '5 is not text: put it in quotes'],
      ['sluice', '1:17', 'is not a list: write a list of host names'],
    ] as const) {
      const [error = ''] = errorsOf(`admin: { hosts: ${hosts} }\n${MINIMAL}`);
      assert.ok(error.includes(`${place}: `) && error.includes(message), error);
    }
  });

  it('takes an empty variable for none', () => {
    assert.equal(
      load(MINIMAL, { env: { SLUICE_LOG_LEVEL: '', SLUICE_LISTENERS: undefined } }).config.log.level,
      'info',
    );
  });

  it('warns of a variable that is nearly a setting, and leaves others alone', () => {
    const env = {
      SLUICE_LOG_LEVLE: 'debug',
      SLUICE_PORT: 'tcp://10.0.0.1:80',
      SLUICE_SERVICE_HOST: '10.0.0.1',
    };
    assert.deepEqual(warningsOf(MINIMAL, { env }), [
      'environment SLUICE_LOG_LEVLE: sets nothing: did you mean SLUICE_LOG_LEVEL?',
    ]);
  });

  it('takes any value from --set, those in lists too', () => {
    const { config } = load(MINIMAL, {
      overrides: [
        'listeners.0.address=127.0.0.1:0',
        'listeners.0.websocket.idleTimeout=9s',
        'listeners.0.routes.0.match={path: /x}',
        'listeners.1.address=[::1]:0',
        'clusters.0.endpoints.1={address: "b:2", weight: 3}',
        'clusters.1={name: more, endpoints: [{address: "c:3"}]}',
        'log={level: warn, access: false}',
        'workers.l4=1',
        'workers.l4=2',
      ],
    });
    const [web, tcp] = config.listeners;
    assert.deepEqual(web?.address, { kind: 'tcp', host: '127.0.0.1', port: 0 });
    assert.equal(web.mode === 'l7' && web.websocket.idleTimeoutMs, 9000);
    assert.equal(web.mode === 'l7' && web.routes[0]?.match.path, '/x');
    assert.deepEqual(tcp?.address, { kind: 'tcp', host: '::1', port: 0 });
    assert.deepEqual(config.clusters[0]?.endpoints[1], {
      address: { kind: 'tcp', host: 'b', port: 2 },
      weight: 3,
      maxConnections: 0,
    });
    assert.equal(config.clusters[1]?.name, 'more');
    assert.deepEqual(config.log, { level: 'warn', format: 'json', access: false, file: null });
    assert.equal(config.workers.l4, 2);
  });

  it('names the option or the variable that a problem comes from, after those of the file', () => {
    const errors = errorsOf(`${MINIMAL}log: { format: xml }\n`, {
      env: { SLUICE_LOG_LEVEL: 'loud', SLUICE_WORKERS_L7: 'x' },
      overrides: [
        'workers.l4=0',
        'listeners.0.adress=x',
        'listeners.0.websocket.compression=on',
        'listeners.9.name=x',
        'log.levl=info',
        'nonsense.a=1',
        'log.access=',
        'workers.l4.x=1',
        'clusters.0={name: app}',
        'listeners.1={name: tcp, mode: l4, cluster: app, address: x}',
      ],
    });
    const level = 'is not one of debug, info, warn, error, silent';
    assert.deepEqual(errors.toSorted(), [
      '--set clusters.0: a cluster needs "endpoints"',
      '--set listeners.0.adress: unknown key "adress" in a listener of mode l7: did you mean "address"?',
      '--set listeners.0.websocket.compression: "on" is not one of off, shared',
      '--set listeners.1: address: "x" is not an address to listen on: write host:port, [ipv6]:port or :port, such as "127.0.0.1:8080"',
      '--set listeners.9.name: the list has no "9": it has 0 to 1, and 2 adds one',
      '--set log.access: the value is empty: write one, or leave the key out',
      '--set log.levl: unknown key "levl" in "log": did you mean "level"?',
      '--set nonsense.a: unknown key "nonsense" in a configuration: it has workers, admin, log, shutdown, drain, demo, listeners, clusters',
      '--set workers.l4.x: there is no "x" in 0',
      '--set workers.l4: 0 is not a number of threads: write auto, or 1 to 256',
      '7:16: format: "xml" is not one of json, pretty',
      `environment SLUICE_LOG_LEVEL: "loud" ${level}`,
      'environment SLUICE_WORKERS_L7: "x" is not a number of threads: write auto, or 1 to 256',
    ]);
    assert.match(errors[0] ?? '', /^7:16/);
  });

  it('points into the file for what an override has left as it was', () => {
    const text =
      'listeners:\n  - { name: a b, mode: l4, cluster: app }\nclusters:\n  - { name: app, endpoints: [{ address: "a:1" }] }\n';
    const errors = errorsOf(text, { overrides: ['listeners.0.idleTimeout=1s'] });
    assert.deepEqual(
      errors.map((error) => error.split(': ')[0]),
      ['2:5', '2:13'],
    );
  });

  it('refuses two listeners, clusters or routes of one name', () => {
    const text = `listeners:
  - { name: a, mode: l4, address: ':1', cluster: app }
  - name: a
    mode: l7
    address: ':2'
    routes:
      - { match: { path: /a }, cluster: app }
      - { name: route-1, match: { path: /b }, cluster: app }
clusters:
  - { name: app, endpoints: [{ address: 'a:1' }] }
  - { name: app, endpoints: [{ address: 'a:1' }] }
`;
    assert.deepEqual(errorsOf(text), [
      '3:11: two listeners have the name "a": rename one',
      '8:17: two routes of this listener have the name "route-1": rename one',
      '11:13: two clusters have the name "app": rename one',
    ]);
  });

  it('lets routes of different listeners have one name', () => {
    const listener = (port: number): string =>
      `  - { name: l${port}, mode: l7, address: ':${port}', routes: [{ name: x, match: {}, respond: {} }] }\n`;
    assert.deepEqual(errorsOf(`listeners:\n${listener(1)}${listener(2)}`), []);
  });

  it('refuses clusters that are not there, and names those that are', () => {
    const text = `demo: { echo: apps, chat: other }
listeners:
  - { name: a, mode: l4, address: ':1', cluster: ap }
  - { name: b, mode: l7, address: ':2', routes: [{ match: {}, cluster: App2 }] }
clusters:
  - { name: app, endpoints: [{ address: 'a:1' }] }
  - { name: app2, endpoints: [{ address: 'a:1' }] }
`;
    assert.deepEqual(errorsOf(text), [
      '1:15: there is no cluster "apps": did you mean "app"?',
      '1:27: there is no cluster "other": the clusters are app, app2',
      '3:50: there is no cluster "ap": did you mean "app"?',
      '4:72: there is no cluster "App2": did you mean "app2"?',
    ]);
  });

  it('calls no cluster unknown while one of them cannot be read', () => {
    const listener = 'listeners: [{ name: a, mode: l4, address: ":1", cluster: app }]\n';
    for (const clusters of ['[5]', '5', '[{ name: a p, endpoints: [{ address: "a:1" }] }, 5]']) {
      const errors = errorsOf(`${listener}clusters: ${clusters}\n`);
      assert.deepEqual(
        errors.filter((error) => error.includes('no cluster')),
        [],
        clusters,
      );
      assert.notEqual(errors.length, 0);
    }
  });

  it('refuses no reference to a cluster whose name is bad', () => {
    const text = `listeners: [{ name: a, mode: l4, address: ":1", cluster: a p }]
clusters: [{ name: a p, endpoints: [{ address: "a:1" }] }]
`;
    assert.deepEqual(
      errorsOf(text).map((error) => error.slice(0, 31)),
      ['2:20: name: "a p" is not a name'],
    );
  });

  it('refuses addresses that overlap', () => {
    const addresses = (...list: string[]): string =>
      `admin: { address: '${list[0] ?? ''}' }\nclusters: [{ name: app, endpoints: [{ address: 'a:1' }] }]\nlisteners:\n${list
        .slice(1)
        .map((address, index) => `  - { name: l${index}, mode: l4, address: '${address}', cluster: app }\n`)
        .join('')}`;
    assert.deepEqual(
      errorsOf(addresses('127.0.0.1:1', '127.0.0.1:2', '127.0.0.2:2', '[::1]:2', '10.0.0.1:1')),
      [],
    );
    assert.deepEqual(errorsOf(addresses(':0', ':0', ':0', '127.0.0.1:0')), []);
    assert.deepEqual(errorsOf(addresses(':1', '127.0.0.1:2', '127.0.0.1:2')), [
      '5:36: address: "127.0.0.1:2" overlaps 127.0.0.1:2, where the listener "l0" listens: choose another',
    ]);
    for (const [a, b] of [
      [':5', '127.0.0.1:5'],
      ['127.0.0.1:5', ':5'],
      ['0.0.0.0:5', '127.0.0.1:5'],
      ['0.0.0.0:5', ':5'],
      ['[::1]:5', '[0:0::1]:5'],
      ['localhost:5', 'LOCALHOST:5'],
    ] as const) {
      assert.equal(errorsOf(addresses(a, b)).length, 1, `${a} ${b}`);
    }
    assert.deepEqual(errorsOf(addresses('0.0.0.0:5', '[::1]:5')), []);
  });

  it('warns of clusters that nothing uses', () => {
    const text = `${MINIMAL}  - { name: spare, endpoints: [{ address: 'a:1' }] }\n`;
    assert.deepEqual(warningsOf(text), ['7:5: nothing uses the cluster "spare"']);
    assert.deepEqual(warningsOf(`${text}demo: { echo: spare }\n`), []);
  });

  it('keeps the demo off a cluster that both parts would play', () => {
    assert.deepEqual(errorsOf(`${MINIMAL}demo: { echo: app, chat: app }\n`), [
      '7:26: chat: "app" is the cluster of echo: name another',
    ]);
    assert.equal(load(`${MINIMAL}demo: {}\n`).config.demo, null);
    assert.equal(load(`${MINIMAL}demo:\n`).config.demo, null);
    assert.deepEqual(load(`${MINIMAL}demo: { chat: app, echo: null }\n`).config.demo, {
      echo: null,
      chat: 'app',
    });
  });

  it('takes paths from the directory of the file, wherever the process is', () => {
    mkdirSync(inDirectory('pages'), { recursive: true });
    const text =
      'listeners: [{ name: a, mode: l7, address: ":1", routes: [{ match: {}, static: { root: ./pages } }] }]';
    const [listener] = load(text).config.listeners;
    assert.deepEqual(listener?.mode === 'l7' && listener.routes[0]?.action, {
      kind: 'static',
      root: inDirectory('pages'),
      index: 'index.html',
      fallback: null,
      precompressed: false,
      cacheControl: null,
    });
  });
});
