import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { eventually, within } from '../../support/deadline.ts';
import { ENDS, KIB, MIB, NOISE, SlowSideRig, large, type Legs } from '../../support/rigs/slow-side-rig.ts';
import type { RawConnection } from '../../support/sockets/raw-connection.ts';
import { BINARY, PING, PONG, closeBody, encodeFrame } from '../../support/websocket/raw-frames.ts';
import type { WsPeer } from '../../support/websocket/ws-peer.ts';

const DOWNSTREAM_BUFFER = MIB;
const UPSTREAM_BUFFER = 4 * MIB;
/**
 * Bytes that the proxy reads from an endpoint at once: the buffer may exceed its bound by one read before the
 * endpoint is paused.
 */
const READ_SIZE = 256 * KIB;
/** Bytes of pongs that may wait beside a full buffer. */
const PONGS = 64 * KIB;
const MASK = Buffer.from([7, 1, 7, 1]);
const LEGS: readonly Legs[] = ['plain', 'TLS to the client', 'TLS to the endpoint'];

describe('a slow side of a WebSocket', () => {
  let rig: SlowSideRig;

  before(async () => {
    const websocket = { downstreamBuffer: '1MiB', upstreamBuffer: '4MiB', maxMessageSize: '1MiB' };
    rig = await SlowSideRig.start({ engine: 'uws', websocket }, LEGS);
  });
  after(() => rig.stop());

  async function metric(name: string, direction: 'upstream' | 'downstream'): Promise<number> {
    return (await rig.scrape()).sum(name, { direction });
  }

  /** Has the endpoint send until the proxy pauses it, because the client does not read. */
  async function fill(client: WsPeer, endpoint: RawConnection, frames: Buffer): Promise<void> {
    const paused = await metric('sluice_ws_paused_total', 'downstream');
    client.socket.pause();
    endpoint.write(frames);
    await eventually(async () => {
      assert.ok((await metric('sluice_ws_paused_total', 'downstream')) > paused);
    });
  }

  const small = Array.from({ length: 40_000 }, (_, i) => large.subarray(i * 1000, (i + 1) * 1000));

  for (const [what, legs, frames, messages] of [
    ['one message of 40 MiB', 'plain', encodeFrame(BINARY, large), [large]],
    ['one message of 40 MiB', 'TLS to the client', encodeFrame(BINARY, large), [large]],
    ['one message of 40 MiB', 'TLS to the endpoint', encodeFrame(BINARY, large), [large]],
    ['40,000 small messages', 'plain', Buffer.concat(small.map((data) => encodeFrame(BINARY, data))), small],
  ] as const) {
    it(`gets ${what} whole as a client, while the proxy holds no more than its bound (${legs})`, async () => {
      const { client, endpoint } = await rig.pair(legs);
      const before = rig.memory();
      await fill(client, endpoint, frames);
      const held = await rig.held('downstream');
      assert.ok(held > DOWNSTREAM_BUFFER, `${held} bytes are held`);
      // The endpoint keeps the bytes that the kernel's buffers on the path cannot hold.
      assert.ok(endpoint.socket.writableLength > 8 * MIB, `${endpoint.socket.writableLength} bytes wait`);

      await rig.otherGoesOn(legs);

      let highest = { held, memory: rig.memory() };
      // Large steps, because a scrape waits for a new rendering, up to a second.
      const slowly = readSlowly(client, 8 * MIB, async () => {
        highest = {
          held: Math.max(highest.held, await rig.held('downstream')),
          memory: Math.max(highest.memory, rig.memory()),
        };
      });
      for (const message of messages) {
        const { data, isBinary } = await client.messages.next();
        assert.ok(isBinary && data.equals(message));
      }
      await slowly.stop();
      const slack = READ_SIZE + 2 * KIB;
      assert.ok(highest.held <= DOWNSTREAM_BUFFER + slack, `up to ${highest.held} bytes were held`);
      assert.ok(highest.memory - before < NOISE, `grew by ${highest.memory - before} bytes`);
      client.socket.terminate();
      await rig.empty();
    });
  }

  for (const [how, last, close] of ENDS) {
    it(`gets everything as a client that the endpoint sent before it ${how}`, async () => {
      const { client, endpoint } = await rig.pair('plain');
      const message = large.subarray(0, 24 * MIB);
      await fill(client, endpoint, Buffer.concat([encodeFrame(BINARY, message), last]));
      endpoint.socket.end();
      client.socket.resume();
      assert.ok((await client.messages.next()).data.equals(message));
      assert.deepEqual(await client.closed(), close);
      await rig.empty();
    });
  }

  it('blocks nothing as a client that leaves while its endpoint is paused', async () => {
    const { client, endpoint } = await rig.pair('plain');
    await fill(client, endpoint, encodeFrame(BINARY, large));
    client.socket.terminate();
    assert.deepEqual((await endpoint.frame()).payload, closeBody(1001));
    endpoint.socket.destroy();
    await rig.empty();
  });

  for (const legs of ['plain', 'TLS to the client'] as const) {
    it(`loses its session as a client that pings and does not read (${legs})`, async () => {
      const overflows = await metric('sluice_ws_buffer_overflows_total', 'downstream');
      const { client, endpoint } = await rig.pair(legs);
      client.socket.pause();
      const { _socket: connection } = client.socket as unknown as { readonly _socket: Socket };
      const pings = Buffer.concat(
        Array.from({ length: 2000 }, () => encodeFrame(PING, large.subarray(0, 125), { mask: MASK })),
      );
      connection.on('error', () => undefined);
      const flood = setInterval(() => {
        if (connection.writableLength < MIB) connection.write(pings);
      }, 1);
      let highest = 0;
      try {
        await eventually(async () => {
          const metrics = await rig.scrape();
          const direction = 'downstream';
          highest = Math.max(highest, metrics.sum('sluice_ws_buffered_bytes', { direction }));
          assert.equal(metrics.sum('sluice_ws_buffer_overflows_total', { direction }), overflows + 1);
        });
      } finally {
        clearInterval(flood);
      }
      const most = DOWNSTREAM_BUFFER + PONGS + KIB;
      assert.ok(highest <= most, `up to ${highest} bytes were held`);
      assert.deepEqual((await endpoint.frame()).payload, closeBody(1001));
      endpoint.socket.destroy();
      client.socket.terminate();
      await rig.empty();
    });
  }

  it('may ping as a client whose endpoint is paused, and gets the pongs after the waiting messages', async () => {
    const { client, endpoint } = await rig.pair('plain');
    const message = large.subarray(0, 24 * MIB);
    await fill(client, endpoint, encodeFrame(BINARY, message));
    let pongs = 0;
    client.socket.on('pong', () => pongs++);
    for (let count = 0; count < 300; count++) client.socket.ping(`ping ${count}`);
    client.socket.send('still here');
    assert.equal((await endpoint.frame()).payload.toString(), 'still here');
    client.socket.resume();
    assert.ok((await client.messages.next()).data.equals(message));
    await eventually(() => assert.equal(pongs, 300));
    client.socket.terminate();
    await rig.empty();
  });

  for (const legs of ['plain', 'TLS to the endpoint'] as const) {
    it(`has few pongs wait as an endpoint that pings and does not read, and gets the last (${legs})`, async () => {
      const { client, endpoint } = await rig.pair(legs);
      endpoint.socket.pause();
      let sent = 0;
      const ping = (): Buffer => encodeFrame(PING, String(sent++).padEnd(125));
      let highest = 0;
      // Twice what all the kernel's buffers on the way take.
      while (sent < 240_000) {
        const batch = Buffer.concat(Array.from({ length: 8000 }, ping));
        await within('the pings to be taken', new Promise((settle) => endpoint.socket.write(batch, settle)));
        // Not after each step: a scrape waits for a new rendering, up to a second.
        if (sent % 40_000 === 0) {
          highest = Math.max(highest, await rig.held('upstream'));
        }
      }
      assert.ok(highest > 0, 'the kernel takes all pongs');
      assert.ok(highest <= MIB, `up to ${highest} bytes were held`);
      endpoint.socket.resume();
      const last = String(sent - 1);
      for (let payload = ''; payload !== last;) {
        const frame = await endpoint.frame();
        assert.equal(frame.opcode, PONG);
        payload = frame.payload.toString().trim();
      }
      client.socket.send('still here');
      assert.equal((await endpoint.frame()).payload.toString(), 'still here');
      client.socket.terminate();
      endpoint.socket.destroy();
      await rig.empty();
    });
  }

  for (const legs of ['plain', 'TLS to the endpoint'] as const) {
    it(`gets everything as an endpoint that reads again before the buffer is full (${legs})`, async () => {
      const { client, endpoint } = await rig.pair(legs);
      endpoint.socket.pause();
      const sent: Buffer[] = [];
      // Until the kernel takes no more and the proxy begins to hold.
      await eventually(async () => {
        for (let count = 0; count < 8; count++) {
          const message = large.subarray(sent.length * 100_000, (sent.length + 1) * 100_000);
          sent.push(message);
          client.socket.send(message);
        }
        assert.ok((await rig.held('upstream')) > 0);
      });
      endpoint.socket.resume();
      for (const message of sent) assert.ok((await endpoint.frame()).payload.equals(message));
      await rig.empty();
      client.socket.terminate();
    });

    it(`loses its session as an endpoint that does not read, and the client hears 1013 (${legs})`, async () => {
      const overflows = await metric('sluice_ws_buffer_overflows_total', 'upstream');
      const { client, endpoint } = await rig.pair(legs);
      endpoint.socket.pause();
      const before = rig.memory();
      const flood = setInterval(() => {
        if (client.socket.bufferedAmount < MIB) client.socket.send(large.subarray(0, 256 * KIB));
      }, 1);
      try {
        assert.deepEqual(await client.closed(), { code: 1013, reason: 'endpoint too slow' });
      } finally {
        clearInterval(flood);
      }
      assert.ok(rig.memory() - before < UPSTREAM_BUFFER + NOISE);
      endpoint.socket.resume();
      await within('the end of the connection to the endpoint', endpoint.closed);
      const metrics = await rig.scrape();
      assert.equal(metrics.sum('sluice_ws_buffer_overflows_total', { direction: 'upstream' }), overflows + 1);
      const cluster = legs === 'plain' ? 'plain' : 'secure';
      assert.equal(metrics.sum('sluice_ws_closes_total', { cluster, side: 'proxy', code: '1013' }), 1);
      await rig.empty();
    });
  }
});

/** Lets a client read a number of bytes at a time, and does something between. */
function readSlowly(
  { socket }: WsPeer,
  step: number,
  between: () => Promise<void>,
): { stop: () => Promise<void> } {
  const { _socket: connection } = socket as unknown as { readonly _socket: Socket };
  let read = 0;
  let stopped = false;
  const run = async (): Promise<void> => {
    while (!stopped) {
      const goal = read + step;
      let wake: () => void = () => undefined;
      const reached = new Promise<void>((settle) => (wake = settle));
      const onData = (bytes: Buffer): void => {
        read += bytes.length;
        if (read >= goal) wake();
      };
      connection.on('data', onData);
      // The remainder may be less than a step.
      const timer = setTimeout(wake, 200);
      socket.resume();
      await reached;
      clearTimeout(timer);
      connection.off('data', onData);
      socket.pause();
      await between();
    }
    socket.resume();
  };
  const running = run();
  return {
    stop: () => {
      stopped = true;
      return running;
    },
  };
}
