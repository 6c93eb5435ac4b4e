import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { within } from '../../support/deadline.ts';
import { ENGINES, isOwnEngine, type EngineName } from '../../support/engines.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import type { RawConnection } from '../../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';
import { BINARY, CLOSE, PING, TEXT, closeBody, encodeFrame } from '../../support/websocket/raw-frames.ts';
import type { WsPeer } from '../../support/websocket/ws-peer.ts';
import { WsEndpoint } from '../../support/websocket/ws-peer.ts';

const MASK = Buffer.from([1, 2, 3, 4]);
const MAX_MESSAGE = 4096;
/** 123 bytes, the most that a close frame has room for. */
const LONGEST_REASON = `${'é'.repeat(61)}!`;

describe('the close of a WebSocket', { concurrency: true }, () => {
  for (const engine of ENGINES) describe(`on ${engine}`, { concurrency: 1 }, () => closeOn(engine));
});

function closeOn(engine: EngineName): void {
  const isOwn = isOwnEngine(engine);
  let app: WsEndpoint;
  let raw: RawEndpoint;
  let rig: WebRig;

  before(async () => {
    app = await WsEndpoint.listen();
    raw = await RawEndpoint.listen();
    const routes = [
      { match: { path: '/raw' }, cluster: 'raw' },
      { match: {}, cluster: 'app' },
    ];
    rig = await WebRig.start({
      listeners: {
        web: { engine, routes, websocket: { maxMessageSize: MAX_MESSAGE } },
        'bad-gateway': { engine, routes, websocket: { endpointLostCode: 1014 } },
      },
      clusters: { app: { endpoints: [app.address] }, raw: { endpoints: [raw.address] } },
    });
  });
  after(async () => {
    app.close();
    raw.close();
    await rig.stop();
  });

  const pair = (): Promise<{ client: WsPeer; endpoint: WsPeer }> => rig.join(app);

  /** A client of `ws` and its session at the endpoint that speaks raw frames. */
  function pairAtRaw(listener = 'web'): Promise<{ client: WsPeer; endpoint: RawConnection }> {
    return rig.join(raw, { listener, path: '/raw' });
  }

  /** A client that speaks raw frames, and its session at the endpoint made with `ws`. */
  const rawClientPair = (): Promise<{ client: RawConnection; endpoint: WsPeer }> => rig.joinRaw(app);

  describe('by the client', () => {
    for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 4000, 4321, 4999]) {
      it(`crosses with code ${code} and reason`, async () => {
        const { client, endpoint } = await pair();
        client.socket.close(code, LONGEST_REASON);
        assert.deepEqual(await endpoint.closed(), { code, reason: LONGEST_REASON });
        assert.equal((await client.closed()).code, code);
      });
    }

    it('crosses without a code as an empty close', async () => {
      const { client, endpoint } = await pair();
      client.socket.close();
      assert.deepEqual(await endpoint.closed(), { code: 1005, reason: '' });
      assert.deepEqual(await client.closed(), { code: 1005, reason: '' });
    });

    for (const code of [1012, 1013, 1014, 3000, 3999]) {
      // uWS takes a close frame with one of these for broken.
      const crosses = isOwn ? { code, reason: 'reason' } : { code: 1005, reason: '' };
      it(`reaches the endpoint ${isOwn ? 'with' : 'without'} its code if that is ${code}`, async () => {
        const { client, endpoint } = await pair();
        client.socket.close(code, 'reason');
        assert.deepEqual(await endpoint.closed(), crosses);
        assert.equal((await client.closed()).code, crosses.code);
      });
    }

    it('arrives after every earlier message', async () => {
      const { client, endpoint } = await pair();
      for (let i = 0; i < 200; i++) client.socket.send(`${i}`);
      client.socket.close(1000);
      for (let i = 0; i < 200; i++) assert.equal((await endpoint.messages.next()).data.toString(), `${i}`);
      assert.equal((await endpoint.closed()).code, 1000);
    });
  });

  describe('by the endpoint', () => {
    const codes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014];
    for (const code of [...codes, 3000, 3999, 4000, 4321, 4999]) {
      it(`crosses with code ${code} and reason`, async () => {
        const { client, endpoint } = await pair();
        endpoint.socket.close(code, LONGEST_REASON);
        assert.deepEqual(await client.closed(), { code, reason: LONGEST_REASON });
        assert.equal((await endpoint.closed()).code, code);
      });
    }

    it('crosses without a code as an empty close', async () => {
      const { client, endpoint } = await pair();
      endpoint.socket.close();
      assert.deepEqual(await client.closed(), { code: 1005, reason: '' });
      assert.deepEqual(await endpoint.closed(), { code: 1005, reason: '' });
    });

    it('arrives after every earlier message', async () => {
      const { client, endpoint } = await pair();
      for (let i = 0; i < 200; i++) endpoint.socket.send(`${i}`);
      endpoint.socket.close(1000);
      for (let i = 0; i < 200; i++) assert.equal((await client.messages.next()).data.toString(), `${i}`);
      assert.equal((await client.closed()).code, 1000);
    });

    it('right behind a message ends the connection of a client that answers and waits', async () => {
      const { client, endpoint } = await rawClientPair();
      endpoint.socket.send('last');
      endpoint.socket.close(4100);
      for (const opcode of [TEXT, CLOSE]) assert.equal((await client.frame()).opcode, opcode);
      client.write(encodeFrame(CLOSE, closeBody(4100), { mask: MASK }));
      await within('the end of the connection', client.closed, 8000);
    });

    it('is answered to the endpoint with the same code, and ends its connection', async () => {
      const { client, endpoint } = await pairAtRaw();
      endpoint.write(encodeFrame(CLOSE, closeBody(4100, 'bye')));
      const answer = await endpoint.frame();
      assert.equal(answer.opcode, CLOSE);
      assert.equal(answer.payload.readUInt16BE(0), 4100);
      assert.equal((await endpoint.rest()).length, 0);
      assert.deepEqual(await client.closed(), { code: 4100, reason: 'bye' });
    });
  });

  it('is counted by side and code, and logged', async () => {
    const count = async (side: string, code: string): Promise<number> =>
      (await rig.scrape()).sum('sluice_ws_closes_total', { cluster: 'app', side, code });
    const before = [await count('client', '4xxx'), await count('endpoint', '3xxx')];
    const first = await pair();
    first.client.socket.close(4007);
    const second = await pair();
    second.endpoint.socket.close(3007);
    await Promise.all([first.client.closed(), second.client.closed()]);
    const after = [await count('client', '4xxx'), await count('endpoint', '3xxx')];
    assert.deepEqual(after, [before[0]! + 1, before[1]! + 1]);
    for (const [side, code] of [
      ['client', 4007],
      ['endpoint', 3007],
    ] as const) {
      await rig.sluice.waitForLog(
        (line) => line.msg === 'session closed' && line.side === side && line.code === code,
        60_000,
      );
    }
  });

  describe('without a close frame', () => {
    for (const [how, cut] of [
      ['closed', (endpoint: WsPeer) => endpoint.socket.terminate()],
      ['reset', (endpoint: WsPeer) => socketOf(endpoint).resetAndDestroy()],
    ] as const) {
      it(`is a 1011 for the client when the endpoint's connection is ${how}`, async () => {
        const { client, endpoint } = await pair();
        endpoint.socket.send('last words');
        assert.equal((await client.messages.next()).data.toString(), 'last words');
        cut(endpoint);
        assert.deepEqual(await client.closed(), { code: 1011, reason: 'endpoint lost' });
      });
    }

    // On sluice's own engines a part of the frame has crossed: no close frame can follow it.
    it(`is a ${isOwn ? 1006 : 1011} for the client when the endpoint leaves inside a frame`, async () => {
      const { client, endpoint } = await pairAtRaw();
      endpoint.write(encodeFrame(BINARY, Buffer.alloc(100_000)).subarray(0, 60_000));
      endpoint.socket.end();
      const lost = isOwn ? { code: 1006, reason: '' } : { code: 1011, reason: 'endpoint lost' };
      assert.deepEqual(await client.closed(), lost);
      assert.equal(client.messages.count, 0);
    });

    it('is a 1011 for the client when the endpoint leaves between two fragments', async () => {
      const { client, endpoint } = await pairAtRaw();
      endpoint.write(encodeFrame(BINARY, Buffer.alloc(60_000), { fin: false }));
      endpoint.socket.end();
      assert.deepEqual(await client.closed(), { code: 1011, reason: 'endpoint lost' });
      assert.equal(client.messages.count, 0);
    });

    it('is a 1014 if the listener says so', async () => {
      const { client, endpoint } = await pairAtRaw('bad-gateway');
      endpoint.destroy();
      assert.deepEqual(await client.closed(), { code: 1014, reason: 'endpoint lost' });
    });

    for (const [how, cut] of [
      ['closed', (client: WsPeer) => client.socket.terminate()],
      ['reset', (client: WsPeer) => socketOf(client).resetAndDestroy()],
    ] as const) {
      it(`is a 1001 for the endpoint when the client's connection is ${how}`, async () => {
        const { client, endpoint } = await pair();
        client.socket.send('last words');
        assert.equal((await endpoint.messages.next()).data.toString(), 'last words');
        cut(client);
        assert.deepEqual(await endpoint.closed(), { code: 1001, reason: '' });
      });
    }
  });

  describe('because the endpoint breaks the protocol', () => {
    const close = (code: number, reason: string | Buffer = ''): Buffer =>
      encodeFrame(CLOSE, closeBody(code, reason));
    const broken: readonly (readonly [what: string, bytes: Buffer])[] = [
      ['a masked frame', encodeFrame(TEXT, 'x', { mask: MASK })],
      ['the first reserved bit', encodeFrame(TEXT, 'x', { reserved: 4 })],
      ['the last reserved bit', encodeFrame(PING, 'x', { reserved: 1 })],
      ['an unknown data opcode', encodeFrame(3, 'x')],
      ['an unknown control opcode', encodeFrame(11, 'x')],
      ['16 bits of length for 5 bytes', Buffer.from('\x81\x7e\x00\x05hello', 'latin1')],
      ['64 bits of length for 65535 bytes', Buffer.from('827f000000000000ffff', 'hex')],
      ['a length with its highest bit set', Buffer.from('827f8000000000000000', 'hex')],
      ['a fragmented ping', encodeFrame(PING, 'x', { fin: false })],
      ['a ping of 126 bytes', encodeFrame(PING, Buffer.alloc(126))],
      ['a continuation of nothing', encodeFrame(0, 'x')],
      [
        'a message inside another',
        Buffer.concat([encodeFrame(TEXT, 'x', { fin: false }), encodeFrame(TEXT, 'x')]),
      ],
      ['a close frame of one byte', encodeFrame(CLOSE, 'x')],
      ['close code 0', close(0)],
      ['close code 999', close(999)],
      ['close code 1004', close(1004)],
      ['close code 1005', close(1005)],
      ['close code 1006', close(1006)],
      ['close code 1015', close(1015)],
      ['close code 2999', close(2999)],
      ['close code 5000', close(5000)],
      ['a close reason that is no UTF-8', close(1000, Buffer.from([0xff]))],
      ['HTTP', Buffer.from('HTTP/1.1 200 OK\r\n\r\n')],
    ];
    for (const [what, bytes] of broken) {
      it(`is a 1011 for the client and a 1002 for the endpoint: ${what}`, async () => {
        const { client, endpoint } = await pairAtRaw();
        endpoint.write(encodeFrame(TEXT, 'before'));
        assert.equal((await client.messages.next()).data.toString(), 'before');
        endpoint.write(Buffer.concat([bytes, encodeFrame(TEXT, 'behind')]));
        assert.deepEqual(await client.closed(), { code: 1011, reason: 'endpoint protocol error' });
        assert.equal(client.messages.waiting, 0);
        const answer = await endpoint.frame();
        assert.deepEqual([answer.opcode, answer.masked], [CLOSE, true]);
        assert.equal(answer.payload.readUInt16BE(0), 1002);
        assert.equal((await endpoint.rest()).length, 0);
      });
    }

    it('leaves text that is no UTF-8 to the client, whose 1007 crosses', async () => {
      const { client, endpoint } = await pairAtRaw();
      endpoint.write(encodeFrame(TEXT, Buffer.from([0xff, 0xfe])));
      const answer = await endpoint.frame();
      assert.equal(answer.opcode, CLOSE);
      assert.equal(answer.payload.readUInt16BE(0), 1007);
      // What `ws` says of an end that is its own doing.
      assert.equal((await client.closed()).code, 1006);
    });
  });

  describe('because the client breaks the protocol', () => {
    const masked = { mask: MASK };
    const broken: readonly (readonly [what: string, bytes: Buffer, code: number])[] = [
      ['a reserved bit', encodeFrame(TEXT, 'x', { ...masked, reserved: 4 }), 1002],
      ['an unknown opcode', encodeFrame(3, 'x', masked), 1002],
      ['a fragmented ping', encodeFrame(PING, 'x', { ...masked, fin: false }), 1002],
      ['a ping of 126 bytes', encodeFrame(PING, Buffer.alloc(126), masked), 1002],
      ['a continuation of nothing', encodeFrame(0, 'x', masked), 1002],
      ['a message that is too long', encodeFrame(BINARY, Buffer.alloc(MAX_MESSAGE + 1), masked), 1009],
      [
        'fragments that are too long together',
        Buffer.concat([
          encodeFrame(BINARY, Buffer.alloc(MAX_MESSAGE), { ...masked, fin: false }),
          encodeFrame(0, 'x', masked),
        ]),
        1009,
      ],
    ];
    for (const [what, bytes, code] of broken) {
      it(`is a 1001 for the endpoint: ${what}`, async () => {
        const { client, endpoint } = await rawClientPair();
        client.write(encodeFrame(TEXT, 'before', masked));
        assert.equal((await endpoint.messages.next()).data.toString(), 'before');
        client.write(Buffer.concat([bytes, encodeFrame(TEXT, 'behind', masked)]));
        assert.deepEqual(await endpoint.closed(), { code: 1001, reason: '' });
        assert.equal(endpoint.messages.waiting, 0);
        if (isOwn) {
          const { opcode, payload } = await client.frame();
          assert.deepEqual([opcode, payload.readUInt16BE(0)], [CLOSE, code]);
        }
        // uWS sends no close frame for a breach that it finds.
        assert.equal((await client.rest()).length, 0);
      });
    }

    it(`is ${isOwn ? "the endpoint's to judge" : 'a 1001 for the endpoint'}: text that is no UTF-8`, async () => {
      const { client, endpoint } = await rawClientPair();
      client.write(encodeFrame(TEXT, Buffer.from([0xff]), masked));
      if (isOwn) {
        const { opcode, payload } = await client.frame();
        assert.deepEqual([opcode, payload.readUInt16BE(0)], [CLOSE, 1007]);
        client.write(encodeFrame(CLOSE, closeBody(1007), masked));
        // What `ws` says of an end that is its own doing.
        assert.equal((await endpoint.closed()).code, 1006);
      } else {
        assert.deepEqual(await endpoint.closed(), { code: 1001, reason: '' });
      }
      assert.equal((await client.rest()).length, 0);
    });

    it('does not follow a message of exactly the max size', async () => {
      const { client, endpoint } = await pair();
      client.socket.send(Buffer.alloc(MAX_MESSAGE));
      assert.equal((await endpoint.messages.next()).data.length, MAX_MESSAGE);
      client.socket.send(Buffer.alloc(MAX_MESSAGE + 1));
      assert.equal((await client.closed()).code, isOwn ? 1009 : 1006);
      assert.deepEqual(await endpoint.closed(), { code: 1001, reason: '' });
    });
  });

  it('leaves no session and no connection behind', async () => {
    // A client that does not answer a close frame holds its session for some seconds more.
    raw.clear();
    await rig.settled();
  });
}

/** The TCP connection below a WebSocket of `ws`. */
function socketOf({ socket }: WsPeer): Socket {
  return (socket as unknown as { readonly _socket: Socket })._socket;
}
