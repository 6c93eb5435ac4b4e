import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { readClientCertificate } from '../../../../src/wire/tls/client-certificate.ts';
import { certificateDer, der, nameDer, namesExtension } from '../../../support/certificate-der.ts';
import { CertificateAuthority } from '../../../support/certificates.ts';

function namesOf(...names: readonly Buffer[]): string[] {
  const certificate = certificateDer(nameDer([]), namesExtension(...names));
  return readClientCertificate(certificate).names.map(({ kind, value }) => `${kind}:${value}`);
}

describe('readClientCertificate', () => {
  const authority = new CertificateAuthority();
  after(() => authority.remove());

  it('reads certificates that openssl issued', () => {
    const names = ['DNS:Alice.Example', 'URI:spiffe://example/alice', 'email:alice@Example.COM', 'IP:::1'];
    const { cert } = authority.issue('alice', names);
    const issued = new X509Certificate(readFileSync(cert));
    assert.deepEqual(readClientCertificate(issued.raw), {
      subject: 'CN=alice',
      fingerprint: issued.fingerprint256.replaceAll(':', '').toLowerCase(),
      names: [
        { kind: 'dns', value: 'alice.example' },
        { kind: 'uri', value: 'spiffe://example/alice' },
        { kind: 'email', value: 'alice@example.com' },
        { kind: 'ip', value: '::1' },
      ],
    });
  });

  it('formats addresses as everywhere else', () => {
    const mapped = `${'\0'.repeat(10)}\xff\xff\x7f\0\0\x01`;
    assert.deepEqual(namesOf(der(0x87, '\xc0\0\x02\x01'), der(0x87, mapped)), [
      'ip:192.0.2.1',
      'ip:127.0.0.1',
    ]);
  });

  it('keeps quotes, separators and blanks out of names', () => {
    assert.deepEqual(
      namesOf(
        der(0x82, 'a.example, DNS:b.example'),
        der(0x82, 'a.example\0.evil.example'),
        der(0x82, ''),
        der(0x86, 'spiffe://a"b'),
        der(0x86, 'spiffe://a\\b'),
        der(0x86, 'spiffe://a\r\nx: y'),
        der(0x86, 'spiffe://\xe9'),
        der(0x86, '/no-scheme'),
        der(0x81, 'a b@example.com'),
        der(0x81, 'nobody'),
        der(0x87, '\x7f\0\0\x01\0'),
        der(0x82, '*.b.example'),
        der(0x86, 'urn:a;b=c,d'),
      ),
      ['dns:*.b.example', 'uri:urn:a;b=c,d'],
    );
  });

  it('returns only visible text, for any bytes', () => {
    const names = namesExtension(
      der(0x82, 'a.example'),
      der(0x86, 'urn:a'),
      der(0x81, 'a@b'),
      der(0x87, '\0\0\0\0'),
    );
    const whole = certificateDer(nameDer([[['2.5.4.3', 30, '\0a\0b']], [['1.2.3', 12, 'c']]]), names);
    const change = fc.tuple(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
        const changed = Buffer.from(whole);
        for (const [at, byte] of changes) changed[at] = byte;
        const certificate = readClientCertificate(changed);
        assert.match(certificate.subject, /^[\x20-\x7e]*$/);
        for (const { value } of certificate.names) assert.match(value, /^[\x21-\x7e]+$/);
      }),
      { numRuns: 2000 },
    );
  });

  it('reads other bytes as a certificate without names', () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('hello'), Buffer.alloc(100_000, 0x30)]) {
      const { subject, names, fingerprint } = readClientCertificate(bytes);
      assert.deepEqual([subject, names], ['', []]);
      assert.match(fingerprint, /^[\da-f]{64}$/);
    }
  });
});
