import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { within } from '../../support/deadline.ts';
import { ENGINES, isOwnEngine, type EngineName } from '../../support/engines.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';
import {
  MESSAGES,
  assertMessage,
  exchangeMessages,
  sendInFragments,
} from '../../support/websocket/compared-messages.ts';
import {
  BINARY,
  CLOSE,
  PING,
  PONG,
  TEXT,
  decodeFrame,
  encodeFrame,
  type Frame,
} from '../../support/websocket/raw-frames.ts';
import { WsEndpoint } from '../../support/websocket/ws-peer.ts';

/** Characters of one to four bytes. */
const UNICODE = Buffer.from('aß€👋'.repeat(5));
const MASK = Buffer.from([9, 8, 7, 6]);

for (const engine of ENGINES) describe(`the relay of WebSocket messages on ${engine}`, () => relayOn(engine));

function relayOn(engine: EngineName): void {
  const isOwn = isOwnEngine(engine);
  let app: WsEndpoint;
  let raw: RawEndpoint;
  let rig: WebRig;

  before(async () => {
    app = await WsEndpoint.listen({ maxPayload: 64 * 1024 * 1024 });
    raw = await RawEndpoint.listen();
    const routes = [
      { match: { path: '/raw' }, cluster: 'raw' },
      { match: { path: '/raw-random' }, cluster: 'raw-random' },
      { match: {}, cluster: 'app' },
    ];
    rig = await WebRig.start({
      listeners: { web: { engine, routes } },
      clusters: {
        app: { endpoints: [app.address] },
        raw: { endpoints: [raw.address] },
        'raw-random': { masking: 'random', endpoints: [raw.address] },
      },
    });
  });
  after(async () => {
    app.close();
    raw.close();
    await rig.stop();
  });

  it('keeps content, kind and order of 10,000 messages both ways', async () => {
    const { client, endpoint } = await rig.join(app);
    const bytes = await exchangeMessages(client, endpoint, 1);
    const metrics = await rig.scrape();
    for (const direction of ['upstream', 'downstream']) {
      const labels = { cluster: 'app', direction };
      assert.equal(metrics.sum('sluice_ws_messages_total', labels), MESSAGES);
      assert.equal(metrics.sum('sluice_ws_bytes_total', labels), bytes);
    }
    client.socket.terminate();
  });

  it('joins the fragments of a client, cut inside characters too', async () => {
    const { client, endpoint } = await rig.join(app);
    for (const isBinary of [false, true]) {
      for (const size of [1, 3, 10]) {
        sendInFragments(client, UNICODE, size, isBinary);
        assertMessage(await endpoint.messages.next(), { data: UNICODE, isBinary });
      }
    }
    client.socket.terminate();
  });

  it('carries the fragments of an endpoint on, cut inside characters too', async () => {
    const { client, endpoint } = await rig.join(app);
    const large = Buffer.alloc(300_000, UNICODE);
    for (const isBinary of [false, true]) {
      for (const size of [1, 3, 10]) {
        sendInFragments(endpoint, UNICODE, size, isBinary);
        assertMessage(await client.messages.next(), { data: UNICODE, isBinary });
      }
      sendInFragments(endpoint, large, 65_537, isBinary);
      assertMessage(await client.messages.next(), { data: large, isBinary });
    }
    client.socket.terminate();
  });

  it('forwards a fragment before the rest of its message arrives', async () => {
    const { client, endpoint } = await rig.joinRaw(raw, { path: '/raw' });
    for (const [opcode, text, fin] of [
      [TEXT, 'first ', false],
      [0, 'second ', false],
      [0, 'last', true],
    ] as const) {
      endpoint.write(encodeFrame(opcode, text, { fin }));
      const frame = await client.frame();
      assert.deepEqual(frame, { fin, reserved: 0, opcode, masked: false, payload: Buffer.from(text) });
    }
    client.destroy();
  });

  it('forwards a part of a large frame before the rest arrives', async () => {
    const { client, endpoint } = await rig.joinRaw(raw, { path: '/raw' });
    const frame = encodeFrame(BINARY, Buffer.alloc(100_000, 7));
    endpoint.write(frame.subarray(0, 50_000));
    if (isOwn) {
      assert.deepEqual(await client.bytes(50_000), frame.subarray(0, 50_000));
      endpoint.write(frame.subarray(50_000));
      assert.deepEqual(await client.bytes(frame.length - 50_000), frame.subarray(50_000));
    } else {
      // As a fragment: uWS writes whole frames.
      const part = await client.frame();
      assert.equal(part.opcode, BINARY);
      assert.equal(part.fin, false);
      assert.ok(part.payload.length > 0 && part.payload.length < 50_000);
      endpoint.write(frame.subarray(50_000));
      let length = part.payload.length;
      while (length < 100_000) {
        const next = await client.frame();
        length += next.payload.length;
        assert.equal(next.opcode, 0);
        assert.equal(next.fin, length === 100_000);
      }
    }
    client.destroy();
  });

  it('reads frames of an endpoint that arrive byte by byte', async () => {
    const { client, endpoint } = await rig.join(raw, { path: '/raw' });
    const frames = Buffer.concat([
      encodeFrame(TEXT, UNICODE),
      encodeFrame(BINARY, ''),
      encodeFrame(TEXT, UNICODE.subarray(0, 2), { fin: false }),
      encodeFrame(PING, 'inside'),
      encodeFrame(0, '', { fin: false }),
      encodeFrame(0, UNICODE.subarray(2)),
      encodeFrame(BINARY, Buffer.alloc(300, 1)),
    ]);
    for (const byte of frames) {
      endpoint.write(Buffer.from([byte]));
      await new Promise((settle) => setImmediate(settle));
    }
    for (const message of [
      { data: UNICODE, isBinary: false },
      { data: Buffer.alloc(0), isBinary: true },
      { data: UNICODE, isBinary: false },
      { data: Buffer.alloc(300, 1), isBinary: true },
    ]) {
      assertMessage(await client.messages.next(), message);
    }
    assert.deepEqual(await endpoint.frame(), pong('inside'));
    client.socket.terminate();
  });

  it(`${isOwn ? 'passes on' : 'answers'} the pings of an endpoint, between fragments too`, async () => {
    const { client, endpoint } = await rig.join(raw, { path: '/raw' });
    const longest = Buffer.alloc(125, 0xe2);
    endpoint.write(encodeFrame(PING, 'alone'));
    assert.deepEqual(await endpoint.frame(), pong('alone'));
    endpoint.write(encodeFrame(TEXT, UNICODE.subarray(0, 4), { fin: false }));
    endpoint.write(encodeFrame(PING, longest));
    assert.deepEqual(await endpoint.frame(), pong(longest));
    endpoint.write(encodeFrame(0, UNICODE.subarray(4, 9), { fin: false }));
    endpoint.write(encodeFrame(PING));
    assert.deepEqual(await endpoint.frame(), pong(''));
    endpoint.write(encodeFrame(PONG, 'for nothing'));
    endpoint.write(encodeFrame(0, UNICODE.subarray(9)));
    assertMessage(await client.messages.next(), { data: UNICODE, isBinary: false });
    assert.deepEqual([client.pings.count, client.pongs.count], isOwn ? [3, 1] : [0, 0]);
    client.socket.terminate();
  });

  it(`${isOwn ? 'passes on' : 'answers'} the pings of a client`, async () => {
    const { client, endpoint } = await rig.join(raw, { path: '/raw' });
    client.socket.ping('are you there');
    if (isOwn) {
      const ping = await endpoint.frame();
      assert.deepEqual([ping.opcode, ping.payload.toString()], [PING, 'are you there']);
      endpoint.write(encodeFrame(PONG, ping.payload));
    }
    assert.equal((await client.pongs.next()).toString(), 'are you there');
    client.socket.send('next');
    const frame = await endpoint.frame();
    assert.deepEqual([frame.opcode, frame.payload.toString()], [TEXT, 'next']);
    client.socket.terminate();
  });

  it(`masks frames of a client ${isOwn ? 'as the client did' : 'as the cluster says'}`, async () => {
    const frame = encodeFrame(BINARY, Buffer.from([1, 2, 3]), { mask: MASK });
    for (const [path, count] of [
      ['/raw', 1],
      ['/raw-random', 4],
    ] as const) {
      const { client, endpoint } = await rig.joinRaw(raw, { path });
      const masks = new Set<number>();
      for (let i = 0; i < 4; i++) {
        client.write(frame);
        const bytes = await endpoint.bytes(9);
        assert.deepEqual(decodeFrame(bytes)?.frame.payload, Buffer.from([1, 2, 3]));
        masks.add(bytes.readUInt32BE(2));
      }
      if (isOwn) assert.deepEqual([...masks], [MASK.readUInt32BE(0)]);
      else if (count === 1) assert.deepEqual([...masks], [0]);
      else assert.equal(masks.size, 4);
      client.destroy();
    }
  });

  it('masks its frames with zeros or at random, as the cluster says', async () => {
    const masks = new Set<number>();
    for (const [path, count] of [
      ['/raw', 1],
      ['/raw-random', 4],
    ] as const) {
      masks.clear();
      for (let i = 0; i < 4; i++) {
        const { client, endpoint } = await rig.joinRaw(raw, { path });
        client.destroy();
        const bytes = await endpoint.bytes(8);
        const { frame } = decodeFrame(bytes)!;
        assert.deepEqual([frame.opcode, frame.payload.readUInt16BE(0)], [CLOSE, 1001]);
        masks.add(bytes.readUInt32BE(2));
        endpoint.destroy();
      }
      assert.equal(masks.size, count);
      assert.equal(masks.has(0), count === 1);
    }
  });

  it("serves Node's own WebSocket", async () => {
    const client = new WebSocket(`ws://${rig.address('web')}/`);
    client.binaryType = 'arraybuffer';
    const received = new Promise<unknown[]>((settle, fail) => {
      const messages: unknown[] = [];
      client.onerror = () => fail(new Error('failed'));
      client.onmessage = ({ data }: { readonly data: unknown }) => {
        if (messages.push(data) === 2) settle(messages);
      };
    });
    const endpoint = await app.sessions.next();
    endpoint.socket.send(UNICODE.toString());
    sendInFragments(endpoint, UNICODE, 2, true);
    const [text, bytes] = await within('both messages', received);
    assert.equal(text, UNICODE.toString());
    assert.ok(UNICODE.equals(Buffer.from(bytes as ArrayBuffer)));
    client.send(UNICODE.toString());
    client.send(UNICODE);
    for (const isBinary of [false, true])
      assertMessage(await endpoint.messages.next(), { data: UNICODE, isBinary });
    client.close(4000, 'done');
    assert.deepEqual(await endpoint.closed(), { code: 4000, reason: 'done' });
  });
}

/** As the proxy sends it to an endpoint. */
function pong(payload: string | Buffer): Frame {
  return { fin: true, reserved: 0, opcode: PONG, masked: true, payload: Buffer.from(payload) };
}
