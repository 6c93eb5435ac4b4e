import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import * as tls from 'node:tls';
import type { ClientCertificateSettings, ListenerTls } from '../../../../src/config/types/listener.ts';
import { CertificateAuthority } from '../../../support/certificates.ts';
import { eventually, within } from '../../../support/deadline.ts';
import { NODE } from '../../../support/tls/captured-hellos.ts';
import { certificateOf, freshRing, listenerTls } from '../../../support/tls/listener-tls.ts';
import { NetEntryRig } from './net-entry-rig.ts';

const authority = new CertificateAuthority();
const stranger = new CertificateAuthority('a stranger');
const a = certificateOf(authority.issue('a', ['DNS:a.example']), 'a.example');
const b = certificateOf(authority.issue('b', ['DNS:b.example'], { keyType: 'rsa' }), 'b.example');
const alice = certificateOf(authority.issue('alice', ['email:alice@example.com']));
const ring = freshRing();
/** A record with the fatal alert `unknown_ca`. */
const UNKNOWN_CA = Buffer.from('15030300020230', 'hex');

function clientCertificates(changes: Partial<ClientCertificateSettings> = {}): ClientCertificateSettings {
  const { file, pem } = authority;
  return {
    ca: file,
    caPem: pem,
    isRequired: true,
    crl: null,
    crlPem: null,
    forward: true,
    digest: 'x',
    ...changes,
  };
}

