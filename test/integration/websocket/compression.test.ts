/** permessage-deflate between a client and the proxy, with clients that people use. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { eventually } from '../../support/deadline.ts';
import { CHROMIUM, CHROMIUM_ARGUMENTS } from '../../support/processes/chromium.ts';
import { residentBytes } from '../../support/processes/process-facts.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { BINARY, encodeFrame } from '../../support/websocket/raw-frames.ts';
import { WsEndpoint } from '../../support/websocket/ws-peer.ts';

const MIB = 1024 ** 2;
const MAX_MESSAGE = MIB;
/** Max growth of the process for reasons other than a message. */
const NOISE = 48 * MIB;
const MASK = Buffer.from([5, 5, 0, 1]);
/** The first reserved bit marks a compressed message (RFC 7692 section 6). */
const RSV1 = 4;

describe('compression', () => {
  let app: WsEndpoint;
  let rig: WebRig;

  before(async () => {
    app = await WsEndpoint.listen();
    rig = await WebRig.start({
      listeners: { web: { websocket: { compression: 'shared', maxMessageSize: MAX_MESSAGE } } },
      clusters: { app: { endpoints: [app.address] } },
    });
  });
  after(async () => {
    app.close();
    await rig.stop();
  });

  it('bounds the inflated size of a message', async () => {
    const most = await rig.join(app, { perMessageDeflate: { threshold: 0 } });
    most.client.socket.send(Buffer.alloc(MAX_MESSAGE));
    assert.equal((await most.endpoint.messages.next()).data.length, MAX_MESSAGE);
    most.client.socket.send(Buffer.alloc(MAX_MESSAGE + 1));
    await most.client.closed();
    assert.deepEqual(await most.endpoint.closed(), { code: 1001, reason: '' });
    assert.equal(most.endpoint.messages.waiting, 0);
  });

  it('does not inflate a bomb of 1 GiB', async () => {
    // 64 MiB of zeros sixteen times in one stream.
    const block = deflateRawSync(Buffer.alloc(64 * MIB), { finishFlush: 2 });
    const bomb = Buffer.concat([...Array.from({ length: 16 }, () => block), Buffer.from([0])]);
    assert.ok(bomb.length < 2 * MIB && bomb.length > 512 * 1024, `${bomb.length} bytes`);
    const memory = residentBytes(rig.sluice.pid);
    for (const size of [64 * 1024, MAX_MESSAGE - 1]) {
      const client = await rig.ask({
        headers: ['Sec-WebSocket-Extensions: permessage-deflate'],
      });
      assert.match((await client.head()).startLine, / 101 /);
      const endpoint = await app.session();
      client.write(encodeFrame(BINARY, bomb.subarray(0, size), { mask: MASK, reserved: RSV1 }));
      await client.rest();
      assert.deepEqual(await endpoint.closed(), { code: 1001, reason: '' });
      assert.equal(endpoint.messages.count, 0);
    }
    const growth = residentBytes(rig.sluice.pid) - memory;
    assert.ok(growth < NOISE, `grew by ${growth} bytes`);
  });

  it(
    'is agreed on with Chromium, and messages cross both ways',
    { skip: !existsSync(CHROMIUM) },
    async () => {
      const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...CHROMIUM_ARGUMENTS] });
      try {
        const page = await browser.newPage();
        const echoed = page.evaluate(
          ([url]) =>
            new Promise<{ extensions: string; texts: string[]; bytes: number }>((settle, fail) => {
              const socket = new WebSocket(url!);
              socket.binaryType = 'arraybuffer';
              const texts: string[] = [];
              socket.onerror = () => fail(new Error('the WebSocket failed'));
              socket.onopen = () => {
                for (const text of ['', 'aß€👋', 'again and again '.repeat(20_000)]) socket.send(text);
                socket.send(new Uint8Array(300_000).fill(7));
              };
              socket.onmessage = ({ data }: { data: unknown }) => {
                if (typeof data === 'string') {
                  texts.push(data);
                  return;
                }
                const bytes = new Uint8Array(data as ArrayBuffer);
                if (bytes.some((byte) => byte !== 7)) fail(new Error('other bytes'));
                socket.close(4001, 'done');
                settle({ extensions: socket.extensions, texts, bytes: bytes.length });
              };
            }),
          [`ws://${rig.address('web')}/`],
        );
        const endpoint = await app.session();
        endpoint.socket.on('message', (data, isBinary) => endpoint.socket.send(data, { binary: isBinary }));
        const { extensions, texts, bytes } = await echoed;
        assert.match(extensions, /^permessage-deflate/);
        assert.deepEqual(texts, ['', 'aß€👋', 'again and again '.repeat(20_000)]);
        assert.equal(bytes, 300_000);
        assert.deepEqual(await endpoint.closed(), { code: 4001, reason: 'done' });
        await page.close();
      } finally {
        await browser.close();
      }
      await eventually(() => assert.equal(app.sessions.waiting, 0));
    },
  );
});
