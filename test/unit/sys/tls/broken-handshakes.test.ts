import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectPlain, type Socket } from 'node:net';
import { after, describe, it } from 'node:test';
import { EAGAIN } from '../../../../src/sys/errno.ts';
import { opensslProblem } from '../../../../src/sys/openssl.ts';
import { SocketAddress } from '../../../../src/sys/sockets/socket-address.ts';
import { clearErrors } from '../../../../src/sys/tls/errors.ts';
import { TlsStream, type TlsFailureKind } from '../../../../src/sys/tls/tls-stream.ts';
import { CertificateAuthority } from '../../../support/certificates.ts';
import { within } from '../../../support/deadline.ts';
import { fuzzTlsHellos } from '../../../support/fuzz/tls-hellos.ts';
import { NODE, OPENSSL_TLS_1_2 } from '../../../support/tls/captured-hellos.ts';
import { HandshakePlace } from '../../../support/tls/handshake-place.ts';
import { freshAddress, until } from '../pairs.ts';
import { TlsRig, assertNoError, handshake, settingsOf, textsOf } from './rig.ts';

const SEED = 6066;

/** Stages of the handshake at which it breaks. */
const STAGES = ['before the hello', 'inside of the hello', 'behind the hello'] as const;
type Stage = (typeof STAGES)[number];
/** Each has the kinds of failure that it may be. */
const ENDS: Record<string, { run: (socket: Socket) => void; kinds: readonly TlsFailureKind[] }> = {
  FIN: { run: (socket) => socket.end(), kinds: ['ended'] },
  'a reset': { run: (socket) => socket.resetAndDestroy(), kinds: ['ended'] },
  'a fatal alert': {
    run: (socket) => socket.write(Buffer.from('15030300020228', 'hex')),
    kinds: ['protocol'],
  },
  close_notify: {
    run: (socket) => socket.write(Buffer.from('15030300020100', 'hex')),
    kinds: ['ended', 'protocol'],
  },
  garbage: { run: (socket) => socket.write(randomBytes(20_000)), kinds: ['protocol'] },
  'a request of HTTP': { run: (socket) => socket.write('GET / HTTP/1.1\r\n\r\n'), kinds: ['protocol'] },
};

const HELLOS = [
  ['TLSv1.2', OPENSSL_TLS_1_2],
  ['TLSv1.3', NODE],
] as const;

describe('a TLS handshake', { skip: opensslProblem() ?? false }, () => {
  const root = new CertificateAuthority();
  const settings = settingsOf([textsOf(root.issue('a.example', ['DNS:a.example']))]);
  after(() => root.remove());

  for (const [version, hello] of HELLOS) {
    for (const stage of STAGES) {
      for (const [end, { run, kinds }] of Object.entries(ENDS)) {
        it(`fails at ${end} ${stage}, and leaks nothing (${version})`, async () => {
          await TlsRig.with(settings, async (rig) => {
            const socket = connectPlain({ host: '127.0.0.1', port: rig.port });
            socket.on('error', () => undefined);
            await within('the connection', once(socket, 'connect'));
            const stream = await rig.accept();
            await reach(stream, stage, socket, hello);
            run(socket);
            // Bytes after half a hello count as its other half, so the server may still wait for bytes.
            if (stage === 'inside of the hello') socket.end();
            assert.equal(await handshake(stream), 'failed');
            assertNoError();
            if (stage !== 'inside of the hello') {
              assert.ok(kinds.includes(stream.failureKind), `${stream.failureKind}: ${stream.failure}`);
            }
            assert.notEqual(stream.failure, '');
            assert.equal(stream.handshake(), 'failed');
            rig.drop(stream);
            socket.destroy();
          });
          assert.equal(TlsStream.live, 0);
        });
      }
    }

    it(`can be abandoned anywhere inside the hello (${version})`, async () => {
      await TlsRig.with(settings, async (rig) => {
        for (let length = 0; length <= hello.length; length += 37) {
          const socket = connectPlain({ host: '127.0.0.1', port: rig.port });
          socket.on('error', () => undefined);
          const stream = await rig.accept();
          await send(socket, hello.subarray(0, length));
          clearErrors();
          assert.equal(stream.handshake(), 'read');
          rig.drop(stream);
          socket.destroy();
        }
        assert.equal(TlsStream.live, 0);
      });
    });
  }

  it('answers a mutated hello in one way, for any cut', async () => {
    const { address } = await freshAddress('IPv4');
    const place = new HandshakePlace(new SocketAddress(address), settings);
    try {
      fuzzTlsHellos(place, 1000, SEED);
    } finally {
      place.close();
    }
    assert.equal(TlsStream.live, 0);
  });

  /** Sends what comes before the end, and lets the server answer. */
  async function reach(stream: TlsStream, stage: Stage, socket: Socket, hello: Buffer): Promise<void> {
    if (stage === 'before the hello') return;
    const isWhole = stage === 'behind the hello';
    await send(socket, isWhole ? hello : hello.subarray(0, hello.length >> 1));
    if (!isWhole) return;
    const answered = once(socket, 'data');
    await until(EAGAIN, () => {
      clearErrors();
      assert.equal(stream.handshake(), 'read');
      return socket.bytesRead > 0 ? 0 : -EAGAIN;
    });
    await within('the answer', answered);
  }
});

function send(socket: Socket, bytes: Buffer): Promise<unknown> {
  return bytes.length === 0
    ? Promise.resolve()
    : within('the bytes', new Promise((settle) => socket.write(bytes, settle)));
}
