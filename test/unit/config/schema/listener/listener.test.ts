import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorsOf, l7, l7Of, load, warningsOf } from '../../load.ts';

const CLUSTERS = 'clusters: [{ name: app, endpoints: [{ address: "a:1" }] }]\n';

describe('listener', () => {
  it('reads every setting of a WebSocket', () => {
    const { websocket } = l7Of(
      load(
        l7(
          'websocket:',
          '  handshakeTimeout: 3s',
          '  maxMessageSize: 1GiB',
          '  idleTimeout: 0s',
          '  maxLifetime: 20d',
          '  downstreamBuffer: 64KiB',
          '  upstreamBuffer: 1GiB',
          '  compression: shared',
          '  endpointLostCode: 1014',
        ),
      ),
    );
    assert.deepEqual(websocket, {
      handshakeTimeoutMs: 3000,
      maxMessageSize: 1024 ** 3,
      idleTimeoutMs: 0,
      maxLifetimeMs: 20 * 86_400_000,
      downstreamBuffer: 65_536,
      upstreamBuffer: 1024 ** 3,
      compression: 'shared',
      endpointLostCode: 1014,
    });
  });

  it('reads the handling of Via and of names with an underscore', () => {
    const { via, underscoreHeaders } = l7Of(load(l7('via: true', 'underscoreHeaders: refuse')));
    assert.deepEqual([via, underscoreHeaders], [true, 'refuse']);
    assert.deepEqual(errorsOf(l7('via: 1.1', 'underscoreHeaders: keep')), [
      '5:10: via: 1.1 is neither true nor false',
      '6:24: underscoreHeaders: "keep" is not one of drop, pass, refuse',
    ]);
  });

  it('warns of a route that matches a removed name with an underscore', () => {
    const text = (policy: string): string =>
      `listeners:
  - name: web
    mode: l7
    address: ':1'
    underscoreHeaders: ${policy}
    routes:
      - match: { headers: { x-a: b, X_Tier: gold } }
        cluster: app
${CLUSTERS}`;
    assert.deepEqual(warningsOf(text('pass')), []);
    assert.deepEqual(warningsOf(text('drop')), [
      '7:18: no request has "x_tier": "underscoreHeaders: drop" applies first. Write pass there, or another name here',
    ]);
  });

  it('warns of a route that matches X-Forwarded-Client-Cert', () => {
    for (const name of ['X-Forwarded-Client-Cert', 'x_forwarded_client_cert']) {
      const text = l7(
        'underscoreHeaders: pass',
        'routes:',
        `  - { match: { headers: { ${name}: a } }, cluster: app }`,
      );
      assert.deepEqual(warningsOf(text), [
        `7:20: no request has "${name.toLowerCase()}": it is always removed first. Match clientCertificate instead`,
      ]);
    }
  });

  it('limits handshakes, and queues them only with a limit', () => {
    const limits = (text: string): number[] => {
      const { maxPendingHandshakes, maxQueuedHandshakes } = l7Of(load(l7(text)));
      return [maxPendingHandshakes, maxQueuedHandshakes];
    };
    assert.deepEqual(limits('maxPendingHandshakes: 50'), [50, 1000]);
    assert.deepEqual(
      limits('maxPendingHandshakes: 50, maxQueuedHandshakes: 0'.replace(', ', '\n    ')),
      [50, 0],
    );
    assert.deepEqual(errorsOf(l7('maxQueuedHandshakes: 5')), [
      '5:26: maxQueuedHandshakes: without maxPendingHandshakes nothing waits: set that too, or leave maxQueuedHandshakes out',
    ]);
  });

  it('reads the handling of ambiguous paths', () => {
    const text =
      'paths: { ambiguous: pass, mergeSlashes: true, escapedSlashes: decode, pathParameters: refuse }';
    assert.deepEqual(l7Of(load(l7(text))).paths, {
      ambiguous: 'pass',
      mergeSlashes: true,
      escapedSlashes: 'decode',
      pathParameters: 'refuse',
    });
    assert.deepEqual(errorsOf(l7('paths: { escapedSlashes: merge, pathParameter: keep }')), [
      '5:30: escapedSlashes: "merge" is not one of keep, decode, refuse',
      '5:37: unknown key "pathParameter" in "paths": did you mean "pathParameters"?',
    ]);
  });

  it('reads its trusted proxies', () => {
    const proxies = ['10.0.0.0/8', '192.0.2.1', 'fd00::/8', '::1', '0.0.0.0/0'];
    const text = l7(`trustedProxies: ${JSON.stringify(proxies)}`);
    assert.deepEqual(l7Of(load(text)).trustedProxies, proxies);
    assert.deepEqual(l7Of(load(l7('trustedProxies: []'))).trustedProxies, []);
  });

  it('refuses trusted proxies that are neither an IP address nor a CIDR block', () => {
    for (const bad of [
      '10.0.0.0/33',
      'fd00::/129',
      '10.0.0.0/',
      '10.0.0.0/8/8',
      '10.0.0.0/-1',
      'localhost',
      '10.0.0',
      '/8',
      'fe80::1%eth0/64',
      '::ffff:0:0/1e1',
      '',
    ]) {
      const [error, ...more] = errorsOf(l7(`trustedProxies: ['${bad}']`));
      assert.equal(
        error,
        `5:22: trustedProxies: "${bad}" is neither an IP address nor a CIDR block: write one such as 10.0.0.0/8 or fd00::/8`,
      );
      assert.deepEqual(more, []);
    }
    assert.match(errorsOf(l7('trustedProxies: on'))[0] ?? '', /^5:21: trustedProxies: "on" is neither/);
  });

  it('needs its address and a destination', () => {
    assert.deepEqual(errorsOf(`${CLUSTERS}listeners:\n  - {}\n`), [
      '3:5: a listener of mode l7 needs "address"',
      '3:5: a listener of mode l7 needs one of routes, cluster, to, redirectToHttps',
    ]);
    assert.deepEqual(errorsOf(`${CLUSTERS}listeners:\n  - { name: a, mode: tcp, address: ':1' }\n`), [
      '3:22: mode: "tcp" is not one of l4, l7',
    ]);
    const inFile = `${CLUSTERS}listeners:\n  - { name: a, mode: { file: mode.txt }, address: ':1' }\n`;
    assert.deepEqual(errorsOf(inFile, { files: { 'mode.txt': 'l7\n' } }), [
      '3:16: mode: a mapping is not one of l4, l7: write the word itself',
    ]);
    assert.deepEqual(errorsOf(`${CLUSTERS}listeners:\n  - { name: a, mode: l4, address: ':1' }\n`), [
      '3:5: a listener of mode l4 needs one of cluster, to, passthrough',
    ]);
    assert.deepEqual(errorsOf(`${CLUSTERS}listeners:\n  - { name: a, mode: l7, address: ':1' }\n`), [
      '3:5: a listener of mode l7 needs one of routes, cluster, to, redirectToHttps',
    ]);
    assert.match(
      errorsOf(`${CLUSTERS}listeners: [web]\n`)[0] ?? '',
      /^2:13: listeners: "web" is not a mapping: a listener of mode l7 has name, mode/,
    );
  });

  it('says which keys belong to the other mode', () => {
    const text = `${CLUSTERS}listeners:
  - { name: a, mode: l4, address: ':1', cluster: app, routes: [], tls: {} }
  - { name: b, mode: l7, address: ':2', idleTimeout: 1s, routes: [{ match: {}, cluster: app }] }
`;
    assert.deepEqual(errorsOf(text), [
      '3:55: "routes" is for listeners of mode l7, and this one has mode l4',
      '3:67: "tls" is for listeners of mode l7, and this one has mode l4',
      '4:41: "idleTimeout" is for listeners of mode l4, and this one has mode l7',
    ]);
  });

  it('reads the idle timeout of a tunnel', () => {
    const text = (idle: string): string =>
      `${CLUSTERS}listeners:\n  - { name: a, mode: l4, address: ':1', cluster: app, idleTimeout: ${idle} }\n`;
    const [listener] = load(text('0s')).config.listeners;
    assert.equal(listener?.mode === 'l4' && listener.idleTimeoutMs, 0);
    assert.match(errorsOf(text('30d'))[0] ?? '', /30d is out of range: write 10ms to 20d, or 0 for never/);
  });

  it('reads the idle timeout of a half-closed tunnel', () => {
    const text = (setting: string): string =>
      `${CLUSTERS}listeners:\n  - { name: a, mode: l4, address: ':1', cluster: app${setting} }\n`;
    const timeout = (setting: string): number | false => {
      const [listener] = load(text(setting)).config.listeners;
      return listener?.mode === 'l4' && listener.halfCloseTimeoutMs;
    };
    assert.deepEqual(
      ['', ', halfCloseTimeout: 5s', ', halfCloseTimeout: 0s'].map(timeout),
      [60_000, 5000, 0],
    );
    assert.deepEqual(errorsOf(text(', halfCloseTimeout: 1ms')), [
      '3:73: halfCloseTimeout: 1ms is out of range: write 10ms to 20d, or 0 for never',
    ]);
    assert.deepEqual(errorsOf(l7('halfCloseTimeout: 5s')), [
      '5:5: "halfCloseTimeout" is for listeners of mode l4, and this one has mode l7',
    ]);
  });

  it('reads the engine of the tunnels', () => {
    const text = (engine: string): string =>
      `${CLUSTERS}listeners:\n  - { name: a, mode: l4, address: ':1', cluster: app, engine: ${engine} }\n`;
    for (const engine of ['auto', 'raw', 'net']) {
      const [listener] = load(text(engine)).config.listeners;
      assert.equal(listener?.mode === 'l4' && listener.engine, engine);
    }
    assert.deepEqual(errorsOf(text('raws')), [
      '3:63: engine: "raws" is not one of auto, raw, net: did you mean raw?',
    ]);
  });

  it('refuses the engine raw for a cluster with TLS', () => {
    const text = (engine: string): string =>
      'clusters: [{ name: app, tls: {}, endpoints: [{ address: "a:1" }] }]\n' +
      `listeners:\n  - { name: a, mode: l4, address: ':1', cluster: app, engine: ${engine} }\n`;
    assert.deepEqual(errorsOf(text('raw')), [
      '3:63: engine: "raw" does not support TLS to the endpoints of tunnels, and the cluster "app" has tls: write auto or net',
    ]);
    for (const engine of ['auto', 'net']) assert.deepEqual(errorsOf(text(engine)), []);
  });
});
