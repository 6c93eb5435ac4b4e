import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Cluster } from '../../../../../src/config/types/cluster.ts';
import { cluster, errorsOf, inDirectory, load } from '../../load.ts';
import { CA_CERT, GOOD_CERT, GOOD_KEY, NAMED_KEY } from '../../pem.ts';

const FILES = { 'ca.pem': CA_CERT, 'good.pem': GOOD_CERT, 'good.key': GOOD_KEY, 'named.key': NAMED_KEY };

function read(...lines: readonly string[]): Cluster {
  return load(cluster(...lines), { files: FILES }).config.clusters[0]!;
}

function errors(...lines: readonly string[]): string[] {
  return errorsOf(cluster(...lines), { files: FILES });
}

describe('cluster', () => {
  it('reads every setting', () => {
    const found = read(
      'balancer: least_connections',
      'connectTimeout: 250ms',
      'retries: 0',
      'retryBudget: { percent: 30, minPerSecond: 4 }',
      'maxConnections: 9',
      'sticky: { cookie: sluice, ttl: 1h, secret: "0123456789abcdef" }',
      'healthCheck:',
      '  { type: http, path: /health, host: app.internal, status: 200-204, interval: 1s, timeout: 500ms, rise: 1, fall: 2 }',
      'onDown: close',
      'outlier:',
      '  failures: [connect, reset, 5xx]',
      '  consecutiveFailures: 3',
      '  window: 1m',
      '  minClients: 9',
      '  ejection: 1s',
      '  maxEjection: 9s',
      '  maxEjectedPercent: 10',
      'panicThreshold: 30',
      'slowStart: 20s',
      'resolve: { type: a, interval: 1m, servers: ["127.0.0.1:5353", "::1"] }',
      'masking: random',
      'endpoints:',
      '  - { address: "127.0.0.1:9001", weight: 3 }',
      '  - { address: "[::1]:9001" }',
      '  - { address: "unix:./app.sock" }',
      '  - { address: "unix:/run/app.sock" }',
    );
    assert.deepEqual(found, {
      name: 'app',
      balancer: 'least_connections',
      connectTimeoutMs: 250,
      retries: 0,
      retryBudget: { percent: 30, minPerSecond: 4 },
      maxConnections: 9,
      hashOn: { kind: 'source_ip' },
      loadFactor: 1.25,
      sticky: {
        cookie: 'sluice',
        ttlMs: 3_600_000,
        secret: '0123456789abcdef',
        sameSite: 'lax',
        secure: 'auto',
      },
      healthCheck: {
        type: 'http',
        path: '/health',
        host: 'app.internal',
        status: { min: 200, max: 204 },
        intervalMs: 1000,
        timeoutMs: 500,
        rise: 1,
        fall: 2,
      },
      onDown: 'close',
      outlier: {
        failures: ['connect', 'reset', '5xx'],
        consecutiveFailures: 3,
        windowMs: 60_000,
        minClients: 9,
        ejectionMs: 1000,
        maxEjectionMs: 9000,
        maxEjectedPercent: 10,
      },
      panicThreshold: 30,
      slowStartMs: 20_000,
      resolve: { type: 'a', intervalMs: 60_000, servers: ['127.0.0.1:5353', '::1'] },
      masking: 'random',
      proxyProtocol: 'off',
      tls: null,
      endpoints: [
        { address: { kind: 'tcp', host: '127.0.0.1', port: 9001 }, weight: 3, maxConnections: 0 },
        { address: { kind: 'tcp', host: '::1', port: 9001 }, weight: 1, maxConnections: 0 },
        { address: { kind: 'unix', path: inDirectory('app.sock') }, weight: 1, maxConnections: 0 },
        { address: { kind: 'unix', path: '/run/app.sock' }, weight: 1, maxConnections: 0 },
      ],
    });
  });

  it('keeps its settings within sane bounds', () => {
    assert.deepEqual(errors('balancer: p2p', 'connectTimeout: 0s', 'retries: 101', 'masking: none'), [
      '4:15: balancer: "p2p" is not one of round_robin, least_connections, random, p2c, source_ip, consistent_hash: did you mean p2c?',
      '5:21: connectTimeout: 0s is out of range: write 1ms to 10m',
      '6:14: retries: 101 is out of range: write 0 to 100',
      '7:14: masking: "none" is not one of zero, random',
    ]);
  });

  it('reads the key of consistent_hash', () => {
    const hashOn = (...lines: string[]): unknown => read('balancer: consistent_hash', ...lines).hashOn;
    assert.deepEqual(hashOn(), { kind: 'source_ip' });
    assert.deepEqual(hashOn('hashOn: source_ip'), { kind: 'source_ip' });
    assert.deepEqual(hashOn('hashOn: { header: X-User }'), { kind: 'header', name: 'x-user' });
    assert.deepEqual(hashOn('hashOn: { cookie: Sid }'), { kind: 'cookie', name: 'Sid' });
    assert.deepEqual(hashOn('hashOn: { query: room }'), { kind: 'query', name: 'room' });
    assert.equal(read('balancer: consistent_hash', 'loadFactor: 0').loadFactor, 0);
    assert.match(
      errors('balancer: consistent_hash', 'hashOn: {}')[0] ?? '',
      /exactly one of header, cookie, query/,
    );
    assert.match(
      errors('balancer: consistent_hash', 'hashOn: { header: a, query: b }')[0] ?? '',
      /exactly one/,
    );
    assert.match(
      errors('balancer: consistent_hash', 'loadFactor: 1')[0] ?? '',
      /more than 1 and up to 100, or 0/,
    );
    assert.match(
      errors('hashOn: { header: a }')[0] ?? '',
      /only the balancer consistent_hash uses it, and this one is round_robin/,
    );
  });

  it('counts only failed dials by default, because clients can provoke the other failures', () => {
    assert.deepEqual(read().outlier?.failures, ['connect']);
    assert.deepEqual(read('outlier: { failures: [5xx, handshake, 5xx] }').outlier?.failures, [
      '5xx',
      'handshake',
    ]);
  });

  it('refuses unknown failures, and settings without effect', () => {
    assert.deepEqual(errors('outlier: { failures: [connct, 5xx] }'), [
      '4:27: failures: "connct" is not one of connect, reset, handshake, 5xx: did you mean connect?',
    ]);
    assert.deepEqual(errors('outlier: { failures: [] }'), [
      '4:16: failures: the list is empty: write at least one of connect, reset, handshake, 5xx',
    ]);
    assert.deepEqual(errors('outlier: { window: 10s, minClients: 3 }'), [
      '4:24: window: it applies only to the failures reset, handshake and 5xx: add one, or leave window out',
      '4:41: minClients: it applies only to the failures reset, handshake and 5xx: add one, or leave minClients out',
    ]);
    assert.deepEqual(errors('outlier: { failures: [reset], window: 10ms, minClients: 1 }'), [
      '4:43: window: 10ms is out of range: write 1s to 10m',
      '4:61: minClients: 1 is out of range: write 2 to 100',
    ]);
  });

  it('reads disabled outlier detection, and SRV names', () => {
    assert.equal(read('outlier: "off"').outlier, null);
    assert.deepEqual(
      read('resolve: { type: srv }', 'endpoints: [{ address: _ws._tcp.example.com }]').endpoints,
      [{ address: { kind: 'tcp', host: '_ws._tcp.example.com', port: 0 }, weight: 1, maxConnections: 0 }],
    );
  });

  it('refuses conflicting settings with a remedy', () => {
    const first = (...lines: string[]): string => errors(...lines)[0] ?? '';
    assert.match(first('sticky: { cookie: "a b" }'), /cookie: "a b" is not the name of a cookie/);
    const secret = first('sticky: { cookie: a, secret: short-secret }');
    assert.match(secret, /secret: the value is not a secret: write 16 characters or more/);
    assert.ok(!secret.includes('short-secret'));
    assert.match(first('healthCheck: {}'), /"healthCheck" needs "type"/);
    assert.match(first('healthCheck: { type: tcp, path: / }'), /a probe of type tcp has no path/);
    assert.match(
      first('healthCheck: { type: websocket, status: 200 }'),
      /a probe of type websocket has no status/,
    );
    assert.match(
      first('healthCheck: { type: http, status: 300-200 }'),
      /"300-200" is neither a status nor a range/,
    );
    assert.match(first('onDown: close'), /without a healthCheck, no endpoint is marked down/);
    assert.match(first('resolve: { servers: ["127.0.0.1"] }'), /write type: a or type: srv/);
    assert.match(first('resolve: { type: a, servers: [dns.example] }'), /"dns.example" is not a DNS server/);
    assert.match(
      first('resolve: { type: srv }', 'endpoints: [{ address: "a:1" }]'),
      /"a:1" is not the name of SRV records/,
    );
  });

  it('refuses endpoints that nothing can connect to', () => {
    const [port, any, text, weight, missing] = errors(
      'endpoints:',
      '  - { address: "127.0.0.1:0" }',
      '  - { address: ":9001" }',
      '  - 0',
      '  - { address: "a:1", weight: 0 }',
      '  - {}',
    );
    assert.match(port ?? '', /^5:20: address: "127.0.0.1:0" has port 0/);
    assert.match(any ?? '', /^6:20: address: ":9001" means every interface/);
    assert.match(text ?? '', /^7:9: endpoints: 0 is not a port: write 1 to 65535/);
    assert.match(weight ?? '', /^8:35: weight: 0 is out of range: write 1 to 1000000/);
    assert.equal(missing, '9:9: an endpoint needs "address"');
    assert.match(
      errors(`endpoints: [{ address: "unix:${'x'.repeat(120)}" }]`)[0] ?? '',
      /too long for a UNIX socket/,
    );
  });

  it('takes a port for a server on this machine', () => {
    const { config } = load(cluster('endpoints: [9001, { address: 9002 }]'));
    assert.deepEqual(
      config.clusters[0]?.endpoints.map(({ address }) => address),
      [9001, 9002].map((port) => ({ kind: 'tcp', host: '127.0.0.1', port })),
    );
    assert.deepEqual(errors('endpoints: [9001, "127.0.0.1:9001", 1.5, 70000]'), [
      '4:23: endpoints: "127.0.0.1:9001" is listed twice: list it once, with a higher weight',
      '4:41: endpoints: 1.5 is not a port: write 1 to 65535 for a server on this machine, or host:port in quotes',
      '4:46: endpoints: 70000 is not a port: write 1 to 65535 for a server on this machine, or host:port in quotes',
    ]);
  });

  it('refuses an endpoint that is listed twice', () => {
    assert.deepEqual(errors('endpoints:', '  - { address: "a:1" }', '  - { address: "a:1" }'), [
      '6:20: address: "a:1" is listed twice: list it once, with a higher weight',
    ]);
    assert.match(
      errors('endpoints: [{ address: "unix:./x" }, { address: "unix:x" }]')[0] ?? '',
      /is listed twice/,
    );
    assert.match(errors('endpoints: ["a.test:1", "A.Test:1"]')[0] ?? '', /"A.Test:1" is listed twice/);
    assert.doesNotMatch(errors('endpoints: ["unix:/x", "unix:/X"]').join(), /twice/);
  });

  it('reads an endpoint that is an address alone', () => {
    const { endpoints } = read(
      'endpoints: [10.0.0.1:80, "[::1]:9001", "unix:./app.sock", { address: "a:1", weight: 3 }]',
    );
    assert.deepEqual(endpoints, [
      { address: { kind: 'tcp', host: '10.0.0.1', port: 80 }, weight: 1, maxConnections: 0 },
      { address: { kind: 'tcp', host: '::1', port: 9001 }, weight: 1, maxConnections: 0 },
      { address: { kind: 'unix', path: inDirectory('app.sock') }, weight: 1, maxConnections: 0 },
      { address: { kind: 'tcp', host: 'a', port: 1 }, weight: 3, maxConnections: 0 },
    ]);
    const [service] = read('resolve: { type: srv }', 'endpoints: [_ws._tcp.example.com]').endpoints;
    assert.deepEqual(service?.address, { kind: 'tcp', host: '_ws._tcp.example.com', port: 0 });
  });

  it('names the place of an address alone that is wrong', () => {
    assert.deepEqual(
      errors(
        'endpoints:',
        '  - a:1',
        '  - a:0',
        '  - { address: "a:1" }',
        '  -',
        `  - unix:/${'x'.repeat(120)}`,
      ),
      [
        '6:9: endpoints: "a:0" has port 0, which cannot be dialled: write 1 to 65535',
        '7:20: address: "a:1" is listed twice: list it once, with a higher weight',
        "8:8: endpoints: an empty value is not an endpoint's address: write host:port, [ipv6]:port or unix:/path, " +
          'such as "127.0.0.1:9001"',
        `9:9: endpoints: the path /${'x'.repeat(120)} is too long for a UNIX socket: the system takes 107 bytes`,
      ],
    );
  });

  it('needs a name and an endpoint', () => {
    const listener =
      'listeners: [{ name: a, mode: l7, address: ":1", routes: [{ match: {}, respond: {} }] }]\n';
    assert.deepEqual(errorsOf(`${listener}clusters: [{}]\n`), [
      '2:12: a cluster needs "name"',
      '2:12: a cluster needs "endpoints"',
    ]);
    assert.deepEqual(errors('endpoints: []'), [
      '4:5: endpoints: the list is empty: write at least one of endpoints',
    ]);
  });
});

