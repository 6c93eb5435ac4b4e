import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect } from 'node:tls';
import { CertificateAuthority } from '../../support/certificates.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';

describe('TLS of the engine uws', () => {
  const authority = new CertificateAuthority();
  let rig: WebRig;

  before(async () => {
    const first = authority.issue('first', ['DNS:one.example', 'DNS:*.one.example'], { keyType: 'rsa' });
    const second = authority.issue('second', ['DNS:one.example', 'DNS:two.example'], { keyType: 'rsa' });
    const third = authority.issue('third', ['DNS:two.example', 'DNS:three.example'], { keyType: 'rsa' });
    const certificates = [first, second, third];
    const listener = { engine: 'uws', routes: [{ match: {}, cluster: 'app' }] };
    rig = await WebRig.start({
      workers: { l7: 1 },
      clusters: { app: { endpoints: ['127.0.0.1:9'] } },
      listeners: {
        plain: { ...listener, tls: { certificates } },
        older: { ...listener, tls: { certificates, ciphers: 'AES256-SHA:AES128-SHA' } },
      },
    });
  });
  after(async () => {
    authority.remove();
    await rig.stop();
  });

  /** Does a handshake of TLS 1.2. Returns the cipher and whom the certificate names, or an error. */
  async function handshake(listener: string, ciphers: string, servername = ''): Promise<string> {
    const [host, port] = rig.address(listener).split(':') as [string, string];
    const { promise, resolve } = Promise.withResolvers<string>();
    const socket = connect({
      ...{ host, port: Number(port), servername, ciphers },
      ...{ maxVersion: 'TLSv1.2', rejectUnauthorized: false },
    });
    socket.once('secureConnect', () =>
      resolve(`${socket.getCipher().name} ${String(socket.getPeerCertificate().subject.CN)}`),
    );
    socket.once('error', () => resolve('refused'));
    const answer = await promise;
    socket.destroy();
    return answer;
  }

  it('has no cipher without forward secrecy by default', async () => {
    assert.equal(await handshake('plain', 'AES256-SHA:AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA'), 'refused');
    assert.equal(
      await handshake('plain', 'AES256-SHA:ECDHE-RSA-AES128-GCM-SHA256'),
      'ECDHE-RSA-AES128-GCM-SHA256 first',
    );
  });

  it('has the ciphers of the configuration, for each server name', async () => {
    for (const [name, subject] of [
      ['', 'first'],
      ['two.example', 'second'],
    ] as const) {
      assert.equal(await handshake('older', 'ECDHE-RSA-AES128-GCM-SHA256', name), 'refused');
      assert.equal(await handshake('older', 'AES128-SHA', name), `AES128-SHA ${subject}`);
    }
  });

  it('serves the first of several certificates for a name', async () => {
    const cipher = 'ECDHE-RSA-AES128-GCM-SHA256';
    for (const [name, subject] of [
      ['one.example', 'first'],
      ['two.example', 'second'],
      ['three.example', 'third'],
    ] as const) {
      assert.equal(await handshake('plain', cipher, name), `${cipher} ${subject}`);
    }
  });
});