describe('TLS on sockets of Node', () => {
  let rig: NetEntryRig;
  const clients: Socket[] = [];
  before(async () => {
    rig = await NetEntryRig.listen();
  });
  afterEach(async () => {
    for (const client of clients) client.destroy();
    await rig.reset();
  });
  after(async () => {
    await rig.close();
    authority.remove();
    stranger.remove();
  });

  function serve(changes: Partial<ListenerTls> = {}, keys = ring, listener = 'web'): void {
    rig.serve(rig.transport.createTls(listener, listenerTls([a, b], changes), keys));
  }

  /** Returns a TLS client during its handshake. */
  function secure(options: tls.ConnectionOptions = {}): tls.TLSSocket {
    const client = tls.connect({
      ...{ host: '127.0.0.1', port: rig.port, ca: authority.pem, servername: 'a.example' },
      ...options,
    });
    client.on('error', () => client.destroy());
    clients.push(client);
    return client;
  }

  /** A client of TCP. */
  async function plain(): Promise<Socket> {
    const client = connect({ port: rig.port, host: '127.0.0.1' });
    client.on('error', () => client.destroy());
    clients.push(client);
    await within('a connection', once(client, 'connect'));
    return client;
  }

  /** Why the only connection was rejected. */
  async function rejection(): Promise<readonly [reason: string, detail: string]> {
    const { reason, detail, peer } = await rig.rejections.next();
    assert.equal(peer, '127.0.0.1');
    await eventually(() => assert.equal(rig.gone, 1));
    assert.equal(rig.accepted.count, 0);
    assert.deepEqual(rig.faults, []);
    return [reason, detail];
  }

  it('carries bytes both ways, and reports the agreed parameters', async () => {
    serve();
    const client = secure({ ALPNProtocols: ['h2', 'http/1.1'] });
    const { channel, facts, received } = await rig.accepted.next();
    assert.deepEqual(facts, {
      address: '127.0.0.1',
      proxy: null,
      tls: { serverName: 'a.example', certificate: null },
    });
    assert.equal(client.getProtocol(), 'TLSv1.3');
    assert.equal(client.alpnProtocol, 'http/1.1');
    client.write('ping');
    channel.resume();
    await eventually(() => assert.equal(received(), 'ping'));
    channel.write(Buffer.from('pong'));
    const [bytes] = (await within('an answer', once(client, 'data'))) as [Buffer];
    assert.equal(bytes.toString(), 'pong');
    channel.end();
    await within('close_notify', once(client, 'end'));
    await eventually(() => assert.equal(rig.closed.length, 1));
  });

  it('serves the certificate of the server name, and the first one for others', async () => {
    serve();
    for (const [servername, subject] of [
      ['b.example', 'b'],
      ['A.EXAMPLE', 'a'],
      ['c.example', 'a'],
    ] as const) {
      const client = secure({ servername, checkServerIdentity: () => undefined });
      await within('the handshake', once(client, 'secureConnect'));
      assert.equal(client.getPeerCertificate().subject.CN, subject);
    }
    const nameless = secure({ servername: '', checkServerIdentity: () => undefined });
    await within('the handshake', once(nameless, 'secureConnect'));
    assert.equal(nameless.getPeerCertificate().subject.CN, 'a');
  });

  it('chooses its own first protocol, or none without a common one', async () => {
    serve({ alpn: ['x', 'http/1.1'] });
    for (const [ALPNProtocols, protocol] of [
      [['http/1.1', 'x'], 'x'],
      [['h2'], null],
      [[], null],
    ] as const) {
      const client = secure({ ALPNProtocols: [...ALPNProtocols] });
      await rig.accepted.next();
      assert.equal(client.alpnProtocol, protocol ?? false);
    }
  });

  it('limits clients to the configured versions, ciphers and groups', async () => {
    serve({ minVersion: '1.3', groups: 'P-256', ciphers: 'TLS_CHACHA20_POLY1305_SHA256' });
    const client = secure();
    await within('the handshake', once(client, 'secureConnect'));
    assert.equal(client.getCipher().name, 'TLS_CHACHA20_POLY1305_SHA256');
    assert.equal((client.getEphemeralKeyInfo() as { name: string }).name, 'prime256v1');
    await rig.accepted.next();
    await rig.reset();
    secure({ maxVersion: 'TLSv1.2' });
    assert.deepEqual(await rejection(), ['tls_failed', 'unsupported protocol']);
    await rig.reset();
    secure({ ecdhCurve: 'X25519' });
    assert.deepEqual((await rejection())[0], 'tls_failed');
  });

  it('throws for settings that OpenSSL rejects', () => {
    assert.throws(() => serve({ ciphers: 'nothing' }));
    assert.throws(() => serve({ groups: 'nothing' }));
    assert.throws(() => serve({ certificates: [{ ...a, keyPem: alice.keyPem }] }), /key values mismatch/);
  });

  it('resumes sessions with the same keys, but not of other listeners or older keys', async () => {
    const keys = freshRing();
    const resumes = async (session: Buffer | null): Promise<Buffer> => {
      const client = secure({ ...(session && { session }) });
      client.resume();
      const [ticket] = (await within('a ticket', once(client, 'session'))) as [Buffer];
      const { facts } = await rig.accepted.next();
      assert.equal(facts.tls?.serverName, 'a.example');
      return ticket;
    };
    const isResumed = async (session: Buffer): Promise<boolean> => {
      const client = secure({ session });
      await within('the handshake', once(client, 'secureConnect'));
      await rig.accepted.next();
      return client.isSessionReused();
    };
    serve({}, keys);
    const session = await resumes(null);
    assert.equal(await isResumed(session), true);
    serve({}, keys);
    assert.equal(await isResumed(session), true);
    serve({}, keys, 'other');
    assert.equal(await isResumed(session), false);
    serve({ clientCertificates: clientCertificates({ isRequired: false }) }, keys);
    assert.equal(await isResumed(session), false);
    serve({}, keys);
    keys.replace([randomBytes(80), ...keys.keys]);
    assert.equal(await isResumed(session), false);
    assert.equal(await isResumed(await resumes(null)), true);
  });

  it('refuses to renegotiate', async () => {
    serve();
    const client = secure({ maxVersion: 'TLSv1.2' });
    await within('the handshake', once(client, 'secureConnect'));
    const { channel } = await rig.accepted.next();
    channel.resume();
    const refused = Promise.withResolvers<Error | null>();
    client.renegotiate({}, refused.resolve);
    client.once('error', refused.resolve);
    assert.match(String(await within('a refusal', refused.promise)), /no renegotiation/);
  });

  describe('with client certificates', () => {
    it('identifies a client with a trusted certificate', async () => {
      serve({ clientCertificates: clientCertificates() });
      const client = secure({ cert: alice.certPem, key: alice.keyPem });
      const { facts } = await rig.accepted.next();
      assert.equal(facts.tls?.certificate?.subject, 'CN=alice');
      client.resume();
      const [session] = (await within('a ticket', once(client, 'session'))) as [Buffer];
      const again = secure({ session });
      const { facts: resumed } = await rig.accepted.next();
      assert.equal(again.isSessionReused(), true);
      assert.deepEqual(resumed.tls?.certificate, facts.tls.certificate);
    });

    it('refuses a client without one, unless it is optional', async () => {
      serve({ clientCertificates: clientCertificates() });
      secure();
      assert.deepEqual(await rejection(), ['client_certificate', 'no certificate']);
      serve({ clientCertificates: clientCertificates({ isRequired: false }) });
      secure();
      assert.equal((await rig.accepted.next()).facts.tls?.certificate, null);
    });

    it('refuses a certificate of another authority, an expired one and a revoked one', async () => {
      const unknown = certificateOf(stranger.issue('alice', ['DNS:x']));
      const expired = certificateOf(authority.issue('expired', ['DNS:x'], { isExpired: true }));
      const issued = authority.issue('revoked', ['DNS:x']);
      authority.revoke(issued);
      const crl = authority.revocations();
      const crlPem = readFileSync(crl, 'utf8');
      const cases = [
        [
          unknown,
          true,
          'DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE',
        ],
        [unknown, false, 'UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
        [expired, false, 'CERT_HAS_EXPIRED'],
        [certificateOf(issued), false, 'CERT_REVOKED'],
      ] as const;
      for (const [{ certPem, keyPem }, isRequired, problem] of cases) {
        serve({ clientCertificates: clientCertificates({ isRequired, crl, crlPem }) });
        secure({ cert: certPem, key: keyPem });
        const [reason, detail] = await rejection();
        assert.equal(reason, 'client_certificate');
        assert.match(detail, new RegExp(`^(?:${problem})`));
        await rig.reset();
      }
      serve({ clientCertificates: clientCertificates({ crl, crlPem }) });
      secure({ cert: alice.certPem, key: alice.keyPem });
      assert.equal((await rig.accepted.next()).facts.tls?.certificate?.subject, 'CN=alice');
    });
  });

  describe('handshakes that fail', () => {
    /** A client that has sent its ClientHello and seen an answer. */
    async function halfway(): Promise<Socket> {
      serve();
      const client = await plain();
      client.write(NODE);
      await within('an answer', once(client, 'data'));
      return client;
    }

    it('are rejected for bytes that are not TLS', async () => {
      serve();
      (await plain()).write('GET / HTTP/1.1\r\n\r\n');
      assert.deepEqual(await rejection(), ['hello_malformed', 'the first bytes are not TLS']);
    });

    it('are rejected for bytes that break the protocol', async () => {
      (await halfway()).write('garbage, and more garbage');
      assert.equal((await rejection())[0], 'tls_failed');
    });

    it('are rejected for a client that does not trust the certificate', async () => {
      // Node's client looks at the certificate when it is too late for an alert.
      (await halfway()).write(UNKNOWN_CA);
      const [reason, detail] = await rejection();
      assert.equal(reason, 'tls_failed');
      assert.match(detail, /alert unknown ca/);
    });

    it('are rejected for FIN and for resets', async () => {
      (await halfway()).end();
      assert.deepEqual(await rejection(), ['tls_ended', 'the client has closed']);
      await rig.reset();
      (await halfway()).resetAndDestroy();
      assert.deepEqual(await rejection(), ['tls_ended', 'ECONNRESET']);
    });

    it('are rejected at a deadline that counts from the accept', async () => {
      serve({ handshakeTimeoutMs: 1000 });
      const client = await plain();
      client.write(NODE.subarray(0, 100));
      await eventually(() => assert.equal(rig.arrived, 1));
      rig.wheel.advance(900);
      client.write(NODE.subarray(100));
      await within('an answer', once(client, 'data'));
      rig.wheel.advance(1100);
      assert.deepEqual(await rejection(), ['tls_timeout', 'in the handshake']);
      await within('the close', once(client, 'close'));
    });

    it('end with the listener', async () => {
      const client = await halfway();
      rig.acceptor.closeArrivals();
      await within('the close', once(client, 'close'));
      await eventually(() => assert.equal(rig.gone, 1));
      assert.equal(rig.rejections.count, 0);
    });
  });

  describe('connections that break', () => {
    it('report the error of a modified record', async () => {
      serve();
      const carrier = await plain();
      const client = secure({ socket: carrier });
      const { channel } = await rig.accepted.next();
      channel.resume();
      await within('a ticket', once(client, 'session'));
      carrier.write(Buffer.from('170303001500112233445566778899aabbccddeeff0011223344', 'hex'));
      await eventually(() => assert.equal(rig.closed.length, 1));
      assert.match(String(rig.errors[0]), /bad record mac|decryption failed/i);
    });

    it('are reset below TLS', async () => {
      serve();
      const client = secure();
      await within('the handshake', once(client, 'secureConnect'));
      const { channel } = await rig.accepted.next();
      const reset = once(client, 'error');
      channel.resetAndDestroy();
      const [error] = (await within('a reset', reset)) as [NodeJS.ErrnoException];
      assert.equal(error.code, 'ECONNRESET');
      assert.equal(channel.destroyed, true);
      await eventually(() => assert.equal(rig.closed.length, 1));
    });
  });
});
