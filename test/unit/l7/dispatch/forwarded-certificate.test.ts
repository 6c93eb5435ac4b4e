import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Certificate } from '../../../../src/config/types/listener.ts';
import { listenerTls } from '../../primary/fixtures/config.ts';
import { route } from './cluster-route-rig.ts';
import { HANDSHAKE, exchangeOf } from './exchanges.ts';

function certificateOf(uri: string | null): Certificate {
  return { cert: '', key: '', certPem: '', keyPem: '', serverNames: [], uri };
}

describe('the certificate of a client', () => {
  it('is sent to the endpoint if the listener enables that', () => {
    const certificate = {
      subject: 'CN=alice,O=example',
      fingerprint: 'ab'.repeat(32),
      names: [{ kind: 'uri', value: 'spiffe://example/alice' }],
    } as const;
    const value = `Hash=${certificate.fingerprint};Subject="CN=alice,O=example";URI=spiffe://example/alice`;
    const edge = certificateOf('spiffe://example/edge');
    const settings = { ca: '', caPem: '', isRequired: false, crl: null, crlPem: null, digest: '' };
    for (const [forward, certificates, found, sent] of [
      [true, [edge], certificate, `By=spiffe://example/edge;${value}`],
      [true, [edge, edge], certificate, `By=spiffe://example/edge;${value}`],
      [true, [edge, certificateOf(null)], certificate, value],
      [true, [certificateOf(null)], certificate, value],
      [true, [edge], null, undefined],
      [false, [edge], certificate, undefined],
    ] as const) {
      const tls = { ...listenerTls(certificates), clientCertificates: { ...settings, forward } };
      const { take, requests, upgrades } = route({ listener: { tls, forwarded: 'off' } });
      for (const headers of [[], HANDSHAKE]) {
        const exchange = exchangeOf({ headers });
        take({ ...exchange, facts: { ...exchange.facts, certificate: found } });
      }
      for (const order of [requests[0], upgrades[0]]) {
        const { forwarded } = order!.to;
        const index = forwarded.indexOf('X-Forwarded-Client-Cert');
        assert.equal(index < 0 ? undefined : forwarded[index + 1], sent);
      }
    }
  });
});
