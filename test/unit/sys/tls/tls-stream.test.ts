import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectPlain, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { after, describe, it } from 'node:test';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { ENODATA, EPROTO } from '../../../../src/sys/errno.ts';
import { PinnedBuffer } from '../../../../src/sys/memory/pinned-buffer.ts';
import { opensslProblem } from '../../../../src/sys/openssl.ts';
import { clearErrors } from '../../../../src/sys/tls/errors.ts';
import { ServerContext } from '../../../../src/sys/tls/server-context.ts';
import { TlsStream } from '../../../../src/sys/tls/tls-stream.ts';
import { CertificateAuthority } from '../../../support/certificates.ts';
import { within } from '../../../support/deadline.ts';
import { TlsRig, handshake, ready, settingsOf, textsOf } from './rig.ts';

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
/** Max bytes of a record's payload. */
const RECORD_BYTES = 16 * 1024;

describe('a TLS stream', { skip: opensslProblem() ?? false }, () => {
  const root = new CertificateAuthority();
  const ca = root.pem;
  const settings = settingsOf([textsOf(root.issue('a.example', ['DNS:a.example']))]);
  after(() => {
    root.remove();
    assert.equal(TlsStream.live, 0);
    assert.equal(ServerContext.live, 0);
  });

  /** Reads until this many bytes arrived. */
  async function readAll(rig: TlsRig, stream: TlsStream, length: number): Promise<string> {
    let text = '';
    while (text.length < length) {
      const part = await rig.read(stream);
      assert.ok(typeof part === 'string', `the read failed: ${part}, ${stream.failure}`);
      text += part;
    }
    return text;
  }

  for (const version of VERSIONS) {
    const versions = { minVersion: version, maxVersion: version };

    describe(version, () => {
      it('exchanges bytes with a client, and ends both directions', async () => {
        await TlsRig.with(settings, async (rig) => {
          const { client, stream } = await rig.connected({ ca, ...versions });
          assert.equal(client.getProtocol(), version);
          client.write('ping');
          assert.equal(await rig.read(stream), 'ping');
          const data = once(client, 'data');
          assert.equal(await rig.write(stream, 'pong'), 4);
          assert.equal(String((await within('an answer', data))[0]), 'pong');
          const end = once(client, 'end');
          assert.equal(stream.sendCloseNotify(), 0);
          assert.equal(stream.sendCloseNotify(), 0);
          await within('the end', end);
          assert.equal(await rig.read(stream), 0);
          assert.equal(stream.failure, '');
        });
      });

      it("still writes after a client's close_notify", async () => {
        await TlsRig.with(settings, async (rig) => {
          const { client, stream } = await rig.connected({ ca, ...versions });
          client.end('last');
          assert.equal(await rig.read(stream), 'last');
          assert.equal(await rig.read(stream), 0);
          assert.equal(stream.failure, '');
          assert.equal(await rig.write(stream, 'more'), 4);
        });
      });

      it('refuses to write after its own close_notify', async () => {
        await TlsRig.with(settings, async (rig) => {
          const { client, stream } = await rig.connected({ ca, ...versions });
          clearErrors();
          assert.equal(stream.sendCloseNotify(), 0);
          assert.equal(await rig.write(stream, 'more'), -EPROTO);
          assert.equal(stream.failure, 'protocol is shutdown');
          client.destroy();
        });
      });

      it('distinguishes FIN without close_notify from an end, and still writes', async () => {
        await TlsRig.with(settings, async (rig) => {
          const { client, stream, plain } = await overPlain(rig, versions);
          client.write('last');
          await new Promise<void>((settle) => plain.end(() => settle()));
          assert.equal(await rig.read(stream), 'last');
          assert.equal(await rig.read(stream), -ENODATA);
          assert.equal(await rig.read(stream), -ENODATA);
          assert.equal(stream.failure, '');
          const data = once(client, 'data');
          assert.equal(await rig.write(stream, 'more'), 4);
          assert.equal(String((await within('more', data))[0]), 'more');
        });
      });

      it('distinguishes close_notify from the FIN after it', async () => {
        await TlsRig.with(settings, async (rig) => {
          const { client, stream } = await rig.connected({ ca, ...versions });
          const ended = new Promise((settle) => client.once('finish', settle));
          client.end('last');
          await within('the FIN', ended);
          assert.equal(await rig.read(stream), 'last');
          assert.equal(await rig.read(stream), 0);
          assert.equal(await rig.read(stream), 0);
        });
      });

      it('reports a reset', async () => {
        await TlsRig.with(settings, async (rig) => {
          const { stream, plain } = await overPlain(rig, versions);
          plain.resetAndDestroy();
          const result = await rig.read(stream);
          assert.ok(typeof result === 'number' && result < 0);
          assert.equal(stream.failureKind, 'ended');
          assert.equal(stream.failure, 'ECONNRESET');
        });
      });

      it('breaks a connection whose records are damaged', async () => {
        await TlsRig.with(settings, async (rig) => {
          const { stream, plain } = await overPlain(rig, versions);
          plain.write(Buffer.from([23, 3, 3, 0, 64, ...Buffer.alloc(64, 1)]));
          assert.equal(await rig.read(stream), -EPROTO);
          assert.equal(stream.failureKind, 'protocol');
          assert.match(stream.failure, /bad record mac|decryption failed/);
        });
      });

      it('returns a large message record by record, and reports pending bytes', async () => {
        await TlsRig.with(settings, async (rig) => {
          const { client, stream } = await rig.connected({ ca, ...versions });
          const message = 'x'.repeat(3 * RECORD_BYTES + 100);
          client.write(message);
          assert.equal(await readAll(rig, stream, message.length), message);
          assert.equal(stream.hasPending, false);
          client.write('short');
          const first = await ready(() => stream.read(rig.buffer, 0, 2));
          assert.equal(first, 2);
          assert.equal(stream.hasPending, true);
          assert.equal(await rig.read(stream), 'ort');
          assert.equal(stream.hasPending, false);
        });
      });

      it('reads records that arrive byte by byte', async () => {
        await TlsRig.with(settings, async (rig) => {
          const { client, stream, cutter } = await overCutter(rig, versions);
          cutter.isOn = true;
          client.write('hello');
          assert.equal(await rig.read(stream), 'hello');
        });
      });
    });
  }

  it('returns bytes that came with the end of the handshake', async () => {
    await TlsRig.with(settings, async (rig) => {
      const plain = connectPlain({ host: '127.0.0.1', port: rig.port });
      const held: Buffer[] = [];
      const socket = new Duplex({
        read: () => undefined,
        write: (bytes: Buffer, _encoding, done) => {
          // The ClientHello goes, and all that follows is held.
          if (plain.bytesWritten === 0) plain.write(bytes);
          else held.push(bytes);
          done();
        },
      });
      plain.on('data', (bytes) => socket.push(bytes));
      const client = rig.client({ ca, minVersion: 'TLSv1.3', socket });
      const secure = once(client, 'secureConnect');
      const stream = await rig.accept();
      const ended = handshake(stream);
      await within('the client', secure);
      await new Promise((settle) => client.write('early', settle));
      plain.write(Buffer.concat(held));
      assert.equal(await ended, 'done');
      assert.equal(stream.read(rig.buffer, 0, 100), 'early'.length);
      client.destroy();
      plain.destroy();
    });
  });

  it('refuses a range outside a buffer', async () => {
    await TlsRig.with(settings, async (rig) => {
      const { stream } = await rig.connected({ ca });
      const buffer = new PinnedBuffer(10);
      for (const [start, end] of [
        [0, 11],
        [-1, 5],
        [5, 5],
        [6, 5],
        [0, Number.NaN],
        [0.5, 3],
      ] as const) {
        assert.throws(() => stream.read(buffer, start, end), RangeError);
        assert.throws(() => stream.write(buffer, start, end), RangeError);
      }
      buffer.free();
      assert.throws(() => stream.read(buffer, 0, 10), RangeError);
    });
  });

  it('may be freed again, and cannot be used afterwards', async () => {
    await TlsRig.with(settings, async (rig) => {
      const { stream } = await rig.connected({ ca });
      rig.drop(stream);
      stream.free();
      const calls = [
        () => stream.handshake(),
        () => stream.read(rig.buffer, 0, 1),
        () => stream.write(rig.buffer, 0, 1),
        () => stream.sendCloseNotify(),
        () => stream.hasPending,
        () => stream.clientCertificate(),
      ];
      for (const call of calls) assert.throws(call, /freed/);
      assert.equal(TlsStream.live, 0);
    });
  });

  it('outlives its context', async () => {
    await TlsRig.with(settings, async (rig) => {
      const { client, stream } = await rig.connected({ ca });
      rig.use(settings);
      assert.equal(ServerContext.live, 2);
      client.write('ping');
      assert.equal(await rig.read(stream), 'ping');
      rig.drop(stream);
      assert.equal(ServerContext.live, 1);
    });
  });

  /** Lets a client in over a socket of the test's. */
  async function overPlain(
    rig: TlsRig,
    options: ConnectionOptions,
  ): Promise<{ client: TLSSocket; stream: TlsStream; plain: Socket }> {
    const plain = connectPlain({ host: '127.0.0.1', port: rig.port });
    plain.on('error', () => undefined);
    const { client, stream } = await rig.connected({ ca, ...options, socket: plain });
    return { client, stream, plain };
  }

  /** Lets a client in whose bytes can be sent one by one. */
  async function overCutter(
    rig: TlsRig,
    options: ConnectionOptions,
  ): Promise<{ client: TLSSocket; stream: TlsStream; cutter: { isOn: boolean } }> {
    const plain = connectPlain({ host: '127.0.0.1', port: rig.port, noDelay: true });
    plain.on('error', () => undefined);
    const cutter = { isOn: false };
    const socket = new Duplex({
      read: () => undefined,
      write: (bytes: Buffer, _encoding, done) => {
        if (!cutter.isOn) {
          plain.write(bytes);
          done();
          return;
        }
        const next = (index: number): void => {
          if (index === bytes.length) done();
          else plain.write(bytes.subarray(index, index + 1), () => setImmediate(next, index + 1));
        };
        next(0);
      },
    });
    plain.on('data', (bytes) => socket.push(bytes));
    const { client, stream } = await rig.connected({ ca, ...options, socket });
    client.once('close', () => plain.destroy());
    return { client, stream, cutter };
  }
});
