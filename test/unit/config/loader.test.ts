import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadConfig } from '../../../src/config/loader.ts';
import { ConfigError } from '../../../src/core/errors.ts';
import { clusterConfig } from '../upstream/endpoints.ts';
import { MINIMAL, errorsOf, inDirectory, load, scratchDirectory } from './load.ts';

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
    // A quarter of the machine's memory, or of a container's limit.
    assert.ok(config.workers.bufferBudget > 0 && config.workers.bufferBudget <= totalmem() / 4);
    assert.deepEqual(config, {
      workers: {
        l7: availableParallelism(),
        l4: availableParallelism(),
        bufferBudget: config.workers.bufferBudget,
        stuckAfterMs: 10_000,
        warmUpMs: 300,
      },
      admin: {
        address: { kind: 'tcp', host: '127.0.0.1', port: 9480 },
        hosts: [],
        token: null,
        tap: 'off',
        tapRedact: [],
      },
      metrics: { endpoints: true },
      log: {
        level: 'info',
        format: 'auto',
        access: {
          file: null,
          format: 'json',
          sample: 1,
          fields: null,
          slowMs: 0,
          maxSizeBytes: 0,
          keep: 5,
        },
        principal: 'plain',
        file: null,
        maxSizeBytes: 0,
        keep: 5,
      },
      tracing: null,
      shutdown: { graceMs: 30_000, readyDelayMs: 0 },
      drain: { rate: 100, deadlineMs: 300_000, jitterMs: 0 },
      redis: null,
      revocations: { keepMs: 86_400_000, file: null },
      demo: null,
      listeners: [
        {
          name: 'web',
          mode: 'l7',
          address: { kind: 'tcp', host: '::', port: 8080 },
          maxConnections: 0,
          engine: 'auto',
          tls: null,
          maxPendingHandshakes: 0,
          maxQueuedHandshakes: 1000,
          trustedProxies: [],
          proxyProtocol: 'off',
          passthrough: [],
          access: null,
          limits: [],
          websocket: {
            handshakeTimeoutMs: 10_000,
            maxMessageSize: 16 * 1024 ** 2,
            idleTimeoutMs: 120_000,
            maxLifetimeMs: 0,
            downstreamBuffer: 1024 ** 2,
            upstreamBuffer: 16 * 1024 ** 2,
            compression: 'passthrough',
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
            headerTimeoutMs: 10_000,
            maxHeaderSize: 32 * 1024,
            maxHeaders: 200,
            clientKeepAliveMs: 75_000,
            maxRequestsPerConnection: 0,
            bodyTimeoutMs: 0,
          },
          errorPages: new Map(),
          routes: [
            {
              name: 'route-1',
              match: {
                hosts: [],
                path: null,
                pathPrefix: null,
                pathRegex: null,
                headers: new Map(),
                query: new Map(),
                subprotocol: null,
                clientCertificate: null,
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
              access: null,
              limits: [],
              errorPages: new Map(),
            },
          ],
        },
        {
          name: 'tcp',
          mode: 'l4',
          address: { kind: 'tcp', host: '127.0.0.1', port: 8081 },
          maxConnections: 0,
          trustedProxies: [],
          proxyProtocol: 'off',
          passthrough: [],
          access: null,
          limits: [],
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

  it('names places with the file path as given', () => {
    const directory = scratchDirectory();
    const file = join(directory, 'x.yaml');
    writeFileSync(file, 'listeners: 5');
    const load = (): unknown => loadConfig({ file, overrides: [], env: {} });
    assert.equal(place(load), `${file}:1:12: listeners: 5 is not a list: write a list of listeners`);
  });

  it('explains in one line why a file cannot be read', () => {
    const directory = scratchDirectory();
    const load = (file: string) => (): unknown => loadConfig({ file, overrides: [], env: {} });
    assert.equal(place(load(`${directory}/no`)), `${directory}/no: cannot be read: file not found`);
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

  it('accepts a log file in an existing directory, and lists every file it read', () => {
    const { config, files } = load(`${MINIMAL}log: { file: my.log }\n`);
    assert.equal(config.log.file, inDirectory('my.log'));
    assert.deepEqual(files, [inDirectory('sluice.yaml')]);
    assert.match(
      errorsOf(`${MINIMAL}log: { file: gone/my.log }\n`)[0] ?? '',
      /^\d+:\d+: file: ".*gone" cannot be used: directory not found/,
    );
  });

  it('reports only the syntax error of a broken file', () => {
    assert.deepEqual(errorsOf('listeners: [\nlog: loud\n').length, 1);
    assert.match(errorsOf('a: "x\n')[0] ?? '', /^[12]:\d: a text has no " at its end$/);
  });

  it('refuses keys that are set twice along with everything else', () => {
    assert.deepEqual(errorsOf(`${MINIMAL}log: { level: info, level: loud }\n`), [
      '7:21: "level" is set twice here: keep one of them',
      '7:28: level: "loud" is not one of debug, info, warn, error, silent',
    ]);
  });

  it("resolves paths from the file's directory, wherever the process runs", () => {
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
