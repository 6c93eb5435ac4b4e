import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorsOf, l7, load, warningsOf } from '../../load.ts';

const tcp = (...keys: readonly string[]): string =>
  [
    'clusters: [{ name: app, endpoints: [{ address: "a:1" }] }]',
    'listeners:',
    '  - { name: tcp, mode: l4, address: ":1", cluster: app',
    ...keys.map((key) => `    , ${key}`),
    '    }',
    '',
  ].join('\n');

describe('the proxies in front of a listener', () => {
  it('may send PROXY headers at both layers', () => {
    for (const text of [l7, tcp]) {
      for (const policy of ['required', 'optional']) {
        const [listener] = load(text(`proxyProtocol: ${policy}`, 'trustedProxies: [10.0.0.0/8, "::1"]'))
          .config.listeners;
        assert.equal(listener?.proxyProtocol, policy);
        assert.deepEqual(listener.trustedProxies, ['10.0.0.0/8', '::1']);
      }
    }
    assert.equal(load(l7()).config.listeners[0]?.proxyProtocol, 'off');
  });

  it('must be named if PROXY headers are read', () => {
    assert.deepEqual(errorsOf(l7('proxyProtocol: required')), [
      '5:20: proxyProtocol: a PROXY header is accepted only from trustedProxies, which is empty, so every connection ' +
        'would be closed: list the proxies in front there',
    ]);
    assert.deepEqual(errorsOf(tcp('trustedProxies: []', 'proxyProtocol: optional')), [
      '5:22: proxyProtocol: a PROXY header is accepted only from trustedProxies, which is empty, so no header ' +
        'would be read: list the proxies in front there',
    ]);
  });

  it('with invalid addresses cause one error', () => {
    assert.deepEqual(errorsOf(l7('trustedProxies: [10.0.0.0/33]', 'proxyProtocol: required')), [
      '5:22: trustedProxies: "10.0.0.0/33" is neither an IP address nor a CIDR block: write one such as 10.0.0.0/8 or fd00::/8',
    ]);
  });

  it('cause a warning at layer 4 without PROXY headers', () => {
    assert.deepEqual(warningsOf(tcp('trustedProxies: [10.0.0.1]')), [
      '4:7: trustedProxies has no effect at layer 4 without proxyProtocol: write proxyProtocol: required or optional',
    ]);
    assert.deepEqual(warningsOf(tcp('trustedProxies: []')), []);
    assert.deepEqual(warningsOf(l7('trustedProxies: [10.0.0.1]')), []);
  });

  it('cannot send PROXY headers to the engine uws', () => {
    const keys = ['trustedProxies: [10.0.0.1]', 'proxyProtocol: optional'];
    assert.deepEqual(errorsOf(l7('engine: uws', ...keys)), [
      '7:20: proxyProtocol: only the engines raw and net support this, and the listener uses uws because of ' +
        '"engine: uws": leave the key out',
    ]);
    assert.deepEqual(errorsOf(l7('engine: uws', 'proxyProtocol: off', 'passthrough: []')), []);
  });
});
