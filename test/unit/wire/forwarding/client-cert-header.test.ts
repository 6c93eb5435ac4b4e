import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clientCertValue } from '../../../../src/wire/forwarding/client-cert-header.ts';
import type { ClientCertificate } from '../../../../src/wire/tls/client-certificate.ts';

const BARE: ClientCertificate = { subject: '', fingerprint: 'ab'.repeat(32), names: [] };
const HASH = `Hash=${BARE.fingerprint}`;

describe('X-Forwarded-Client-Cert', () => {
  it("has Envoy's fields in order", () => {
    const certificate: ClientCertificate = {
      ...BARE,
      subject: 'CN=alice,O=example',
      names: [
        { kind: 'dns', value: 'a.example' },
        { kind: 'uri', value: 'spiffe://example/a' },
        { kind: 'email', value: 'a@example.com' },
        { kind: 'dns', value: 'b.example' },
        { kind: 'ip', value: '192.0.2.1' },
        { kind: 'uri', value: 'spiffe://example/b' },
      ],
    };
    assert.equal(
      clientCertValue(certificate, 'spiffe://example/edge'),
      `By=spiffe://example/edge;${HASH};Subject="CN=alice,O=example";URI=spiffe://example/a;URI=spiffe://example/b;DNS=a.example;DNS=b.example`,
    );
  });

  it('omits what neither certificate has', () => {
    assert.equal(clientCertValue(BARE, null), `${HASH};Subject=""`);
  });

  it('quotes URIs with separators', () => {
    const names = ['urn:a;Subject=x', 'urn:a,b', 'urn:a=b', 'urn:a'].map(
      (value) => ({ kind: 'uri', value }) as const,
    );
    assert.equal(
      clientCertValue({ ...BARE, names }, 'urn:e,f'),
      `By="urn:e,f";${HASH};Subject="";URI="urn:a;Subject=x";URI="urn:a,b";URI="urn:a=b";URI=urn:a`,
    );
  });

  it('keeps the escapes of a subject', () => {
    assert.equal(
      clientCertValue({ ...BARE, subject: 'CN=a\\"\\;Hash=b\\\\' }, null),
      `${HASH};Subject="CN=a\\"\\;Hash=b\\\\"`,
    );
  });
});
