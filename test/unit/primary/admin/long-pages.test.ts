/** Pages that are too long to be whole when their answer begins. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { PageText } from '../../../../src/primary/admin/pages/page-body.ts';
import { eventually } from '../../../support/deadline.ts';
import { runCommand } from '../../../support/processes/run-command.ts';
import { METRICS, withRig } from './admin-rig.ts';

const LINE = `${'x'.repeat(1023)}\n`;
const LINES = 16 * 1024;

/** A page of 16 MiB, more than the kernel buffers, that counts what has been made of it. */
class LongPage {
  made = 0;
  hasEnded = false;
  failsAt = Infinity;

  readonly metrics = (): Promise<PageText> => Promise.resolve({ type: 'text/plain', pieces: this.#pieces() });

  *#pieces(): Generator<string> {
    try {
      for (this.made = 0; this.made < LINES; this.made++) {
        if (this.made === this.failsAt) throw new Error('broken');
        yield LINE;
      }
    } finally {
      this.hasEnded = true;
    }
  }
}

const HEAD_END = '\r\n\r\n';

describe('a long page of the admin server', { timeout: 300_000 }, () => {
  it('is sent to HTTP/1.1 in chunks, and leaves the connection open', async () => {
    const { metrics } = new LongPage();
    await withRig({ metrics }, {}, async (rig) => {
      const client = await rig.dial();
      client.socket.write(METRICS);
      await eventually(() => assert.ok(client.received.endsWith('\r\n0\r\n\r\n')));
      const head = client.received.slice(0, client.received.indexOf(HEAD_END));
      assert.match(head, /Transfer-Encoding: chunked/);
      assert.doesNotMatch(head, /Content-Length/);
      assert.ok(!client.isClosed);
    });
  });

  it('is sent to HTTP/1.0 until the connection closes', async () => {
    const { metrics } = new LongPage();
    await withRig({ metrics }, {}, async (rig) => {
      const client = await rig.dial();
      client.socket.write('GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n');
      const received = await client.closes();
      const end = received.indexOf(HEAD_END);
      assert.doesNotMatch(received.slice(0, end), /Transfer-Encoding|Content-Length/);
      assert.ok(received.slice(end + 4) === LINE.repeat(LINES));
    });
  });

  it('is the same in gzip', async () => {
    const { metrics } = new LongPage();
    await withRig({ metrics }, {}, async (rig) => {
      const [, zipped] = await rig.ask('/metrics', undefined, { 'accept-encoding': 'gzip' });
      assert.ok(gunzipSync(Buffer.from(zipped, 'latin1')).toString() === LINE.repeat(LINES));
    });
  });

  it('has a head for HEAD, and no body', async () => {
    const { metrics } = new LongPage();
    await withRig({ metrics }, {}, async (rig) => {
      const client = await rig.dial();
      client.socket.write('HEAD /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      const received = await client.closes();
      assert.match(received, /^HTTP\/1\.1 200 OK\r\n/);
      assert.ok(received.endsWith(HEAD_END));
    });
  });

  it('stops rendering when its only reader disconnects', async () => {
    const page = new LongPage();
    await withRig({ metrics: page.metrics }, {}, async (rig) => {
      const client = await rig.dial();
      client.socket.once('data', () => client.socket.destroy());
      client.socket.write(METRICS);
      await eventually(() => assert.ok(page.hasEnded));
      const [status, body] = await rig.ask('/metrics');
      assert.deepEqual([status, body.length], [200, LINES * 1024]);
      assert.deepEqual(rig.lines, []);
    });
  });

  it('reaches other readers while one reader stalls, which finally loses the connection', async () => {
    const { metrics } = new LongPage();
    await withRig({ metrics }, { answerMs: 3000 }, async (rig) => {
      const stalled = await rig.dial('127.0.0.2');
      stalled.socket.pause();
      stalled.socket.write(METRICS);
      const answers = await Promise.all(Array.from({ length: 8 }, () => rig.ask('/metrics')));
      assert.ok(answers.every(([status, body]) => status === 200 && body.length === LINES * 1024));
      await eventually(() => assert.equal(rig.closed('slow_reader'), 1));
      await eventually(() => assert.equal(rig.stats.connections, 0));
    });
  });

  it('is cut for a slow reader if the pages of all readers take too much memory', async () => {
    // Two pages of 12 MiB in gzip.
    const pieces = function* (): Generator<string> {
      for (let line = 0; line < LINES; line++) yield randomBytes(576).toString('base64');
    };
    const metrics = (): Promise<PageText> => Promise.resolve({ type: 'text/plain', pieces: pieces() });
    await withRig({ metrics }, {}, async (rig) => {
      const slow = await rig.dial('127.0.0.2');
      slow.socket.pause();
      slow.socket.write(METRICS);
      await rig.ask('/metrics');
      await rig.ask('/metrics', undefined, { 'cache-control': 'no-cache' });
      slow.socket.on('error', () => undefined);
      slow.socket.resume();
      const received = await slow.closes();
      assert.ok(!received.endsWith('\r\n0\r\n\r\n'));
      assert.deepEqual([rig.closed('page_memory'), rig.closed('slow_reader')], [1, 0]);
    });
  });

  it('ends with a reset and a log line if it fails, so no reader takes it for complete', async () => {
    const page = new LongPage();
    page.failsAt = 1000;
    await withRig({ metrics: page.metrics }, {}, async (rig) => {
      // Node's sockets do not always tell a reset from FIN.
      const fixed = ['-sS', '-H', 'Host: a', '-H', 'Cache-Control: no-cache', '-o', '/dev/null'];
      for (const version of ['--http1.1', '--http1.0']) {
        const { stderr } = await runCommand('curl', [...fixed, version, `http://${rig.address}/metrics`]);
        assert.match(stderr, /Connection reset by peer/);
      }
      assert.equal(rig.lines[0]?.msg, 'admin request failed');
    });
  });
});
