/** Readers of `GET /live` over real connections. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Steps } from '../../../../../src/core/timing/steps.ts';
import { eventually } from '../../../../support/deadline.ts';
import { withRig } from '../admin-rig.ts';

const LIVE = 'GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n';
/** More than the buffers of a connection take, so that a client which does not read is slow at once. */
const LARGE = 'x'.repeat(32 * 1024 * 1024);

function* large(): Steps<string> {
  yield;
  return JSON.stringify(LARGE);
}

function gauge(
  stats: { families: readonly { metric: { name: string }; read: () => Iterable<{ value: number }> }[] },
  name: string,
): number {
  const family = stats.families.find(({ metric }) => metric.name === name)!;
  return [...family.read()][0]!.value;
}

describe('GET /live', { timeout: 300_000 }, () => {
  it('is a stream of events with ids and a retry time', async () => {
    await withRig({}, {}, async (rig) => {
      const client = await rig.dial();
      client.socket.write(LIVE);
      await eventually(() => assert.match(client.received, /id: 2\ndata: \{"version":"1\.2\.3"\}\n\n/));
      const [head = '', body = ''] = client.received.split('\r\n\r\n', 2);
      assert.match(
        head,
        /^HTTP\/1\.1 200 OK\r\nContent-Type: text\/event-stream\r\nCache-Control: no-store\r\n/,
      );
      assert.match(body, /^\w+\r\nretry: 2000\n\n/);
      assert.equal(gauge(rig.stats, 'sluice_admin_live_readers'), 1);
      client.socket.destroy();
      await eventually(() => assert.equal(gauge(rig.stats, 'sluice_admin_live_readers'), 0));
    });
  });

  it('is sent to HTTP/1.0 without chunks, and to HEAD without a body', async () => {
    await withRig({}, {}, async (rig) => {
      const old = await rig.dial();
      old.socket.write('GET /live HTTP/1.0\r\n\r\n');
      await eventually(() => assert.match(old.received, /\r\n\r\nretry: 2000\n\nid: 1\ndata: /));
      assert.doesNotMatch(old.received, /Transfer-Encoding/);
      const head = await rig.dial();
      head.socket.write('HEAD /live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
      assert.match(await head.closes(), /^HTTP\/1\.1 200 [^]*text\/event-stream[^]*\r\n\r\n$/);
    });
  });

  it('is compressed in pieces, and readers can start with any of them', async () => {
    await withRig({}, {}, async (rig) => {
      const first = await rig.dial();
      first.socket.write(LIVE.replace('\r\n\r\n', '\r\nAccept-Encoding: gzip\r\n\r\n'));
      await eventually(() => assert.ok(chunksOf(first.received).length >= 3));
      const late = await rig.dial();
      late.socket.write(LIVE.replace('\r\n\r\n', '\r\nAccept-Encoding: gzip\r\n\r\n'));
      await eventually(() => assert.ok(chunksOf(late.received).length >= 3));
      for (const client of [first, late]) {
        const bytes = Buffer.from(chunksOf(client.received).join(''), 'latin1');
        const text = gunzipSync(bytes, { finishFlush: 2 }).toString();
        assert.match(text, /^retry: 2000\n\nid: \d+\ndata: \{"version":"1\.2\.3"\}\n\nid: \d+\n/);
      }
    });
  });

  it('is one frame as JSON with once, or for a client that accepts only JSON', async () => {
    await withRig({}, {}, async (rig) => {
      assert.deepEqual(await rig.ask('/live?once'), [200, '{"version":"1.2.3"}\n']);
      const json = { accept: 'application/json, text/event-stream;q=0' };
      assert.deepEqual(await rig.ask('/live', '127.0.0.1', json), [200, '{"version":"1.2.3"}\n']);
      const [status, body] = await rig.ask('/live', '127.0.0.1', { accept: 'image/png' });
      assert.equal(status, 406);
      assert.match(body, /accept one of them/);
    });
  });

  it('skips frames for a client that does not read, and closes it after the answer timeout', async () => {
    await withRig({ live: large }, { answerMs: 3000 }, async (rig) => {
      const [slow, other] = [await rig.dial(), await rig.dial('127.0.0.2')];
      slow.socket.pause();
      slow.socket.write(LIVE);
      other.socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await eventually(() => assert.ok(gauge(rig.stats, 'sluice_admin_live_frames_skipped_total') > 0));
      await eventually(() => assert.equal(rig.closed('slow_reader'), 1));
      await eventually(() => assert.equal(gauge(rig.stats, 'sluice_admin_live_readers'), 0));
      assert.match(other.received, /ok\n$/);
    });
  });

  it('is refused with a reason if its address has enough readers, unlike other pages', async () => {
    await withRig({}, {}, async (rig) => {
      const readers = await rig.dialMany(24);
      for (const { socket } of readers) socket.write(LIVE);
      await eventually(() => assert.equal(gauge(rig.stats, 'sluice_admin_live_readers'), 24));
      const [status, body] = await rig.ask('/live');
      assert.equal(status, 503);
      assert.match(body, /24 clients of your address are reading it/);
      assert.equal(rig.refused('live_full'), 1);
      assert.equal((await rig.ask('/livez'))[0], 200);
      assert.equal((await rig.ask('/live?once'))[0], 200);
    });
  });

  it('is cut when its client sends another request on the connection', async () => {
    await withRig({}, {}, async (rig) => {
      const client = await rig.dial();
      client.socket.write(LIVE.repeat(50));
      await client.closes();
      assert.equal(rig.closed('pipelining'), 1);
      await eventually(() => assert.equal(gauge(rig.stats, 'sluice_admin_live_readers'), 0));
    });
  });

  it('ends with the admin server', async () => {
    let reader: { closes(): Promise<string> } | undefined;
    await withRig({}, {}, async (rig) => {
      const client = await rig.dial();
      reader = client;
      client.socket.write(LIVE);
      await eventually(() => assert.match(client.received, /data: /));
    });
    await reader!.closes();
  });
});

/** Returns the chunks of an HTTP/1.1 answer that have arrived completely. */
function chunksOf(received: string): string[] {
  const chunks: string[] = [];
  let at = received.indexOf('\r\n\r\n') + 4;
  if (at < 4) return chunks;
  for (;;) {
    const end = received.indexOf('\r\n', at);
    const length = end < 0 ? NaN : Number.parseInt(received.slice(at, end), 16);
    if (!(end + 2 + length + 2 <= received.length)) return chunks;
    chunks.push(received.slice(end + 2, end + 2 + length));
    at = end + 2 + length + 2;
  }
}
