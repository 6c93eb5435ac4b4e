import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { loadConfig } from '../../../src/config/loader.ts';
import { renderConfig } from '../../../src/config/render.ts';
import { ConfigError } from '../../../src/core/errors.ts';
import { TLS_FILES, withTls } from '../../support/rigs/config-mutations.ts';

import { inDirectory, l7, l7Of, load, scratchDirectory } from './load.ts';
import { CA_CERT, GOOD_CERT, GOOD_KEY, REVOCATION_LIST } from './pem.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const EXAMPLE = join(ROOT, 'config/example.yaml');

/** What the example names if its comments count. */
const FILES = Object.fromEntries(
  TLS_FILES.map((name) => [
    name,
    name.endsWith('.crl') ? REVOCATION_LIST : name.endsWith('.key') ? GOOD_KEY : GOOD_CERT,
  ]),
);

const elsewhere = scratchDirectory();

const TICKET_KEY = Buffer.from(Array.from({ length: 80 }, (_, index) => 32 + index));

/** Has every key that there is. */
const WHOLE = `
workers: { l7: 3, l4: 2, bufferBudget: 512MiB, stuckAfter: 2500ms, warmUp: 0s }
admin: { address: '[::1]:9090' }
log: { level: debug, format: pretty, access: false }
shutdown: { grace: 1500ms }
demo: { echo: app, chat: chat }
listeners:
  - name: web
    mode: l7
    address: ':8443'
    engine: uws
    maxConnections: 7
    tls:
      certificates: [{ cert: good.pem, key: good.key }]
      ciphers: ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384
      clientCertificates: { ca: ca.pem, require: false, forward: false }
    trustedProxies: [10.0.0.0/8, '::1']
    via: true
    underscoreHeaders: pass
    paths: { ambiguous: pass, mergeSlashes: true, escapedSlashes: refuse, pathParameters: strip }
    websocket:
      handshakeTimeout: 1s
      maxMessageSize: 100B
      idleTimeout: 0s
      maxLifetime: 1d
      downstreamBuffer: 64KiB
      upstreamBuffer: 1GiB
      compression: 'off'
      endpointLostCode: 1014
    routes:
      - match:
          host: '*.example.com'
          pathPrefix: /chat
          pathRegex: '^/chat/[\\w-]+$'
          headers: { x-tier: gold, x-flag: 'true', x-null: 'null' }
          query: { v: '2', w: '' }
          subprotocol: chat.v2
          clientCertificate: { subject: 'CN=a\\, b,O=c', san: spiffe://a/b, fingerprint: "AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB" }
        cluster: chat
        upgrade: only
        rewrite: { stripPrefix: /chat, host: 'a.b:80' }
        headers: { request: { set: { X-Tier: b }, add: { x-flag: '' }, remove: [d] }, response: { remove: [server] } }
      - { name: exact, match: { path: /a }, respond: { status: 200, body: " pong\\n\\n", contentType: text/html } }
      - { match: { pathRegex: '^/old/(.*)$' }, redirect: { to: /new/$1, status: 301 } }
      - { match: { host: '10.0.0.1' }, cluster: app }
      - { match: {}, static: { root: './it''s here', index: start.html, fallback: app/shell.html, precompressed: true, cacheControl: no-cache } }
  - name: own
    mode: l7
    address: ':8080'
    engine: raw
    websocket: { idleTimeout: 1s, compression: passthrough }
    http:
      headerTimeout: 1500ms
      maxHeaderSize: 64KiB
      maxHeaders: 7
      clientKeepAlive: 0s
      maxRequestsPerConnection: 1000
      bodyTimeout: 1h
    trustedProxies: ['::1']
    proxyProtocol: optional
    passthrough: [{ serverName: [a.example, '*.b.example'], cluster: plain }, { serverName: c.example, cluster: found }]
    tls:
      certificates: [{ cert: good.pem, key: good.key }]
      minVersion: '1.3'
      ciphers: [TLS_AES_256_GCM_SHA384]
      groups: X25519:P-384
      alpn: []
      handshakeTimeout: 1500ms
      clientCertificates: { ca: ca.pem, crl: clients.crl }
      tickets: { keyFile: tickets.key }
    routes: [{ match: {}, cluster: app }]
  - name: rotating
    mode: l7
    address: ':8082'
    engine: net
    tls: { certificates: [{ cert: good.pem, key: good.key }], tickets: { rotate: 1h } }
    routes: [{ match: {}, cluster: app }]
  - { name: names, mode: l4, address: ':8083', passthrough: [{ serverName: a.example, cluster: plain }] }
  - { name: tcp, mode: l4, address: '127.0.0.1:0', maxConnections: 5, cluster: app, engine: net, idleTimeout: 90s, halfCloseTimeout: 5s }
clusters:
  - name: app
    balancer: consistent_hash
    hashOn: { header: X-User }
    loadFactor: 1.5
    sticky: { cookie: sluice, ttl: 1h, sameSite: strict, secure: on }
    connectTimeout: 250ms
    retries: 0
    retryBudget: { percent: 50, minPerSecond: 0 }
    maxConnections: 100
    healthCheck: { type: http, path: /h, host: x.example, status: 204, interval: 1s, timeout: 1s, rise: 1, fall: 9 }
    onDown: close
    outlier: { failures: [connect, 5xx], consecutiveFailures: 1, window: 1m, minClients: 7, ejection: 10s, maxEjection: 1m, maxEjectedPercent: 20 }
    panicThreshold: 0
    slowStart: 1m
    resolve: { type: a, interval: 1h, servers: ['[::1]:53'] }
    masking: random
    tls: { serverName: app.internal, ca: ca.pem, verify: false, cert: good.pem, key: good.key }
    endpoints: [{ address: 'unix:./app.sock', weight: 2 }, { address: '[::1]:9001' }]
  - { name: chat, tls: {}, endpoints: [{ address: 'a.example:1' }] }
  - { name: plain, proxyProtocol: v2, outlier: 'off', endpoints: [{ address: 'a.example:1', maxConnections: 7 }] }
  - { name: found, resolve: { type: srv }, endpoints: [{ address: _ws._tcp.a.example }], balancer: consistent_hash }
`;

