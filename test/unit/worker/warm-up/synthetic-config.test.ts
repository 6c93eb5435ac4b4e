import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { layoutOf } from '../../../../src/protocol/stats-layout.ts';
import { WARM_UP, syntheticConfig, templatesOf } from '../../../../src/worker/warm-up/synthetic-config.ts';
import { config, l4Listener, l7Listener, listenerTls } from '../../primary/fixtures/config.ts';

const ENDPOINT = { kind: 'tcp', host: '127.0.0.1', port: 1 } as const;

describe('the configuration of a warm-up', () => {
  it('has a listener for each engine of the real listeners', () => {
    const listeners = [
      l7Listener,
      { ...l7Listener, name: 'second' },
      { ...l7Listener, name: 'third', engine: 'raw' as const },
      l4Listener,
    ];
    const templates = templatesOf({ ...config, listeners });
    assert.deepEqual(
      templates.map(({ name }) => name),
      ['web', 'third'],
    );
    const made = syntheticConfig(config, templates, [2, 3], ENDPOINT, '/path');
    assert.deepEqual(
      made.listeners.map(({ address, mode, engine }) => [address.port, mode, engine]),
      [
        [2, 'l7', 'uws'],
        [3, 'l7', 'raw'],
      ],
    );
  });

  it('has TLS if the proxy itself terminates it, without client certificates', () => {
    const tls = listenerTls([]);
    const clientCertificates = {
      ...{ ca: '/ca.pem', caPem: '', isRequired: true, crl: null, crlPem: null },
      ...{ forward: true, digest: '' },
    };
    const listeners = [
      { ...l7Listener, name: 'plain', engine: 'raw' as const },
      { ...l7Listener, name: 'secure', engine: 'raw' as const, tls: { ...tls, clientCertificates } },
      { ...l7Listener, name: 'by-uws', engine: 'uws' as const, tls },
      { ...l7Listener, name: 'by-node', engine: 'net' as const, tls },
    ];
    const templates = templatesOf({ ...config, listeners });
    const made = syntheticConfig(config, templates, [2, 3, 4, 5], ENDPOINT, '/path');
    assert.deepEqual(
      made.listeners.map((listener) => listener.mode === 'l7' && listener.tls),
      [null, { ...tls, clientCertificates: null }, null, null],
    );
  });

  it('uses only its own endpoint, without limits, TLS or probes', () => {
    const certificates = [
      { cert: '/c.pem', key: '/k.pem', certPem: '', keyPem: '', serverNames: [], uri: null },
    ];
    const template = {
      ...l7Listener,
      maxConnections: 1,
      maxPendingHandshakes: 1,
      tls: listenerTls(certificates),
    };
    const made = syntheticConfig(config, [template], [2], ENDPOINT, '/path');
    const [listener] = made.listeners;
    assert.ok(listener?.mode === 'l7');
    const { tls, maxConnections, maxPendingHandshakes, routes, websocket } = listener;
    assert.deepEqual([tls, maxConnections, maxPendingHandshakes], [null, 0, 0]);
    assert.equal(websocket, template.websocket);
    assert.deepEqual(
      routes.map(({ match: { path }, action }) => [path, action.kind === 'cluster' && action.cluster]),
      [['/path', WARM_UP]],
    );
    assert.deepEqual(
      made.clusters.map(({ name, endpoints, healthCheck, outlier }) => [
        name,
        endpoints,
        healthCheck,
        outlier,
      ]),
      [[WARM_UP, [{ address: ENDPOINT, weight: 1, maxConnections: 0 }], null, null]],
    );
  });

  it('has a separate stats page', () => {
    const { listeners, clusters } = syntheticConfig(config, [l7Listener], [2], ENDPOINT, '/path');
    const names = [...listeners, ...clusters].map(({ name }) => name);
    assert.ok(names.every((name) => name.startsWith(WARM_UP)));
    assert.ok(layoutOf(syntheticConfig(config, [l7Listener], [2], ENDPOINT, '/path'), []).size > 0);
  });
});
