/** A configuration that has every key but those of {@link UNWRITTEN}. */
import { mkdirSync } from 'node:fs';
import { inDirectory, load } from './load.ts';
import { JWKS } from './jwks.ts';
import { CA_CERT, GOOD_CERT, GOOD_KEY, REVOCATION_LIST } from './pem.ts';

export const TICKET_KEY = Buffer.from(Array.from({ length: 80 }, (_, index) => 32 + index));

/** Secrets, and the key of other files: `print-config` writes neither. */
export const UNWRITTEN: readonly string[] = [
  'include',
  'admin.token',
  'tracing.headers',
  'clusters.sticky.secret',
];

export const WHOLE = `
workers: { l7: 3, l4: 2, bufferBudget: 512MiB, stuckAfter: 2500ms, warmUp: 0s }
admin: { address: '[::1]:9480', hosts: admin.example, tap: payload, tapRedact: [$..password, '/[0-9]{16}/'] }
metrics: { endpoints: false }
log:
  level: debug
  format: pretty
  principal: hashed
  file: ./sluice.log
  maxSize: 10MiB
  keep: 3
  access:
    file: ./access.log
    format: json
    sample: 0.1
    fields: [client, path, status]
    slow: 250ms
    maxSize: 1GiB
    keep: 9
tracing:
  url: 'http://127.0.0.1:4318/v1/traces'
  sample: 0.5
  routes: { exact: 1 }
shutdown: { grace: 1500ms, readyDelay: 1s }
drain: { rate: 7/s, deadline: 1h, jitter: 250ms }
redis: { url: 'rediss://edge@cache.internal:6380/3', onFailure: refuse, prefix: edge }
revocations: { keep: 90m, file: ./revoked.json }
demo: { echo: app, chat: chat, feed: plain, game: found, job: jobs }
listeners:
  - name: web
    mode: l7
    address: ':8443'
    engine: uws
    maxConnections: 7
    maxPendingHandshakes: 3
    maxQueuedHandshakes: 4
    forwarded: both
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
        headers: { request: { set: { X-Tier: b }, add: { x-flag: '' }, remove: [d] }, response: { set: { x-a: b }, add: { x-b: c }, remove: server } }
      - { name: exact, match: { path: /a }, respond: { status: 200, body: " pong\\n\\n", contentType: text/html } }
      - { match: { pathRegex: '^/old/(.*)$' }, redirect: { to: /new/$1, status: 301 } }
      - { match: { pathRegex: '^/v1/(.*)$' }, cluster: app, rewrite: { path: /api/$1 } }
      - { match: { host: [10.0.0.1, '*.example.org'] }, cluster: app }
      - { match: {}, static: { root: './it''s here', index: start.html, fallback: app/shell.html, precompressed: true, cacheControl: no-cache } }
  - name: own
    mode: l7
    address: ':8080'
    engine: raw
    websocket: { idleTimeout: 1s, compression: passthrough }
    http:
      requestTimeout: 7s
      idleTimeout: 1s
      maxBodySize: 1MiB
      minBodyRate: 0B/s
      keepAlive: 0s
      headerTimeout: 1500ms
      maxHeaderSize: 64KiB
      maxHeaders: 7
      clientKeepAlive: 0s
      maxRequestsPerConnection: 1000
      bodyTimeout: 1h
    trustedProxies: '::1'
    proxyProtocol: optional
    access:
      deny: [203.0.113.0/24, { file: blocked.txt }, '2001:db8::/32']
      allow: ['::ffff:10.0.0.0/104', { file: friends.txt }]
      origins: [self, 'null', 'https://*.example.com:*', 'http://[::1]:8080', 'https://a.example', 'capacitor://localhost']
      originRequired: true
      basic: { file: users.htpasswd, realm: staging }
      jwt:
        keys: jwks.json
        algorithms: [ES256, EdDSA]
        issuer: https://id.example.com
        audience: [chat, mail]
        from: [{ header: X-Token }, { cookie: session }, { query: token }, { subprotocol: bearer }]
        require: { role: [user, admin], level: 5, staff: true }
        forward: { X-User: sub }
        atExpiry: close
        grace: 1m
        leeway: 0s
      forwardAuth: { url: 'http://127.0.0.1:9000/check?a=b', headers: X-Group, timeout: 1s, maxConcurrent: 5, onFailure: admit }
    limits:
      - name: user
        key: { claim: sub }
        connections: 5
        handshakes: { rate: 30/m, burst: 7 }
        requests: { rate: 5/s, burst: 9 }
        messages: { rate: 100/s, burst: 1000 }
        bytes: { rate: 1MiB/s, burst: 5MB }
        over: slow
        shared: true
        maxKeys: 4096
      - { key: { header: X-Api-Key }, requests: 7.5/s, burst: 30 }
      - { key: { cookie: id }, requests: 100/m }
      - { key: address, connections: 1 }
      - { key: principal, bytes: 1KiB/s, burst: 1MiB }
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
    routes:
      - { match: { path: /open }, cluster: app, access: 'off', limits: [{ key: address, requests: 1/h }] }
      - { match: { path: /own }, cluster: app, access: { deny: 'off', allow: [10.0.0.1], origins: 'off', originRequired: false, basic: 'off', jwt: 'off', forwardAuth: 'off' } }
      - { match: { path: /program }, cluster: app, access: { originRequired: 'off', origins: self, jwt: { keys: 'https://id.example.com/jwks', from: { cookie: session }, atExpiry: ignore } } }
      - { match: short.example/x, redirect: 'https://$host$path', access: { basic: users.htpasswd, jwt: jwks.json, forwardAuth: 'http://127.0.0.1:9000/check' } }
      - { match: [a.example, '*.b.example', '*.localhost'], respond: 204 }
      - { match: /files, static: ./it's here }
      - { cluster: app }
  - name: rotating
    mode: l7
    address: ':8082'
    engine: net
    tls: { certificates: [{ cert: good.pem, key: good.key }], groups: [X25519], alpn: http/1.1, tickets: { rotate: 1h }, clientCertificates: ca.pem }
    routes: [{ match: {}, cluster: app, access: { deny: { file: blocked.txt } } }]
  - address: ':8084'
    tls: { cert: good.pem, key: good.key }
    passthrough: [{ serverName: own.example, to: ['a.example:443'] }]
    errorPages: { 404: missing.html, 5xx: error.json, default: error.json }
    routes:
      - { match: { path: /two }, to: [9100, { address: '[::1]:9100', weight: 2 }], errorPages: { 502: missing.html } }
      - { match: { path: /three }, respond: {}, errorPages: 'off' }
    to: { sticky: { cookie: own }, endpoints: ['unix:./own.sock'] }
  - { address: ':8085', to: 3000 }
  - { name: to-https, address: ':8087', redirectToHttps: 8443, routes: [{ match: { pathPrefix: /.well-known }, respond: {} }] }
  - { name: names, mode: l4, address: ':8083', trustedProxies: [10.0.0.0/8], proxyProtocol: optional, access: { deny: [::/0], allow: [10.0.0.1] }, limits: { key: address, handshakes: 1/s }, passthrough: { serverName: a.example, cluster: plain } }
  - { name: tcp, mode: l4, address: '127.0.0.1:0', maxConnections: 5, cluster: app, engine: net, idleTimeout: 90s, halfCloseTimeout: 5s }
clusters:
  - name: app
    balancer: consistent_hash
    hashOn: { header: X-User }
    loadFactor: 1.5
    sticky: { cookie: sluice, ttl: 1h, secretFile: sticky.secret, sameSite: strict, secure: on }
    connectTimeout: 250ms
    retries: 0
    retryBudget: { percent: 50, minPerSecond: 0 }
    maxConnections: 100
    healthCheck: { type: http, path: /h, host: x.example, status: 204, interval: 1s, timeout: 1s, rise: 1, fall: 9 }
    onDown: close
    outlier: { failures: [connect, 5xx], consecutiveFailures: 1, window: 1m, minClients: 7, ejection: 10s, maxEjection: 1m, maxEjectedPercent: 20 }
    panicThreshold: 0
    slowStart: 1m
    resolve: { type: a, interval: 1h, servers: '[::1]:53' }
    masking: random
    tls: { serverName: app.internal, ca: ca.pem, verify: false, cert: good.pem, key: good.key }
    endpoints: [{ address: 'unix:./app.sock', weight: 2 }, '[::1]:9001']
  - { name: chat, tls: {}, sticky: room, balancer: consistent_hash, hashOn: { cookie: user }, endpoints: [{ address: 'a.example:1' }] }
  - { name: plain, proxyProtocol: v2, outlier: 'off', endpoints: [{ address: 'a.example:1', maxConnections: 7 }] }
  - { name: found, resolve: { type: srv }, endpoints: [{ address: _ws._tcp.a.example }, _ws._tcp.b.example], balancer: consistent_hash, hashOn: { query: room } }
  - { name: jobs, outlier: { failures: reset }, endpoints: 'a.example:2' }
`;

/** The files that {@link WHOLE} names. */
export const WHOLE_FILES: Readonly<Record<string, string | Uint8Array>> = {
  'good.pem': GOOD_CERT,
  'good.key': GOOD_KEY,
  'ca.pem': CA_CERT,
  'clients.crl': REVOCATION_LIST,
  'tickets.key': TICKET_KEY,
  'blocked.txt': '# a comment\n198.51.100.0/24 # another\n\n2001:db8::1\r\n',
  'friends.txt': '10.0.0.0/8\n',
  'users.htpasswd': 'alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n',
  'jwks.json': JWKS,
  'missing.html': '<!doctype html><p>Not here: \u00e4</p>\n',
  'error.json': '{"error":true}\n',
  'sticky.secret': 'sixteen characters or more',
};

export function loadWhole(): ReturnType<typeof load> {
  mkdirSync(inDirectory("it's here"), { recursive: true });
  return load(WHOLE, { files: WHOLE_FILES });
}
