import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { connect, type ConnectionOptions, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { opensslProblem } from '../../../../src/sys/openssl.ts';
import { ServerContext, type ServerContextSettings } from '../../../../src/sys/tls/server-context.ts';
import { CertificateAuthority } from '../../../support/certificates.ts';
import { within } from '../../../support/deadline.ts';
import { CIPHERS, TlsRig, handshake, settingsOf, textsOf } from './rig.ts';

/** What both sides of a connection say of it. */
interface Outcome {
  /** Whether the server has done its handshake. */
  readonly isDone: boolean;
  readonly failure: string;
  readonly client: TLSSocket;
  readonly clientError: string;
}

describe('a TLS context', { skip: opensslProblem() ?? false }, () => {
  const root = new CertificateAuthority('root');
  const middle = new CertificateAuthority('middle', root);
  const names = ['DNS:a.example'];
  const ec = textsOf(root.issue('ec', names));
  const rsa = textsOf(root.issue('rsa', names, { keyType: 'rsa' }));
  after(() => {
    for (const authority of [root, middle]) authority.remove();
  });

  /** Lets one client in. */
  async function connected(
    changes: Partial<ServerContextSettings>,
    options: ConnectionOptions,
    test: (outcome: Outcome) => void,
  ): Promise<void> {
    await TlsRig.with(settingsOf([ec], changes), async (rig) => {
      const target = { host: '127.0.0.1', port: rig.port, servername: 'a.example', ca: root.pem };
      const client = connect({ ...target, ...options });
      let clientError = '';
      client.on('error', (error: Error) => (clientError = error.message));
      const settled = new Promise((settle) => {
        client.once('secureConnect', settle);
        client.once('close', settle);
      });
      const stream = await rig.accept();
      const isDone = (await handshake(stream)) === 'done';
      await within('the client', settled);
      test({ isDone, failure: stream.failure, client, clientError });
      client.destroy();
    });
  }

  describe('speaks versions, ciphers and groups that are allowed', () => {
    it('refuses TLS 1.2 if 1.3 is the min', async () => {
      await connected({ minVersion: '1.3' }, { maxVersion: 'TLSv1.2' }, (outcome) => {
        assert.equal(outcome.isDone, false);
        assert.equal(outcome.failure, 'unsupported protocol');
        assert.match(outcome.clientError, /alert protocol version/);
      });
    });

    it('refuses TLS 1.1', async () => {
      const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
      await connected({}, old, ({ isDone, failure }) => {
        assert.equal(isDone, false);
        assert.equal(failure, 'unsupported protocol');
      });
    });

    it('prefers its own order of ciphers', async () => {
      const ciphers = 'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-CHACHA20-POLY1305';
      const wanted = {
        'TLSv1.3': 'TLS_CHACHA20_POLY1305_SHA256',
        'TLSv1.2': 'ECDHE-ECDSA-CHACHA20-POLY1305',
      };
      for (const [maxVersion, cipher] of Object.entries(wanted)) {
        const options = { maxVersion, minVersion: maxVersion } as ConnectionOptions;
        await connected({ ciphers }, options, ({ isDone, client }) => {
          assert.ok(isDone);
          assert.equal(client.getProtocol(), maxVersion);
          assert.equal(client.getCipher().name, cipher);
        });
      }
    });

    it('disables a version without a cipher', async () => {
      await connected({ ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }, {}, ({ client }) => {
        assert.equal(client.getProtocol(), 'TLSv1.2');
      });
      const newer = { ciphers: 'TLS_AES_128_GCM_SHA256' };
      await connected(newer, { maxVersion: 'TLSv1.2' }, ({ failure }) => {
        assert.equal(failure, 'unsupported protocol');
      });
    });

    it('refuses a client without a common cipher', async () => {
      const ciphers = 'ECDHE-ECDSA-AES128-GCM-SHA256';
      const other = { ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384', maxVersion: 'TLSv1.2' } as const;
      await connected({ ciphers }, other, ({ isDone, failure }) => {
        assert.equal(isDone, false);
        assert.equal(failure, 'no shared cipher');
      });
    });

    for (const group of ['X25519MLKEM768', 'X25519', 'P-256']) {
      it(`accepts the group ${group}`, async () => {
        const groups = 'X25519MLKEM768:X25519:P-256';
        await connected({ groups }, { ecdhCurve: group, minVersion: 'TLSv1.3' }, ({ isDone, client }) => {
          assert.ok(isDone);
          assert.equal(client.getProtocol(), 'TLSv1.3');
        });
      });
    }

    it('refuses a client without a common group', async () => {
      await connected({ groups: 'P-256' }, { ecdhCurve: 'X25519' }, ({ isDone, failure }) => {
        assert.equal(isDone, false);
        assert.match(failure, /no suitable key share|no shared group/);
      });
    });
  });

  describe('chooses an application protocol', () => {
    it('takes its first protocol that the client offers', async () => {
      const alpn = ['b', 'http/1.1', 'c'];
      await connected({ alpn }, { ALPNProtocols: ['x', 'c', 'http/1.1'] }, ({ client }) => {
        assert.equal(client.alpnProtocol, 'http/1.1');
      });
    });

    it('continues without one if none is common', async () => {
      await connected({}, { ALPNProtocols: ['h2', 'x'] }, ({ isDone, client }) => {
        assert.ok(isDone);
        assert.equal(client.alpnProtocol, false);
      });
    });

    it('chooses none if either side has none', async () => {
      for (const [alpn, offer] of [
        [['http/1.1'], undefined],
        [[], ['http/1.1']],
      ] as const) {
        await connected({ alpn }, { ALPNProtocols: offer && [...offer] }, ({ isDone, client }) => {
          assert.ok(isDone);
          assert.equal(client.alpnProtocol, false);
        });
      }
    });
  });

  describe('shows certificates', () => {
    it('sends the chain after the certificate', async () => {
      const leaf = textsOf(middle.issue('leaf', names));
      const chained = { ...leaf, certPem: leaf.certPem + middle.pem };
      await connected({ certificates: [chained] }, {}, ({ client }) => {
        assert.equal(client.authorized, true);
        assert.equal(client.getPeerCertificate(true).issuerCertificate.subject.CN, 'middle');
      });
      await connected({ certificates: [leaf] }, {}, ({ clientError }) => {
        assert.match(clientError, /unable to verify/);
      });
    });

    it('has one for each type of key, each with its own chain', async () => {
      const leaf = textsOf(middle.issue('below', names, { keyType: 'rsa' }));
      const chained = { ...leaf, certPem: leaf.certPem + middle.pem };
      for (const [sigalgs, name, issuer] of [
        ['rsa_pss_rsae_sha256', 'below', 'middle'],
        ['ecdsa_secp256r1_sha256', 'ec', 'root'],
      ] as const) {
        await connected({ certificates: [ec, chained] }, { sigalgs }, ({ client }) => {
          const chain: Partial<DetailedPeerCertificate> = client.getPeerCertificate(true);
          assert.equal(chain.subject?.CN, name);
          assert.equal(chain.issuerCertificate?.subject.CN, issuer);
        });
      }
    });

    it('uses the first of several with keys of one type', async () => {
      const other = textsOf(root.issue('other', names));
      await connected({ certificates: [ec, rsa, other] }, {}, ({ client }) => {
        assert.equal(client.getPeerCertificate().subject.CN, 'ec');
      });
    });
  });

  describe('reports a fault in its settings', () => {
    const wrong: [string, Partial<ServerContextSettings>, RegExp][] = [
      ['no certificate', { certificates: [] }, /certificate: none/],
      ['an empty certificate', { certificates: [{ ...ec, certPem: '' }] }, /certificate: none in the text/],
      ['no PEM', { certificates: [{ ...ec, certPem: 'hello' }] }, /certificate: none in the text/],
      ['a key that does not match', { certificates: [{ ...ec, keyPem: root.pem }] }, /private key: /],
      [
        'a key of another certificate',
        { certificates: [{ ...ec, keyPem: textsOf(root.issue('second', names)).keyPem }] },
        /private key: key values mismatch/,
      ],
      ['an unknown cipher', { ciphers: 'RC5' }, /ciphers: no cipher match/],
      ['no cipher', { ciphers: '' }, /ciphers: none supports TLS 1.2/],
      [
        'ciphers of another version',
        { ciphers: 'ECDHE-RSA-AES128-GCM-SHA256', minVersion: '1.3' },
        /ciphers: none supports TLS 1.3/,
      ],
      ['an unknown group', { groups: 'X25519:P-999' }, /groups: unknown: P-999/],
      ['a protocol without a name', { alpn: ['http/1.1', ''] }, /application protocol must have .*, not 0/],
      [
        'a protocol that is too long',
        { alpn: ['x'.repeat(256)] },
        /application protocol must have .*, not 256/,
      ],
      ['no session id context', { sessionIdContext: Buffer.of() }, /session ID context must have .*, not 0/],
      [
        'a long session id context',
        { sessionIdContext: Buffer.alloc(33) },
        /session ID context must have .*, not 33/,
      ],
      [
        'no authority',
        { clientCertificates: { caPem: '', crlPem: null, isRequired: true } },
        /authorities: no certificate/,
      ],
      [
        'a bad authority',
        {
          clientCertificates: {
            caPem: root.pem.replace(/[A-Za-z]{20}/, '!'.repeat(20)),
            crlPem: null,
            isRequired: true,
          },
        },
        /authorities: bad base64 decode/,
      ],
      [
        'no revocation list',
        { clientCertificates: { caPem: root.pem, crlPem: root.pem, isRequired: true } },
        /revocation lists: none/,
      ],
    ];
    for (const [what, changes, message] of wrong) {
      it(`does so for ${what}, and frees everything`, () => {
        assert.throws(() => new ServerContext(settingsOf([ec], changes)), { message });
        assert.equal(ServerContext.live, 0);
      });
    }

    it('does not ask for the password of a key at the terminal', () => {
      const key = createPrivateKey(ec.keyPem);
      const locked = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' } as const;
      const keyPem = key.export(locked).toString();
      assert.throws(() => new ServerContext(settingsOf([{ ...ec, keyPem }])), /private key: /);
    });
  });

  it('may be closed again, and refuses connections afterwards', () => {
    const context = new ServerContext(settingsOf([ec], { ciphers: CIPHERS }));
    context.close();
    context.close();
    assert.equal(ServerContext.live, 0);
    assert.throws(() => context.acquire(), /closed/);
  });
});
