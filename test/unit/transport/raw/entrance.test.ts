import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Duplex } from 'node:stream';
import { after, describe, it } from 'node:test';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { opensslProblem } from '../../../../src/sys/openssl.ts';
import type { ClientFacts } from '../../../../src/transport/client-transport.ts';
import { eventually, within } from '../../../support/deadline.ts';
import { TcpPeer } from '../../../support/sockets/tcp-peer.ts';
import { TlsPeer } from '../../../support/sockets/tls-peer.ts';
import { NODE as HELLO } from '../../../support/tls/captured-hellos.ts';
import { EntranceRig, issueCertificates } from './entrance-rig.ts';

const { authority, first, second } = issueCertificates();
const alice = authority.issue('alice', ['DNS:alice.example']);
after(() => authority.remove());

const on =
  (test: (rig: EntranceRig) => Promise<void>): (() => Promise<void>) =>
  async () => {
    const rig = await EntranceRig.open();
    try {
      await test(rig);
    } finally {
      rig.close();
    }
  };

const until = (check: () => void): Promise<void> => eventually(check, undefined, 2);
const nameOf = ({ tls }: TlsPeer): string => String(tls.getPeerCertificate().subject.CN);

async function rejected(rig: EntranceRig): Promise<readonly [string, string]> {
  await until(() => assert.equal(rig.rejections.length, 1));
  const { reason, detail, peer, seconds } = rig.rejections[0]!;
  assert.equal(peer, '127.0.0.1');
  assert.ok(seconds !== null && seconds >= 0 && seconds < 60);
  assert.deepEqual([rig.channels, rig.faults, rig.closed], [[], [], 1]);
  return [reason, detail];
}

