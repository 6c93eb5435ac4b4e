/** What clients can use of a listener's TLS: docs/guides/tls.md has the table. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { getCiphers, type ConnectionOptions, type SecureVersion } from 'node:tls';
import { CertificateAuthority } from '../../support/certificates.ts';
import { ENGINES, isOwnEngine } from '../../support/engines.ts';
import { runCommand } from '../../support/processes/run-command.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { probeTls, type Agreement } from '../../support/sockets/tls-probe.ts';

const VERSIONS: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
const GROUPS = [
  'X25519MLKEM768',
  'SecP256r1MLKEM768',
  'X25519',
  'P-256',
  'P-384',
  'P-521',
  'X448',
  'ffdhe2048',
];
/** Nothing that the client's OpenSSL would refuse by itself. */
const ANY = 'ALL:COMPLEMENTOFALL:@SECLEVEL=0';

for (const engine of ENGINES.filter(isOwnEngine)) {
  describe(`TLS of a listener on ${engine}`, () => {
    const authority = new CertificateAuthority();
    let rig: WebRig;

    before(async () => {
      const certificates = [
        authority.issue('ecdsa', ['DNS:web.example']),
        authority.issue('rsa', ['DNS:web.example'], { keyType: 'rsa' }),
      ];
      const listener = (more: object): object => ({
        engine,
        tls: { certificates, ...more },
        routes: [{ match: {}, cluster: 'app' }],
      });
      rig = await WebRig.start({
        workers: { l7: 1 },
        listeners: {
          defaults: listener({}),
          modern: listener({
            minVersion: '1.3',
            ciphers: ['TLS_AES_256_GCM_SHA384'],
            groups: ['P-384'],
            alpn: [],
          }),
          older: listener({
            ciphers: 'AES128-SHA:ECDHE-RSA-AES256-SHA',
            groups: 'X25519',
            alpn: ['chat', 'http/1.1'],
          }),
        },
        clusters: { app: { endpoints: ['127.0.0.1:9'] } },
      });
    });
    after(async () => {
      authority.remove();
      await rig.stop();
    });

    async function probe(listener: string, options: ConnectionOptions): Promise<Agreement | string> {
      return probeTls(rig.address(listener), { servername: 'web.example', ...options });
    }

    /** Returns the settings that allow a handshake. */
    async function usable<T>(
      listener: string,
      all: readonly T[],
      options: (one: T) => ConnectionOptions,
    ): Promise<T[]> {
      const found: T[] = [];
      for (const one of all) if (typeof (await probe(listener, options(one))) !== 'string') found.push(one);
      return found;
    }

    const versions = (listener: string): Promise<SecureVersion[]> =>
      usable(listener, VERSIONS, (version) => ({ minVersion: version, maxVersion: version, ciphers: ANY }));

    function ciphers(listener: string, maxVersion: 'TLSv1.2' | 'TLSv1.3'): Promise<string[]> {
      const isOf13 = maxVersion === 'TLSv1.3';
      const all = getCiphers().map((name) => name.toUpperCase());
      return usable(
        listener,
        all.filter((name) => name.startsWith('TLS_') === isOf13),
        (name) => ({ minVersion: maxVersion, maxVersion, ciphers: isOf13 ? name : `${name}:@SECLEVEL=0` }),
      );
    }

    it('speaks the versions from minVersion on', async () => {
      assert.deepEqual(await versions('defaults'), ['TLSv1.2', 'TLSv1.3']);
      assert.deepEqual(await versions('modern'), ['TLSv1.3']);
      assert.deepEqual(await versions('older'), ['TLSv1.2', 'TLSv1.3']);
    });

    it('has the ciphers of its settings and no other', async () => {
      const defaults = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];
      assert.deepEqual(await ciphers('defaults', 'TLSv1.3'), defaults);
      assert.deepEqual(await ciphers('modern', 'TLSv1.3'), ['TLS_AES_256_GCM_SHA384']);
      assert.deepEqual(await ciphers('older', 'TLSv1.3'), defaults);
      assert.deepEqual(await ciphers('defaults', 'TLSv1.2'), [
        'ECDHE-ECDSA-AES128-GCM-SHA256',
        'ECDHE-ECDSA-AES256-GCM-SHA384',
        'ECDHE-ECDSA-CHACHA20-POLY1305',
        'ECDHE-RSA-AES128-GCM-SHA256',
        'ECDHE-RSA-AES256-GCM-SHA384',
        'ECDHE-RSA-CHACHA20-POLY1305',
      ]);
      assert.deepEqual(await ciphers('modern', 'TLSv1.2'), []);
      assert.deepEqual(await ciphers('older', 'TLSv1.2'), ['AES128-SHA', 'ECDHE-RSA-AES256-SHA']);
    });

    it('exchanges keys by the groups of its settings and no other', async () => {
      const groups = (listener: string): Promise<string[]> =>
        usable(listener, GROUPS, (group) => ({ ecdhCurve: group, minVersion: 'TLSv1.3' }));
      assert.deepEqual(await groups('defaults'), ['X25519MLKEM768', 'X25519', 'P-256']);
      assert.deepEqual(await groups('modern'), ['P-384']);
      assert.deepEqual(await groups('older'), ['X25519']);
    });

    it('chooses the cipher in its own order', async () => {
      for (const [listener, cipher] of [
        ['defaults', 'TLS_AES_128_GCM_SHA256'],
        ['older', 'TLS_AES_128_GCM_SHA256'],
      ] as const) {
        const agreement = await probe(listener, {
          ciphers: 'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256',
        });
        assert.equal(typeof agreement === 'string' ? agreement : agreement.cipher, cipher);
      }
      const older = await probe('older', {
        maxVersion: 'TLSv1.2',
        ciphers: 'ECDHE-RSA-AES256-SHA:AES128-SHA:@SECLEVEL=0',
      });
      assert.equal(typeof older === 'string' ? older : older.cipher, 'AES128-SHA');
    });

    it('shows each client the certificate that it can verify', async () => {
      const shown = async (sigalgs: string): Promise<string> => {
        const agreement = await probe('defaults', { sigalgs });
        return typeof agreement === 'string' ? agreement : agreement.certificate;
      };
      assert.equal(await shown('ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256'), 'CN=ecdsa ec');
      assert.equal(await shown('ecdsa_secp256r1_sha256'), 'CN=ecdsa ec');
      assert.equal(await shown('rsa_pss_rsae_sha256'), 'CN=rsa rsa');
    });

    it('chooses a protocol in its own order, and continues without a common one', async () => {
      const chosen = async (listener: string, ...offer: readonly string[]): Promise<string | null> => {
        const agreement = await probe(listener, { ALPNProtocols: [...offer] });
        return typeof agreement === 'string' ? agreement : agreement.alpn;
      };
      assert.equal(await chosen('defaults', 'h2', 'http/1.1'), 'http/1.1');
      assert.equal(await chosen('defaults', 'h2'), null);
      assert.equal(await chosen('older', 'http/1.1', 'chat'), 'chat');
      assert.equal(await chosen('modern', 'http/1.1'), null);
    });

    it('refuses a fall back to an older version, and compression', async () => {
      const sClient = async (...args: readonly string[]): Promise<string> => {
        const target = ['-connect', rig.address('defaults'), '-servername', 'web.example'];
        const { stdout, stderr } = await runCommand('openssl', ['s_client', ...target, ...args]);
        return stdout + stderr;
      };
      assert.match(await sClient('-tls1_2', '-fallback_scsv'), /alert inappropriate fallback/);
      assert.match(await sClient('-tls1_2', '-comp'), /^Compression: NONE$/m);
      assert.match(await sClient('-tls1_2'), /^Secure Renegotiation IS supported$/m);
      assert.match(await sClient('-tls1_2'), /Extended master secret: yes/);
    });
  });
}
