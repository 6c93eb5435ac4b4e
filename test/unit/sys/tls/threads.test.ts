import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, describe, it } from 'node:test';
import { connect } from 'node:tls';
import { Worker } from 'node:worker_threads';
import { EPIPE } from '../../../../src/sys/errno.ts';
import { opensslProblem } from '../../../../src/sys/openssl.ts';
import { CertificateAuthority } from '../../../support/certificates.ts';
import { within } from '../../../support/deadline.ts';
import type { ThreadData, ThreadMessage } from './fixtures/tls-thread.ts';
import { textsOf } from './rig.ts';

const THREAD = new URL('./fixtures/tls-thread.ts', import.meta.url);

describe('TLS in worker threads', { skip: opensslProblem() ?? false }, () => {
  const root = new CertificateAuthority();
  const certificate = textsOf(root.issue('a.example', ['DNS:a.example']));
  after(() => root.remove());

  /** Returns what a write to a socket that has sent FIN has returned. */
  async function runThread(frees: boolean): Promise<{ written: number; live: number; code: number }> {
    const workerData: ThreadData = { certificate, frees };
    const thread = new Worker(THREAD, { workerData });
    const exit = once(thread, 'exit') as Promise<[number]>;
    const messages: ThreadMessage[] = [];
    const first = new Promise<ThreadMessage>((settle, fail) => {
      thread.on('message', (message: ThreadMessage) => {
        messages.push(message);
        settle(message);
      });
      thread.on('error', fail);
    });
    const message = await within('the port', first);
    assert.ok('port' in message);
    const client = connect({ host: '127.0.0.1', port: message.port, servername: 'a.example', ca: root.pem });
    client.on('error', () => undefined);
    client.write('hello');
    const [echo] = (await within('the echo', once(client, 'data'))) as [Buffer];
    assert.equal(String(echo), 'hello');
    const [code] = await within('the end of the thread', exit);
    const last = messages.at(-1);
    assert.ok(last !== undefined && 'written' in last);
    return { ...last, code };
  }

  it('serves clients in several threads, which end without a leak', async () => {
    const results = await Promise.all([1, 2, 3].map(() => runThread(true)));
    for (const { live, code } of results) assert.deepEqual({ live, code }, { live: 0, code: 0 });
  });

  it('gets an error, and no signal, for a socket that cannot send', async () => {
    const { written } = await runThread(true);
    assert.equal(written, -EPIPE);
  });

  it('survives a thread that ends without freeing anything', async () => {
    for (let round = 0; round < 3; round++) {
      const { live, code } = await runThread(false);
      assert.deepEqual({ live, code }, { live: 1, code: 0 });
    }
    const { live } = await runThread(true);
    assert.equal(live, 0);
  });
});