describe('the entrance on system calls', { skip: opensslProblem() ?? false }, () => {
  it(
    'negotiates TLS, reports the server name, and chooses the certificate by it',
    on(async (rig) => {
      rig.secure([first, second]);
      const connect = (options: ConnectionOptions): Promise<TlsPeer> => TlsPeer.connect(rig.address, options);
      const peers = [
        await connect({ servername: 'a.example', ALPNProtocols: ['h2', 'http/1.1'] }),
        await connect({ servername: 'x.B.example', maxVersion: 'TLSv1.2' }),
        await connect({ servername: 'unknown.example' }),
        await connect({}),
      ];
      assert.deepEqual(peers.map(nameOf), ['first', 'second', 'first', 'first']);
      await until(() => assert.equal(rig.facts.length, 4));
      const agreed = peers.map(({ tls }) => [tls.getProtocol(), tls.getCipher().name, tls.alpnProtocol]);
      const modern = ['TLSv1.3', 'TLS_AES_128_GCM_SHA256'];
      assert.deepEqual(agreed, [
        [...modern, 'http/1.1'],
        ['TLSv1.2', 'ECDHE-ECDSA-AES128-GCM-SHA256', false],
        [...modern, false],
        [...modern, false],
      ]);
      const names = ['a.example', 'x.b.example', 'unknown.example', null];
      const expected = names.map((serverName) => {
        return { address: '127.0.0.1', proxy: null, tls: { serverName, certificate: null } };
      });
      assert.deepEqual(rig.facts, expected);
      for (const peer of peers) peer.destroy();
    }),
  );

  it(
    'reads bytes that arrive with the end of the handshake, and accepts FIN as an end',
    on(async (rig) => {
      rig.secure([first, second]);
      for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
        const peer = await TlsPeer.connect(rig.address, { maxVersion }, { first: 'early' });
        await until(() => assert.equal(rig.received.at(-1), 'early'));
        peer.finish();
        await until(() => assert.equal(rig.received.at(-1), 'early|'));
        assert.equal(rig.channels.at(-1)!.destroyed, false);
        peer.destroy();
      }
    }),
  );

  it(
    'reports the client of a PROXY header before TLS',
    on(async (rig) => {
      rig.secure([first, second]);
      rig.entry = { ...rig.entry, proxyProtocol: 'required' };
      const header = 'PROXY TCP4 192.0.2.7 198.51.100.1 1234 443\r\n';
      const peer = await TlsPeer.connect(rig.address, { servername: 'a.example' }, { before: header });
      await until(() => assert.equal(rig.facts.length, 1));
      const [{ address, proxy, tls }] = rig.facts as [ClientFacts];
      assert.deepEqual([address, proxy?.source?.port, tls?.serverName], ['192.0.2.7', 1234, 'a.example']);
      peer.destroy();
    }),
  );

  it(
    'does a handshake byte by byte, after a PROXY header',
    on(async (rig) => {
      rig.secure([first]);
      rig.entry = { ...rig.entry, proxyProtocol: 'optional' };
      const tcp = await TcpPeer.connect(rig.address);
      const drip = async (bytes: Buffer): Promise<void> => {
        for (const byte of bytes) {
          tcp.send(Buffer.of(byte));
          await rig.turn();
        }
      };
      await drip(Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 1234 443\r\n'));
      const socket = new Duplex({
        read: () => undefined,
        write: (bytes: Buffer, _encoding, done) => void drip(bytes).then(() => done(), done),
      });
      tcp.socket.on('data', (bytes) => socket.push(bytes));
      const tls = connectTls({ socket, rejectUnauthorized: false, servername: 'a.example' });
      await within('the handshake', once(tls, 'secureConnect'));
      await until(() => assert.equal(rig.facts[0]?.tls?.serverName, 'a.example'));
      assert.equal(rig.facts[0]!.address, '192.0.2.7');
      tls.destroy();
      tcp.destroy();
    }),
  );

  it(
    "reports a client's certificate, and refuses clients without one",
    on(async (rig) => {
      const trust = { ca: '', caPem: authority.pem, isRequired: true, crl: null, crlPem: null };
      rig.secure([first], { clientCertificates: { ...trust, forward: false, digest: '' } });
      const own = { cert: readFileSync(alice.cert), key: readFileSync(alice.key) };
      const peer = await TlsPeer.connect(rig.address, own);
      await until(() => assert.equal(rig.facts.length, 1));
      assert.equal(rig.facts[0]!.tls?.certificate?.subject, 'CN=alice');
      const stranger = await TlsPeer.connect(rig.address);
      const alert = new Promise((settle) => stranger.read().socket.once('error', settle));
      assert.match(String(await within('an alert', alert)), /alert certificate required/);
      await until(() => assert.equal(rig.rejections.length, 1));
      assert.equal(rig.rejections[0]!.reason, 'client_certificate');
      assert.match(rig.rejections[0]!.detail, /peer did not return a certificate/);
      peer.destroy();
    }),
  );

  it(
    'serves new certificates after a change of TLS, and keeps open connections',
    on(async (rig) => {
      rig.secure([first, second]);
      const old = rig.tls!;
      const before = await TlsPeer.connect(rig.address);
      rig.secure([second]);
      old.close();
      const behind = await TlsPeer.connect(rig.address);
      assert.deepEqual([nameOf(before), nameOf(behind)], ['first', 'second']);
      before.send('still here');
      await until(() => assert.equal(rig.received[0], 'still here'));
      rig.channels[0]!.write(Buffer.from('yes'));
      await before.read().receivesText('yes');
      before.destroy();
      behind.destroy();
    }),
  );

  it(
    'sends close_notify before FIN, unless the connection is destroyed',
    on(async (rig) => {
      rig.secure([first]);
      const bytes: number[] = [];
      for (const end of ['end', 'destroy'] as const) {
        rig.onAccepted = (channel) => {
          channel.write(Buffer.from('answer'));
          channel[end]();
        };
        const peer = await TlsPeer.connect(rig.address);
        await peer.read().ended();
        peer.end();
        await peer.closed();
        assert.equal(peer.received, 6);
        bytes.push(peer.bytesRead);
      }
      // The alert has 24 bytes. The length of a signature differs by a few.
      assert.ok(bytes[0]! - bytes[1]! > 16, bytes.join());
    }),
  );

  describe('rejects', () => {
    for (const [name, act, reason] of [
      ['a client that sends nothing behind its ClientHello', () => undefined, 'tls_timeout'],
      ['a client that ends in the handshake', (peer: TcpPeer) => peer.end(), 'tls_ended'],
      ['a client that resets in the handshake', (peer: TcpPeer) => peer.reset(), 'tls_ended'],
      [
        'a client that continues in plain text',
        (peer: TcpPeer) => peer.send('GET / HTTP/1.1\r\n\r\n'),
        'tls_failed',
      ],
    ] as const) {
      it(
        name,
        on(async (rig) => {
          rig.secure([first, second]);
          if (reason === 'tls_timeout') rig.entry = { ...rig.entry, timeoutMs: 300 };
          const peer = await TcpPeer.connect(rig.address);
          peer.read().send(HELLO);
          await until(() => assert.ok(peer.received > 500));
          act(peer);
          assert.equal((await rejected(rig))[0], reason);
          peer.destroy();
        }),
      );
    }

    it(
      'a client with no version in common, which gets an alert',
      on(async (rig) => {
        rig.secure([first], { minVersion: '1.3' });
        await assert.rejects(
          TlsPeer.connect(rig.address, { maxVersion: 'TLSv1.2' }),
          /alert protocol version/,
        );
        const [reason, detail] = await rejected(rig);
        assert.equal(reason, 'tls_failed');
        assert.match(detail, /unsupported protocol/);
      }),
    );

    it(
      'plain HTTP on a listener with TLS',
      on(async (rig) => {
        rig.secure([first, second]);
        const peer = await TcpPeer.connect(rig.address);
        peer.read().send('GET / HTTP/1.1\r\n\r\n');
        assert.deepEqual(await rejected(rig), ['hello_malformed', 'the first bytes are not TLS']);
        peer.destroy();
      }),
    );

    it(
      'an unknown server name, with an alert',
      on(async (rig) => {
        rig.tunnel('db.example');
        await assert.rejects(
          TlsPeer.connect(rig.address, { servername: 'other.example' }),
          /unrecognized name/,
        );
        assert.equal((await rejected(rig))[0], 'server_name');
        assert.equal(rig.rejections[0]!.serverName, 'other.example');
      }),
    );
  });

  it(
    'passes on connections to tunnel, and serves plain text beside them',
    on(async (rig) => {
      rig.tunnel('db.example');
      await assert.rejects(TlsPeer.connect(rig.address, { servername: 'db.example' }));
      assert.deepEqual(
        rig.tunnels.map(({ hello }) => hello?.serverName),
        ['db.example'],
      );
      assert.equal(rig.tunnelled, 1);
      const peer = await TcpPeer.connect(rig.address);
      peer.send('GET / HTTP/1.1\r\n\r\n');
      await until(() => assert.deepEqual(rig.received, ['GET / HTTP/1.1\r\n\r\n']));
      assert.equal(rig.facts[0]!.tls, null);
      peer.destroy();
    }),
  );

  it(
    'loses a tunnel whose maker throws, and counts it once',
    on(async (rig) => {
      rig.tunnel('bad.example');
      await assert.rejects(TlsPeer.connect(rig.address, { servername: 'bad.example' }));
      assert.deepEqual([rig.faults.map(String), rig.tunnelled, rig.closed], [['Error: a fault'], 1, 0]);
    }),
  );

  it(
    'closes connections whose owner throws, and continues',
    on(async (rig) => {
      rig.secure([first, second]);
      rig.onAccepted = () => {
        throw new Error('a fault');
      };
      const peer = await TlsPeer.connect(rig.address);
      await peer.read().ended();
      peer.destroy();
      assert.deepEqual(rig.faults.map(String), ['Error: a fault']);
      rig.onAccepted = null;
      (await TlsPeer.connect(rig.address)).destroy();
    }),
  );

  it(
    'closes unserved connections with its listener',
    on(async (rig) => {
      rig.secure([first, second]);
      const peers = [await TcpPeer.connect(rig.address), await TcpPeer.connect(rig.address)] as const;
      peers[1].read().send(HELLO);
      await until(() => assert.ok(peers[1].received > 500));
      rig.acceptor.closeArrivals();
      assert.equal(rig.closed, 2);
      for (const peer of peers) peer.destroy();
      assert.deepEqual([rig.rejections, rig.faults], [[], []]);
    }),
  );
});
