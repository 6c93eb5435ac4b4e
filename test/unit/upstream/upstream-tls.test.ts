import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Address } from '../../../src/core/address.ts';
import { sniOf, upstreamTls } from '../../../src/upstream/upstream-tls.ts';

describe('the TLS server name', () => {
  it("is the configured name, or the endpoint's host, or none", () => {
    const name = (serverName: string | null, address: Address): string =>
      upstreamTls({ serverName, ca: null, verify: true, cert: null, key: null }).serverName(address);
    const tcp = { kind: 'tcp', host: 'app.internal', port: 1 } as const;
    assert.equal(name(null, tcp), 'app.internal');
    assert.equal(name('other', tcp), 'other');
    assert.equal(name(null, { kind: 'unix', path: '/run/app' }), '');
    assert.equal(name('other', { kind: 'unix', path: '/run/app' }), 'other');
  });

  it('is not sent as SNI if it is an IP address', () => {
    assert.equal(sniOf('app.internal'), 'app.internal');
    assert.equal(sniOf('127.0.0.1'), '');
    assert.equal(sniOf('::1'), '');
    assert.equal(sniOf(''), '');
  });
});
