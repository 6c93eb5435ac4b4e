/** Clients of the admin server that send or take too slowly, or send too much. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PageText } from '../../../../src/primary/admin/pages/page-body.ts';
import { eventually } from '../../../support/deadline.ts';
import { LIVEZ, METRICS, textPage, withRig } from './admin-rig.ts';

/** More than the send buffer and the receive buffer of a connection take. */
const LARGE_PAGE = `${'x'.repeat(1023)}\n`.repeat(32 * 1024);

function largePage(): Promise<PageText> {
  return Promise.resolve(textPage(LARGE_PAGE));
}

describe('a slow client of the admin server', { timeout: 300_000 }, () => {
  it('loses an idle connection', async () => {
    await withRig({}, { keepAliveMs: 100 }, async (rig) => {
      const client = await rig.dial();
      client.socket.write(LIVEZ);
      assert.match(await client.closes(), /^HTTP\/1\.1 200 [^]*ok\n$/);
    });
  });

  it('gets 408 for an endless head', async () => {
    await withRig({}, { headMs: 100 }, async (rig) => {
      for (const start of ['', 'G', 'GET /livez HTTP/1.1\r\nHost: localhost\r\nX-']) {
        const client = await rig.dial();
        client.socket.write(start);
        assert.match(await client.closes(), /^HTTP\/1\.1 408 /, start);
      }
      assert.equal(rig.refused('timeout'), 3);
    });
  });

  it('loses its connection for an endless body, answered or not', async () => {
    await withRig({}, { headMs: 1000, requestMs: 1500 }, async (rig) => {
      const client = await rig.dial();
      client.socket.write('POST /reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx');
      assert.match(await client.closes(), /^HTTP\/1\.1 404 /);
      assert.equal(rig.refused('timeout'), 1);
    });
  });

  it('loses its connection if it does not receive an answer', async () => {
    await withRig({ metrics: largePage }, { answerMs: 100 }, async (rig) => {
      const client = await rig.dial();
      client.socket.pause();
      client.socket.write(METRICS);
      await eventually(() => assert.equal(rig.closed('slow_reader'), 1));
      await eventually(() => assert.equal(rig.stats.connections, 0));
    });
  });

  it("gets a complete answer that exceeds the kernel's buffers", async () => {
    await withRig({ metrics: largePage }, {}, async (rig) => {
      const [status, body] = await rig.ask('/metrics');
      assert.deepEqual([status, body.length], [200, LARGE_PAGE.length]);
      assert.equal(rig.closed('slow_reader'), 0);
    });
  });

  it('may wait longer for a command than for other answers', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const token = 'a-token-of-20-chars.';
    const run = async (): Promise<{ status: 200; message: string }> => {
      await promise;
      return { status: 200, message: 'done' };
    };
    const quick = { headMs: 1000, requestMs: 1000, answerMs: 1000, keepAliveMs: 1000 };
    await withRig({ token, commands: [{ path: '/reload', run }] }, quick, async (rig) => {
      const client = await rig.dial();
      client.socket.write(
        `POST /reload HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Length: 0\r\n\r\n`,
      );
      const idle = await rig.dial();
      await idle.closes();
      assert.ok(!client.isClosed);
      resolve(undefined);
      await eventually(() => assert.match(client.received, /"done"\n\}\n$/));
    });
  });
});

describe('a client of the admin server that sends too much', { timeout: 300_000 }, () => {
  it('gets one answer to pipelined requests, and its connection is closed', async () => {
    let asked = 0;
    await withRig({ status: () => textPage(`{"pid":${++asked}}\n`) }, {}, async (rig) => {
      const client = await rig.dial();
      client.socket.write('GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(1000));
      const received = await client.closes();
      assert.equal(received.match(/HTTP\/1\.1 200 /g)?.length, 1);
      assert.equal(asked, 1);
      assert.equal(rig.closed('pipelining'), 1);
    });
  });

  it('gets 413 for a large body, and is cut if the head does not announce its length', async () => {
    await withRig({}, {}, async (rig) => {
      const sized = await rig.dial();
      sized.socket.write('POST /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n\r\n');
      assert.match(await sized.closes(), /^HTTP\/1\.1 413 [^]*Connection: close/);
      const silent = await rig.dial();
      silent.socket.write('POST /livez HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n');
      silent.socket.write(`80000\r\n${'x'.repeat(0x80000)}\r\n`);
      await silent.closes();
      assert.equal(rig.refused('too_large'), 2);
      assert.deepEqual(await rig.ask('/livez'), [200, 'ok\n']);
    });
  });
});
