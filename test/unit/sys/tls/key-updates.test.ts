import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { EPROTO } from '../../../../src/sys/errno.ts';
import { opensslProblem } from '../../../../src/sys/openssl.ts';
import type { TlsStream } from '../../../../src/sys/tls/tls-stream.ts';
import { CertificateAuthority } from '../../../support/certificates.ts';
import { TlsRig, settingsOf, textsOf } from './rig.ts';

interface Commanded {
  readonly rig: TlsRig;
  readonly stream: TlsStream;
  /** Gives `openssl s_client` a command, and waits until it has done it. */
  readonly command: (letter: string) => Promise<void>;
  readonly send: (line: string) => void;
  /** Waits until it shows a text. */
  readonly shown: (text: string) => Promise<void>;
}

describe('a TLS stream whose client changes its keys', { skip: opensslProblem() ?? false }, () => {
  const root = new CertificateAuthority();
  const settings = settingsOf([textsOf(root.issue('a.example', ['DNS:a.example']))]);
  after(() => root.remove());

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
});
