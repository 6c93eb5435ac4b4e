import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CertificateAuthority } from '../../support/certificates.ts';
import { eventually, within } from '../../support/deadline.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import type { RawConnection } from '../../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';
import { MESSAGES, assertMessage, exchange, sendInFragments } from '../../support/websocket/exchange.ts';
import {
  BINARY,
  PING,
  PONG,
  TEXT,
  decodeFrame,
  encodeFrame,
  type Frame,
} from '../../support/websocket/raw-frames.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

/** Characters of one to four bytes. */
const UNICODE = Buffer.from('aß€👋'.repeat(5));

describe('the relay of WebSocket messages', () => {
  const authority = new CertificateAuthority();
  let app: WsEndpoint;
  let raw: RawEndpoint;
  let rig: WebRig;

  before(async () => {
    app = await WsEndpoint.listen({ maxPayload: 64 * 1024 * 1024 });
    raw = await RawEndpoint.listen();
    const certificates = [authority.issue('localhost', ['DNS:localhost', 'IP:127.0.0.1'])];
    const routes = [
      { match: { path: '/raw' }, cluster: 'raw' },
      { match: { path: '/raw-random' }, cluster: 'raw-random' },
      { match: {}, cluster: 'app' },
    ];
    rig = await WebRig.start({
      workers: { l7: 3 },
      listeners: {
        plain: { routes },
        spread: { routes },
        tls: { tls: { certificates }, routes: [{ match: {}, cluster: 'random-masks' }] },
        shared: { websocket: { compression: 'shared' }, routes },
        tcp: { mode: 'l4', cluster: 'app' },
      },
      clusters: {
        app: { endpoints: [app.address] },
        'random-masks': { masking: 'random', endpoints: [app.address] },
        raw: { endpoints: [raw.address] },
        'raw-random': { masking: 'random', endpoints: [raw.address] },
      },
    });
  });
  after(async () => {
    app.close();
    raw.close();
    authority.remove();
    await rig.stop();
  });

  function rawPair(path = '/raw'): Promise<{ client: WsPeer; endpoint: RawConnection }> {
    return rig.join(raw, { listener: 'plain', path });
  }

  it('keeps content, kind and order of 10,000 messages both ways at layer 7', async () => {
    const { client, endpoint } = await rig.join(app, { listener: 'plain' });
    await exchange(client, endpoint, 1);
    client.socket.terminate();
  });

  it('keeps them through TLS that the client verifies, and with random masks upstream', async () => {
    const url = `wss://${rig.address('tls')}/`;
    await assert.rejects(WsPeer.connect(url), /unable to verify/);
    const { client, endpoint } = await rig.join(app, { listener: 'tls', scheme: 'wss', ca: authority.pem });
    const bytes = await exchange(client, endpoint, 2);
    const metrics = await rig.scrape();
    for (const direction of ['upstream', 'downstream']) {
      const labels = { cluster: 'random-masks', direction };
      assert.equal(metrics.sum('sluice_ws_messages_total', labels), MESSAGES);
      assert.equal(metrics.sum('sluice_ws_bytes_total', labels), bytes);
    }
    client.socket.terminate();
  });

  it('keeps them through a tunnel at layer 4', async () => {
    const { client, endpoint } = await rig.join(app, { listener: 'tcp' });
    await exchange(client, endpoint, 3);
    client.socket.terminate();
  });

  it('keeps messages that the client leg compresses', async () => {
    const { client, endpoint } = await rig.join(app, {
      listener: 'shared',
      perMessageDeflate: { threshold: 0 },
    });
    assert.match(client.socket.extensions, /^permessage-deflate/);
    assert.equal(endpoint.headers['sec-websocket-extensions'], undefined);
    const sent = [
      Buffer.alloc(0),
      UNICODE,
      Buffer.alloc(200, 'ab'),
      Buffer.alloc(1_000_000, 'a message that repeats itself '),
      UNICODE,
    ];
    for (const isBinary of [true, false]) {
      for (const data of sent) client.socket.send(data, { binary: isBinary });
      for (const data of sent) assertMessage(await endpoint.messages.next(), { data, isBinary });
      for (const data of sent) endpoint.socket.send(data, { binary: isBinary });
      sendInFragments(endpoint, UNICODE, 7, isBinary);
      for (const data of [...sent, UNICODE]) assertMessage(await client.messages.next(), { data, isBinary });
    }
    client.socket.terminate();
  });

  it('compresses nothing for a client that does not offer it', async () => {
    const { client, endpoint } = await rig.join(app, { listener: 'shared' });
    assert.equal(client.socket.extensions, '');
    endpoint.socket.send(UNICODE, { binary: false });
    assertMessage(await client.messages.next(), { data: UNICODE, isBinary: false });
    client.socket.terminate();
  });

  it('joins the fragments of a client, cut inside characters too', async () => {
    const { client, endpoint } = await rig.join(app, { listener: 'plain' });
    for (const isBinary of [false, true]) {
      for (const size of [1, 3, 10]) {
        sendInFragments(client, UNICODE, size, isBinary);
        assertMessage(await endpoint.messages.next(), { data: UNICODE, isBinary });
      }
    }
    client.socket.terminate();
  });

  it('carries the fragments of an endpoint on, cut inside characters too', async () => {
    const { client, endpoint } = await rig.join(app, { listener: 'plain' });
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

  it('hands a fragment on before the rest of its message has come', async () => {
    const { client, endpoint } = await rig.joinRaw(raw, { listener: 'plain', path: '/raw' });
    for (const [opcode, text, fin] of [
      [TEXT, 'first ', false],
      [0, 'second ', false],
      [0, 'last', true],
    ] as const) {
      endpoint.write(encodeFrame(opcode, text, { fin }));
      const frame = await client.frame();
      assert.deepEqual(frame, { fin, reserved: 0, opcode, masked: false, payload: Buffer.from(text) });
    }
    // A frame larger than what is waited for whole, of which only a part has come.
    const frame = encodeFrame(BINARY, Buffer.alloc(100_000, 7));
    endpoint.write(frame.subarray(0, 50_000));
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
    client.destroy();
  });

  it('reads frames of an endpoint that come byte by byte', async () => {
    const { client, endpoint } = await rawPair();
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

  it('answers the pings of an endpoint, between fragments too, and keeps them from the client', async () => {
    const { client, endpoint } = await rawPair();
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
    assert.equal(client.pings.count + client.pongs.count, 0);
    client.socket.terminate();
  });

  it('answers the pings of a client and keeps them from the endpoint', async () => {
    const { client, endpoint } = await rawPair();
    client.socket.ping('are you there');
    assert.equal((await client.pongs.next()).toString(), 'are you there');
    client.socket.send('next');
    const frame = await endpoint.frame();
    assert.deepEqual([frame.opcode, frame.payload.toString()], [TEXT, 'next']);
    client.socket.terminate();
  });

  it('masks every frame to the endpoint, with zeros or at random as the cluster says', async () => {
    const zero = await rawPair();
    zero.client.socket.send(Buffer.from([1, 2, 3]));
    assert.deepEqual(await zero.endpoint.bytes(9), Buffer.from([0x82, 0x83, 0, 0, 0, 0, 1, 2, 3]));
    zero.client.socket.terminate();
    const random = await rawPair('/raw-random');
    const masks = new Set<number>([0]);
    for (let i = 0; i < 4; i++) {
      random.client.socket.send(Buffer.from([1, 2, 3]));
      const frame = await random.endpoint.bytes(9);
      assert.deepEqual(decodeFrame(frame)?.frame.payload, Buffer.from([1, 2, 3]));
      masks.add(frame.readUInt32BE(2));
    }
    assert.equal(masks.size, 5);
    random.client.socket.terminate();
  });

  it("serves Node's own WebSocket", async () => {
    const client = new WebSocket(`ws://${rig.address('plain')}/`);
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

  it('spreads the connections to one port over several workers', async () => {
    const pairs = await Promise.all(Array.from({ length: 60 }, () => rig.join(app, { listener: 'spread' })));
    // That one of three gets none of sixty happens once in ten thousand million times.
    const workers = await eventually(() => {
      const opened = rig.sluice.logs.filter(
        ({ msg, listener }) => msg === 'session opened' && listener === 'spread',
      );
      assert.equal(opened.length, pairs.length);
      return new Set(opened.map(({ worker }) => worker));
    });
    assert.deepEqual([...workers].sort(), ['l7-0', 'l7-1', 'l7-2']);
    for (const { client } of pairs) client.socket.terminate();
  });
});

/** As the proxy sends it to an endpoint. */
function pong(payload: string | Buffer): Frame {
  return { fin: true, reserved: 0, opcode: PONG, masked: true, payload: Buffer.from(payload) };
}
