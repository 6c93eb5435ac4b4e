import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { connect } from 'node:tls';
import { opensslProblem } from '../../../../src/sys/openssl.ts';
import type { ClientCertificateTrust } from '../../../../src/sys/tls/server-context.ts';
import type { TlsStream } from '../../../../src/sys/tls/tls-stream.ts';
import { CertificateAuthority, type IssuedCertificate } from '../../../support/certificates.ts';
import { within } from '../../../support/deadline.ts';
import { TlsRig, handshake, settingsOf, textsOf } from './rig.ts';

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

describe('a TLS context that asks for certificates', { skip: opensslProblem() ?? false }, () => {
  const root = new CertificateAuthority('root');
  const middle = new CertificateAuthority('middle', root);
  const stranger = new CertificateAuthority('stranger');
  const server = textsOf(root.issue('a.example', ['DNS:a.example']));
  after(() => {
    for (const authority of [root, middle, stranger]) authority.remove();
  });

  async function connected(
    trust: Partial<ClientCertificateTrust>,
    options: { cert?: string; key?: string; version: 'TLSv1.2' | 'TLSv1.3' },
    test: (stream: TlsStream, result: 'done' | 'failed') => void,
  ): Promise<void> {
    const clientCertificates = { caPem: root.pem, crlPem: null, isRequired: true, ...trust };
    await TlsRig.with(settingsOf([server], { clientCertificates }), async (rig) => {
      const { cert, key, version } = options;
      const client = connect({
        ...{ host: '127.0.0.1', port: rig.port, servername: 'a.example', ca: root.pem },
        ...{ cert, key, minVersion: version, maxVersion: version },
      });
      client.on('error', () => undefined);
      const closed = new Promise((settle) => client.once('close', settle));
      const stream = await rig.accept();
      test(stream, await handshake(stream));
      rig.drop(stream);
      await within('the client', closed);
    });
  }

  function filesOf({ cert, key }: IssuedCertificate): { cert: string; key: string } {
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  }

  for (const version of VERSIONS) {
    it(`accepts a trusted one, and returns it in DER (${version})`, async () => {
      const alice = filesOf(root.issue('alice', ['email:alice@a.example']));
      await connected({}, { ...alice, version }, (stream, result) => {
        assert.equal(result, 'done');
        assert.deepEqual(stream.clientCertificate(), new X509Certificate(alice.cert).raw);
      });
    });

    it(`accepts one from an intermediate authority that the client sends (${version})`, async () => {
      const { cert, key } = filesOf(middle.issue('alice', ['email:alice@a.example']));
      await connected({}, { cert: cert + middle.pem, key, version }, (stream, result) => {
        assert.equal(result, 'done');
        assert.deepEqual(stream.clientCertificate(), new X509Certificate(cert).raw);
      });
    });

    it(`admits a client without one only if none is required (${version})`, async () => {
      await connected({ isRequired: false }, { version }, (stream, result) => {
        assert.equal(result, 'done');
        assert.equal(stream.clientCertificate(), null);
      });
      await connected({}, { version }, (stream, result) => {
        assert.equal(result, 'failed');
        assert.equal(stream.failureKind, 'certificate');
        assert.equal(stream.failure, 'peer did not return a certificate');
      });
    });

    it(`refuses a bad one even if none is required (${version})`, async () => {
      const bad = [
        [stranger.issue('mallory', ['email:m@a.example']), /unable to get local issuer|self.signed/],
        [root.issue('expired', ['email:m@a.example'], { isExpired: true }), /certificate has expired/],
      ] as const;
      for (const [certificate, why] of bad) {
        await connected({ isRequired: false }, { ...filesOf(certificate), version }, (stream, result) => {
          assert.equal(result, 'failed');
          assert.equal(stream.failureKind, 'certificate');
          assert.match(stream.failure, why);
          assert.equal(stream.handshake(), 'failed');
        });
      }
    });
  }

  it('refuses a revoked one, and accepts others of the same authority', async () => {
    const version = 'TLSv1.3';
    const good = root.issue('good', ['email:g@a.example']);
    const revoked = root.issue('revoked', ['email:r@a.example']);
    root.revoke(revoked);
    const crlPem = readFileSync(root.revocations(), 'utf8');
    await connected({ crlPem }, { ...filesOf(good), version }, (_stream, result) => {
      assert.equal(result, 'done');
    });
    await connected({ crlPem }, { ...filesOf(revoked), version }, (stream, result) => {
      assert.equal(result, 'failed');
      assert.equal(stream.failureKind, 'certificate');
      assert.match(stream.failure, /certificate revoked/);
    });
  });

  it('requires a revocation list of each authority in a chain', async () => {
    const version = 'TLSv1.3';
    const { cert, key } = filesOf(middle.issue('alice', ['email:alice@a.example']));
    const chain = { cert: cert + middle.pem, key, version } as const;
    const ofRoot = readFileSync(root.revocations(), 'utf8');
    await connected({ crlPem: ofRoot }, chain, (stream, result) => {
      assert.equal(result, 'failed');
      assert.match(stream.failure, /unable to get certificate CRL/);
    });
    const ofMiddle = readFileSync(middle.revocations(), 'utf8');
    await connected({ crlPem: ofRoot + ofMiddle }, chain, (_stream, result) => {
      assert.equal(result, 'done');
    });
  });

  it('trusts several authorities', async () => {
    const caPem = stranger.pem + root.pem;
    for (const authority of [root, stranger]) {
      const files = filesOf(authority.issue('alice', ['email:alice@a.example']));
      await connected({ caPem }, { ...files, version: 'TLSv1.3' }, (_stream, result) => {
        assert.equal(result, 'done');
      });
    }
  });
});
