import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { EAGAIN, EPROTO } from '../../../../src/sys/errno.ts';
import { PinnedBuffer } from '../../../../src/sys/memory/pinned-buffer.ts';
import { opensslProblem } from '../../../../src/sys/openssl.ts';
import { clearErrors } from '../../../../src/sys/tls/errors.ts';
import type { TlsStream } from '../../../../src/sys/tls/tls-stream.ts';
import { CertificateAuthority } from '../../../support/certificates.ts';
import { TlsRig, ready, settingsOf, textsOf } from './rig.ts';

/** Max bytes of a record's payload. */
const RECORD_BYTES = 16 * 1024;

interface Commanded {
  readonly rig: TlsRig;
  readonly stream: TlsStream;
  /** Gives `openssl s_client` a command, and waits until it has done it. */
  readonly command: (letter: string) => Promise<void>;
  readonly send: (line: string) => void;
  /** Waits until it shows a text. Returns all that it has shown since the last time. */
  readonly shown: (text: string) => Promise<string>;
  /** Stops and resumes reading its output: a client that cannot print soon takes nothing from its socket. */
  readonly stall: (stalls: boolean) => void;
}

/** Writes bytes that count their records, as a channel does, to a client that may stall. */
class Download {
  expected = '';
  readonly #stream: TlsStream;
  readonly #buffer = new PinnedBuffer(RECORD_BYTES);
  #records = 0;

  constructor(stream: TlsStream) {
    this.#stream = stream;
    this.#next(0);
  }

  /** Writes as many more bytes, when there is room. */
  async send(bytes: number): Promise<void> {
    const end = this.expected.length + bytes;
    while (this.expected.length < end) assert.ok((await ready(() => this.write())) > 0);
  }

  /** Writes until the client has taken nothing for a while. */
  async fill(): Promise<void> {
    clearErrors();
    for (let pauses = 0; pauses < 10;) {
      if (this.write() > 0) pauses = 0;
      else pauses += await setTimeout(5, 1);
    }
  }

  /** Writes once, which may repeat a write that was blocked. */
  write(): number {
    const count = this.#stream.write(this.#buffer, 0, RECORD_BYTES);
    if (count > 0) this.#next(count);
    return count;
  }

  /** Takes over what the stream takes, and fills the buffer again. */
  #next(count: number): void {
    const { bytes } = this.#buffer;
    this.expected += bytes.toString('latin1', 0, count);
    bytes.copyWithin(0, count);
    for (let at = count === 0 ? 0 : RECORD_BYTES - count; at < RECORD_BYTES; at += 16)
      bytes.write(`${this.#records++}`.padStart(15, '.') + '\n', at, 'latin1');
  }
}

describe('a TLS stream whose client changes its keys', { skip: opensslProblem() ?? false }, () => {
  const root = new CertificateAuthority();
  const settings = settingsOf([textsOf(root.issue('a.example', ['DNS:a.example']))]);
  after(() => root.remove());

  it('accepts new keys from a client, and answers with its own', async () => {
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

  it('breaks a connection that sends new keys endlessly', async () => {
    await withCommands(async ({ rig, stream, command, send }) => {
      for (let count = 0; count < 32; count++) await command('k');
      send('after them');
      assert.equal(await rig.read(stream), 'after them\n');
      for (let count = 0; count < 33; count++) await command('K');
      assert.equal(await rig.read(stream), -EPROTO);
      assert.equal(stream.failure, 'too many handshake messages in a row');
    });
  });

  /** Reads, as a channel does. */
  function readBeside(download: Download, { rig, stream }: Commanded): Promise<string | number> {
    const { buffer } = rig;
    const read = (): number => stream.read(buffer, 0, buffer.bytes.length);
    return ready(() => {
      const count = read();
      if (count !== -EAGAIN || !stream.wantsRetry) return count;
      download.write();
      return read();
    }).then((count) => (count > 0 ? buffer.bytes.toString('latin1', 0, count) : count));
  }

  for (const [name, options] of [
    ['records of 16 KiB', []],
    ['records of 512 bytes', ['-maxfraglen', '512']],
  ] as const) {
    it(`keeps reading while a write is blocked, for any number of KeyUpdates (${name})`, async () => {
      await withCommands(async (commanded) => {
        const { stream, command, send, shown, stall } = commanded;
        const download = new Download(stream);
        stall(true);
        await download.fill();
        for (const letters of ['K', 'KK', 'kKkK', 'k', 'KKK']) {
          for (const letter of letters) await command(letter);
          send(`behind ${letters}`);
          assert.equal(await readBeside(download, commanded), `behind ${letters}\n`);
        }
        stall(false);
        await download.send(30 * RECORD_BYTES);
        assert.equal(await ready(() => stream.sendCloseNotify()), 0);
        assertWhole(await shown('closed'), download);
      }, options);
    });
  }

  it('sends no answer after close_notify, and keeps reading', async () => {
    await withCommands(async (commanded) => {
      const { rig, stream, command, send, shown, stall } = commanded;
      const download = new Download(stream);
      stall(true);
      await download.send(64 * RECORD_BYTES);
      assert.equal(await ready(() => stream.sendCloseNotify()), 0);
      rig.sockets.finish(rig.descriptorOf(stream));
      for (let count = 0; count < 3; count++) {
        await command('K');
        await command('K');
        send('still here');
        assert.equal(await rig.read(stream), 'still here\n');
      }
      stall(false);
      assertWhole(await shown('closed'), download);
    });
  });

  function assertWhole(output: string, { expected }: Download): void {
    // The client prints this after a read that brought only new keys.
    const received = output.replaceAll('read R BLOCK\n', '');
    assert.ok(received.includes(expected), 'the client has got other bytes');
  }

  /** Accepts `openssl s_client`, which takes commands on its standard input. */
  async function withCommands(
    test: (commanded: Commanded) => Promise<void>,
    options: readonly string[] = [],
  ): Promise<void> {
    await TlsRig.with(settings, async (rig) => {
      const client = spawn('openssl', [
        's_client',
        '-connect',
        `127.0.0.1:${rig.port}`,
        '-tls1_3',
        ...options,
      ]);
      let output = '';
      const read = (data: Buffer): void => void (output += data.toString('latin1'));
      client.stdout.on('data', read);
      client.stderr.on('data', read);
      const send = (line: string): void => void client.stdin.write(`${line}\n`);
      const shown = async (text: string): Promise<string> => {
        const deadline = Date.now() + 20_000;
        while (!output.includes(text)) {
          assert.ok(Date.now() < deadline, `waited in vain for ${text}`);
          await setTimeout(2);
        }
        const all = output;
        output = '';
        return all;
      };
      const stall = (stalls: boolean): void => {
        if (stalls) client.stdout.pause();
        else client.stdout.resume();
      };
      const command = async (letter: string): Promise<void> => {
        send(letter);
        await shown('KEYUPDATE');
      };
      try {
        await test({ rig, stream: await rig.established(), command, send, shown, stall });
      } finally {
        client.kill();
      }
    });
  }
});
