import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectPlain, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { after, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { EAGAIN, ENODATA, EPROTO } from '../../../../src/sys/errno.ts';
import { PinnedBuffer } from '../../../../src/sys/memory/pinned-buffer.ts';
import { opensslProblem } from '../../../../src/sys/openssl.ts';
import { clearErrors } from '../../../../src/sys/tls/errors.ts';
import { ServerContext } from '../../../../src/sys/tls/server-context.ts';
import { TlsStream } from '../../../../src/sys/tls/tls-stream.ts';
import { CertificateAuthority } from '../../../support/certificates.ts';
import { within } from '../../../support/deadline.ts';
import { TlsRig, assertNoError, handshake, ready, settingsOf, textsOf } from './rig.ts';

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
/** Max bytes of a record's payload. */
const RECORD_BYTES = 16 * 1024;

describe('a TLS stream', { skip: opensslProblem() ?? false }, () => {
  const root = new CertificateAuthority();
  const settings = settingsOf([textsOf(root.issue('a.example', ['DNS:a.example']))]);
  after(() => {
    root.remove();
    assert.equal(TlsStream.live, 0);
    assert.equal(ServerContext.live, 0);
  });

  function clientOf(rig: TlsRig, options: ConnectionOptions = {}): TLSSocket {
    const target = { host: '127.0.0.1', port: rig.port, servername: 'a.example', ca: root.pem };
    const socket = connect({ ...target, ...options });
    socket.on('error', () => undefined);
    return socket;
  }

  async function established(
    rig: TlsRig,
    options: ConnectionOptions = {},
  ): Promise<{ client: TLSSocket; stream: TlsStream }> {
    const client = clientOf(rig, options);
    const secure = once(client, 'secureConnect');
    const stream = await rig.established();
    await within('the client', secure);
    return { client, stream };
  }

  /** Reads until this many bytes have come. */
  async function readAll(rig: TlsRig, stream: TlsStream, length: number): Promise<string> {
    let text = '';
    while (text.length < length) {
      const part = await rig.read(stream);
      assert.ok(typeof part === 'string', `the read failed: ${part}, ${stream.failure}`);
      text += part;
    }
    return text;
  }

  /** Writes a buffer again and again until a write is blocked. Returns the bytes that have been taken. */
  function fill(stream: TlsStream, buffer: PinnedBuffer): Buffer {
    clearErrors();
    const taken: Buffer[] = [];
    for (;;) {
      const count = stream.write(buffer, 0, buffer.bytes.length);
      if (count < 0) {
        assert.equal(count, -EAGAIN);
        assertNoError();
        return Buffer.concat(taken);
      }
      taken.push(buffer.bytes.subarray(0, count));
    }
  }

  /** Lets a paused client read until it has this many bytes, and returns them. */
  async function drain(client: TLSSocket, length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    const all = new Promise((settle) => {
      client.on('data', (part: Buffer) => {
        parts.push(part);
        if (parts.reduce((sum, one) => sum + one.length, 0) >= length) settle(undefined);
      });
    });
    client.resume();
    await within('the bytes', all);
    return Buffer.concat(parts);
  }

  for (const version of VERSIONS) {
    const versions = { minVersion: version, maxVersion: version };

    describe(version, () => {
      it('exchanges bytes with a client, and ends both directions', async () => {
        await TlsRig.with(settings, async (rig) => {
          const { client, stream } = await established(rig, versions);
          assert.equal(stream.facts().version, version);
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

      it('writes on behind the close_notify of a client', async () => {
        await TlsRig.with(settings, async (rig) => {
          const { client, stream } = await established(rig, { ...versions, allowHalfOpen: true } as never);
          client.end('last');
          assert.equal(await rig.read(stream), 'last');
          assert.equal(await rig.read(stream), 0);
          assert.equal(stream.failure, '');
          assert.equal(await rig.write(stream, 'more'), 4);
        });
      });

      it('refuses to write behind its own close_notify', async () => {
        await TlsRig.with(settings, async (rig) => {
          const { client, stream } = await established(rig, versions);
          clearErrors();
          assert.equal(stream.sendCloseNotify(), 0);
          assert.equal(await rig.write(stream, 'more'), -EPROTO);
          assert.equal(stream.failure, 'protocol is shutdown');
          client.destroy();
        });
      });

      it('tells FIN without close_notify from an end', async () => {
        await TlsRig.with(settings, async (rig) => {
          const { stream, cut } = await overPlain(rig, versions);
          cut();
          assert.equal(await rig.read(stream), -ENODATA);
          assert.equal(stream.failureKind, 'ended');
          assert.equal(await rig.read(stream), -ENODATA);
          assert.equal(await rig.write(stream, 'more'), -ENODATA);
        });
      });

      it('tells a reset', async () => {
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

      it('returns a large message record by record, and says what waits', async () => {
        await TlsRig.with(settings, async (rig) => {
          const { client, stream } = await established(rig, versions);
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

      it('goes on with records that come byte by byte', async () => {
        await TlsRig.with(settings, async (rig) => {
          const { client, stream, cutter } = await overCutter(rig, versions);
          cutter.isOn = true;
          client.write('hello');
          assert.equal(await rig.read(stream), 'hello');
        });
      });

      it('repeats a write that was blocked, from elsewhere and with more bytes', async () => {
        await TlsRig.with(settings, async (rig) => {
          const { client, stream } = await established(rig, versions);
          client.pause();
          const buffer = new PinnedBuffer(RECORD_BYTES + 7);
          buffer.bytes.fill('abcdefghijk');
          const taken = fill(stream, buffer);
          assert.equal(stream.wantsWrite, true);
          assert.equal(stream.wantsRead, false);
          const elsewhere = new PinnedBuffer(2 * RECORD_BYTES);
          elsewhere.bytes.fill('abcdefghijk', 1);
          const received = drain(client, taken.length + RECORD_BYTES);
          const count = await ready(() => stream.write(elsewhere, 1, elsewhere.bytes.length));
          assert.ok(count >= RECORD_BYTES);
          const sent = Buffer.concat([taken, elsewhere.bytes.subarray(1, 1 + count)]);
          assert.ok((await received).equals(sent.subarray(0, (await received).length)));
        });
      });

      it('repeats a large write that was blocked with a record of it', async () => {
        await TlsRig.with(settings, async (rig) => {
          const { client, stream } = await established(rig, versions);
          client.pause();
          const buffer = new PinnedBuffer(5 * RECORD_BYTES);
          buffer.bytes.fill('abcdefghijk');
          const taken = fill(stream, buffer);
          const received = drain(client, taken.length + RECORD_BYTES);
          assert.equal(await ready(() => stream.write(buffer, 0, RECORD_BYTES)), RECORD_BYTES);
          assert.deepEqual(await received, Buffer.concat([taken, buffer.bytes.subarray(0, RECORD_BYTES)]));
        });
      });

      it('refuses to repeat less than was blocked, and goes on', async () => {
        await TlsRig.with(settings, async (rig) => {
          const { client, stream } = await established(rig, versions);
          client.pause();
          const buffer = new PinnedBuffer(RECORD_BYTES);
          const taken = fill(stream, buffer);
          assert.throws(() => stream.write(buffer, 0, RECORD_BYTES - 1), RangeError);
          assert.equal(stream.sendCloseNotify(), -EAGAIN);
          assert.equal(stream.wantsWrite, true);
          const end = once(client, 'end');
          const received = drain(client, taken.length + RECORD_BYTES);
          assert.equal(await ready(() => stream.write(buffer, 0, RECORD_BYTES)), RECORD_BYTES);
          assert.equal(await ready(() => stream.sendCloseNotify()), 0);
          await within('the end', end);
          assert.equal((await received).length, taken.length + RECORD_BYTES);
        });
      });

      it('reads while a write is blocked', async () => {
        await TlsRig.with(settings, async (rig) => {
          const { client, stream } = await established(rig, versions);
          client.pause();
          const buffer = new PinnedBuffer(RECORD_BYTES);
          fill(stream, buffer);
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
      const client = clientOf(rig, { minVersion: 'TLSv1.3', socket });
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

  it('has no room outside of a buffer', async () => {
    await TlsRig.with(settings, async (rig) => {
      const { stream } = await established(rig);
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
      const { stream } = await established(rig);
      rig.drop(stream);
      stream.free();
      const calls = [
        () => stream.handshake(),
        () => stream.read(rig.buffer, 0, 1),
        () => stream.write(rig.buffer, 0, 1),
        () => stream.sendCloseNotify(),
        () => stream.hasPending,
        () => stream.facts(),
      ];
      for (const call of calls) assert.throws(call, /freed/);
      assert.equal(TlsStream.live, 0);
    });
  });

  it('outlives its context', async () => {
    await TlsRig.with(settings, async (rig) => {
      const { client, stream } = await established(rig);
      rig.use(settings);
      assert.equal(ServerContext.live, 2);
      client.write('ping');
      assert.equal(await rig.read(stream), 'ping');
      rig.drop(stream);
      assert.equal(ServerContext.live, 1);
    });
  });

  it('takes new keys from a client, and answers with its own', async () => {
    await withCommands(async ({ rig, stream, command, send, shown }) => {
      // "K" asks for new keys of the other side, too, and "k" does not.
      for (const letter of ['K', 'k', 'K', 'K']) {
        await command(letter);
        send(`after ${letter}`);
        assert.equal(await rig.read(stream), `after ${letter}\n`);
        await rig.write(stream, `answer to ${letter}\n`);
        await shown(`answer to ${letter}\n`);
      }
    });
  });

  it('breaks a connection that sends new keys without end', async () => {
    await withCommands(async ({ rig, stream, command, send }) => {
      for (let count = 0; count < 32; count++) await command('k');
      send('after them');
      assert.equal(await rig.read(stream), 'after them\n');
      for (let count = 0; count < 33; count++) await command('K');
      assert.equal(await rig.read(stream), -EPROTO);
      assert.equal(stream.failure, 'too many handshake messages in a row');
    });
  });

  interface Commanded {
    readonly rig: TlsRig;
    readonly stream: TlsStream;
    /** Gives `openssl s_client` a command, and waits until it has done it. */
    readonly command: (letter: string) => Promise<void>;
    readonly send: (line: string) => void;
    /** Waits until it shows a text. */
    readonly shown: (text: string) => Promise<void>;
  }

  /** Lets `openssl s_client` in, which takes commands at its standard input. */
  async function withCommands(test: (commanded: Commanded) => Promise<void>): Promise<void> {
    await TlsRig.with(settings, async (rig) => {
      const client = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${rig.port}`, '-tls1_3']);
      let output = '';
      const read = (data: Buffer): void => void (output += data.toString('latin1'));
      client.stdout.on('data', read);
      client.stderr.on('data', read);
      const send = (line: string): void => void client.stdin.write(`${line}\n`);
      const shown = async (text: string): Promise<void> => {
        const deadline = Date.now() + 20_000;
        while (!output.includes(text)) {
          assert.ok(Date.now() < deadline, `waited in vain for ${text}`);
          await setTimeout(2);
        }
        output = '';
      };
      const command = async (letter: string): Promise<void> => {
        send(letter);
        await shown('KEYUPDATE');
      };
      try {
        await test({ rig, stream: await rig.established(), command, send, shown });
      } finally {
        client.kill();
      }
    });
  }

  /** Lets a client in over a socket of the test's. `cut` ends it without close_notify. */
  async function overPlain(
    rig: TlsRig,
    options: ConnectionOptions,
  ): Promise<{ stream: TlsStream; plain: Socket; cut: () => void }> {
    const plain = connectPlain({ host: '127.0.0.1', port: rig.port });
    plain.on('error', () => undefined);
    const { stream } = await established(rig, { ...options, socket: plain });
    return { stream, plain, cut: () => plain.destroySoon() };
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
    const { client, stream } = await established(rig, { ...options, socket });
    client.once('close', () => plain.destroy());
    return { client, stream, cutter };
  }
});