describe('tls of a cluster', () => {
  it('takes the defaults from an empty mapping', () => {
    assert.deepEqual(read('tls: {}').tls, {
      serverName: null,
      ca: null,
      verify: true,
      cert: null,
      key: null,
    });
    assert.match(errors('tls:')[0] ?? '', /^4:5: tls: an empty value is not a mapping/);
  });

  it('holds the text of its files, and the loader holds their paths', () => {
    const text = cluster(
      'tls: { serverName: App.Internal, ca: ca.pem, verify: false, cert: good.pem, key: good.key }',
    );
    const { config, clusterFiles } = load(text, { files: FILES });
    assert.deepEqual(config.clusters[0]?.tls, {
      serverName: 'app.internal',
      ca: CA_CERT,
      verify: false,
      cert: GOOD_CERT,
      key: GOOD_KEY,
    });
    assert.deepEqual(clusterFiles.get('app'), {
      ca: inDirectory('ca.pem'),
      cert: inDirectory('good.pem'),
      key: inDirectory('good.key'),
      stickySecret: null,
    });
  });

  it('requires a certificate and its key together', () => {
    assert.deepEqual(errors('tls: { cert: good.pem }'), ['4:5: the tls of a cluster needs "key"']);
    assert.deepEqual(errors('tls: { key: good.key }'), ['4:5: the tls of a cluster needs "cert"']);
    assert.deepEqual(errors('tls: { cert: good.pem, key: named.key }'), [
      '4:33: key: "named.key" is not the key of the certificate "good.pem"',
    ]);
  });

  it('refuses invalid authorities', () => {
    assert.match(
      errors('tls: { ca: good.key }')[0] ?? '',
      /ca: "good.key" has a private key and no certificate/,
    );
    assert.match(errors('tls: { ca: nope.pem }')[0] ?? '', /ca: "nope.pem" cannot be read: file not found/);
    assert.match(errors('tls: { verify: "no" }')[0] ?? '', /verify: "no" is neither true nor false/);
    assert.match(errors('tls: { serverName: "a b" }')[0] ?? '', /"a b" is not a host name/);
  });

  it('needs a name to verify an endpoint that has none', () => {
    const endpoints = 'endpoints: [{ address: "unix:/run/x" }]';
    assert.deepEqual(errors('tls: {}', endpoints), [
      '4:5: tls: serverName is needed to verify the endpoint unix:/run/x, which has no host name',
    ]);
    assert.deepEqual(errors('tls: { serverName: app }', endpoints), []);
    assert.deepEqual(errors('tls: { verify: false }', endpoints), []);
  });
});
