/** Any stream of frames, cut into any pieces, gives the same messages on the other side. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { WebRig } from '../../support/rigs/web-rig.ts';
import type { RawConnection } from '../../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';
import { BINARY, PING, PONG, TEXT, encodeFrame } from '../../support/websocket/raw-frames.ts';
import { WsEndpoint, type WsPeer } from '../../support/websocket/ws-peer.ts';

const RUNS = 40;
/** Max pieces of a cut stream. Each piece is a separate write and turn of the loop. */
const MAX_CUTS = 80;

interface RandomMessage {
  readonly isBinary: boolean;
  readonly data: Buffer;
  /** Where it is cut into fragments, in thousandths of its length. */
  readonly cuts: readonly number[];
  /** Payloads of the pings before each fragment. */
  readonly pings: readonly Uint8Array[];
}

/** Lengths at which frames change their form, what is waited for whole, and what is not. */
const length = fc.oneof(
  fc.nat(300),
  fc.constantFrom(0, 1, 125, 126, 127, 16_383, 16_384, 16_385, 65_535, 65_536),
  fc.nat(100_000),
);
const payload = fc.oneof(
  length.map((bytes) => ({ isBinary: true, data: Buffer.alloc(bytes, 'binary ') })),
  fc
    .string({ unit: 'grapheme', maxLength: 400 })
    .map((text) => ({ isBinary: false, data: Buffer.from(text) })),
  length.map((bytes) => ({ isBinary: false, data: Buffer.alloc(bytes - (bytes % 3), '漢') })),
);
const message: fc.Arbitrary<RandomMessage> = fc
  .tuple(
    payload,
    fc.array(fc.nat(1000), { maxLength: 4 }),
    fc.array(fc.uint8Array({ maxLength: 125 }), { maxLength: 3 }),
  )
  .map(([{ isBinary, data }, cuts, pings]) => ({ isBinary, data, cuts, pings }));
const stream = fc.record({
  messages: fc.array(message, { minLength: 1, maxLength: 12 }),
  mask: fc.uint8Array({ minLength: 4, maxLength: 4 }),
  /** Where the bytes are cut, in millionths of all. */
  cuts: fc.array(fc.nat(1_000_000), { maxLength: MAX_CUTS }),
});

describe('any stream of frames', () => {
  let app: WsEndpoint;
  let raw: RawEndpoint;
  let rig: WebRig;

  before(async () => {
    app = await WsEndpoint.listen();
    raw = await RawEndpoint.listen();
    rig = await WebRig.start({
      log: { access: false },
      listeners: {
        app: { routes: [{ match: {}, cluster: 'app' }] },
        raw: { routes: [{ match: {}, cluster: 'raw' }] },
      },
      clusters: {
        app: { masking: 'random', endpoints: [app.address] },
        raw: { endpoints: [raw.address] },
      },
    });
  });
  after(async () => {
    app.close();
    raw.close();
    await rig.stop();
  });

  it('reaches the endpoint as the same messages if a client sends it', async () => {
    await fc.assert(
      fc.asyncProperty(stream, async ({ messages, mask, cuts }) => {
        const { client, endpoint } = await rig.joinRaw(app, { listener: 'app' });
        await send(client, messages, cuts, Buffer.from(mask));
        await assertCame(endpoint, messages);
        await assertPongs(client, messages);
        client.destroy();
      }),
      { numRuns: RUNS },
    );
  });

  it('reaches the client as the same messages if an endpoint sends it', async () => {
    await fc.assert(
      fc.asyncProperty(stream, async ({ messages, cuts }) => {
        const { client, endpoint } = await rig.join(raw, { listener: 'raw' });
        await send(endpoint, messages, cuts);
        await assertCame(client, messages);
        await assertPongs(endpoint, messages);
        client.socket.terminate();
        endpoint.destroy();
      }),
      { numRuns: RUNS },
    );
  });
});

/** @param mask the client's mask; an endpoint has none */
async function send(
  connection: RawConnection,
  messages: readonly RandomMessage[],
  cuts: readonly number[],
  mask?: Buffer,
): Promise<void> {
  const bytes = Buffer.concat(messages.flatMap((one) => framesOf(one, mask)));
  const places = placesOf(cuts, 1_000_000, bytes.length);
  for (const [index, start] of places.entries()) {
    connection.write(bytes.subarray(start, places[index + 1]));
    await setImmediate();
  }
}

function framesOf({ isBinary, data, cuts, pings }: RandomMessage, mask?: Buffer): Buffer[] {
  const options = mask === undefined ? {} : { mask };
  const places = placesOf(cuts, 1000, data.length);
  return places.flatMap((start, index) => {
    const opcode = index > 0 ? 0 : isBinary ? BINARY : TEXT;
    const fin = index === places.length - 1;
    const frame = encodeFrame(opcode, data.subarray(start, places[index + 1]), { ...options, fin });
    const ping = pings[index];
    return ping === undefined ? [frame] : [encodeFrame(PING, Buffer.from(ping), options), frame];
  });
}

/** Returns the start of each piece of a range of this length, the first at 0. */
function placesOf(cuts: readonly number[], of: number, total: number): number[] {
  const places = cuts.map((cut) => Math.floor((cut / of) * total));
  return [0, ...places.sort((a, b) => a - b)];
}

async function assertCame(peer: WsPeer, messages: readonly RandomMessage[]): Promise<void> {
  for (const { isBinary, data } of messages) {
    const came = await peer.messages.next();
    assert.equal(came.isBinary, isBinary);
    assert.ok(came.data.equals(data), `${came.data.length} bytes instead of ${data.length}, or others`);
  }
  assert.equal(peer.messages.waiting, 0);
}

/** Every ping is answered at once by who is next to it, in order. */
async function assertPongs(connection: RawConnection, messages: readonly RandomMessage[]): Promise<void> {
  for (const { pings, cuts } of messages) {
    for (const ping of pings.slice(0, cuts.length + 1)) {
      const frame = await connection.frame();
      assert.equal(frame.opcode, PONG);
      assert.deepEqual(frame.payload, Buffer.from(ping));
    }
  }
}