function loadWhole(): ReturnType<typeof load> {
  mkdirSync(inDirectory("it's here"), { recursive: true });
  return load(WHOLE, {
    files: {
      'good.pem': GOOD_CERT,
      'good.key': GOOD_KEY,
      'ca.pem': CA_CERT,
      'clients.crl': REVOCATION_LIST,
      'tickets.key': TICKET_KEY,
    },
  });
}

/** Loads what was written, from another directory. */
function reload(text: string): ReturnType<typeof load> {
  const file = join(elsewhere, 'printed.yaml');
  writeFileSync(file, text);
  return loadConfig({ file, overrides: [], env: {} });
}

function keysOf(text: string): Set<string> {
  return new Set([...text.matchAll(/^[\s-]*([A-Za-z0-9]+):/gm)].map((match) => match[1] ?? ''));
}

describe('rendered configuration', () => {
  it('gives the same configuration when it is loaded, wherever it stands', () => {
    const loaded = loadWhole();
    const again = reload(renderConfig(loaded));
    assert.deepEqual(again.config, loaded.config);
    assert.deepEqual(again.clusterFiles, loaded.clusterFiles);
    assert.equal(renderConfig(again), renderConfig(loaded));
  });

  it('gives the same for the files that come with sluice', () => {
    for (const name of ['sluice.yaml', 'example.yaml']) {
      const loaded = loadConfig({ file: join(ROOT, 'config', name), overrides: [], env: {} });
      assert.deepEqual(loaded.warnings, [], name);
      assert.deepEqual(reload(renderConfig(loaded)).config, loaded.config, name);
    }
  });

  it('has no text of a key or certificate, and no ticket key', () => {
    const text = renderConfig(loadWhole());
    assert.ok(!text.includes('-----BEGIN'));
    for (const encoding of ['base64', 'hex', 'latin1'] as const) {
      assert.ok(!text.includes(TICKET_KEY.toString(encoding).slice(0, 20)));
    }
  });

  it('has no token', () => {
    const loaded = loadWhole();
    const admin = { ...loaded.config.admin, token: 'a-token-of-20-chars.' };
    assert.equal(renderConfig({ ...loaded, config: { ...loaded.config, admin } }), renderConfig(loaded));
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

  it('has every key', () => {
    const words = new Set(text.match(/[A-Za-z0-9]+(?=:)/g));
    const missing = [...keysOf(renderConfig(loadWhole()))].filter((key) => !words.has(key));
    // Those of a request are the user's own.
    assert.deepEqual(missing, ['w']);
  });

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

  it('is right in what it has commented out', () => {
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
});
