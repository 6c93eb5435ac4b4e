/**
 * sluice's own engines stop a fast side by TCP: a slow side loses nothing, and the proxy holds one read at
 * most.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { ENGINES, isOwnEngine, type EngineName } from '../../support/engines.ts';
import { ENDS, KIB, LARGE, MIB, NOISE, SlowSideRig, large } from '../../support/rigs/slow-side-rig.ts';
import { BINARY, closeBody, encodeFrame } from '../../support/websocket/raw-frames.ts';

/** Max bytes that wait in the proxy for one slow side. */
const MAX_HELD = 256 * KIB;
const LEGS = ['plain', 'TLS to the endpoint'] as const;

const PIECE = 100_000;
const pieces = Array.from({ length: Math.floor(LARGE / PIECE) }, (_, i) =>
  large.subarray(i * PIECE, (i + 1) * PIECE),
);

for (const engine of ENGINES.filter(isOwnEngine)) {
  describe(`a stalled side of a WebSocket on ${engine}`, () => stallsOn(engine));
}

function stallsOn(engine: EngineName): void {
  let rig: SlowSideRig;

  before(async () => {
    rig = await SlowSideRig.start({ engine, websocket: { maxMessageSize: '1MiB' } }, LEGS);
  });
  after(() => rig.stop());

  /** Waits until a sender's bytes stay where they are: the kernel and the proxy take no more. */
  async function stalled(waiting: () => number): Promise<number> {
    let before = -1;
    let times = 0;
    await eventually(() => {
      const now = waiting();
      times = now === before ? times + 1 : 0;
      before = now;
      assert.ok(now > 0 && times >= 20, `${now} bytes wait`);
    });
    return before;
  }

  for (const legs of LEGS) {
    for (const [what, frames, messages] of [
      ['one message of 40 MiB', [encodeFrame(BINARY, large)], [large]],
      ['419 messages', pieces.map((data) => encodeFrame(BINARY, data)), pieces],
    ] as const) {
      it(`gets ${what} whole as a client that reads late (${legs})`, async () => {
        const { client, endpoint } = await rig.pair(legs);
        const before = rig.memory();
        client.socket.pause();
        endpoint.write(Buffer.concat(frames));
        const waiting = await stalled(() => endpoint.socket.writableLength);
        assert.ok(waiting > 8 * MIB, `${waiting} bytes wait at the endpoint`);
        const bytes = await rig.held('downstream');
        assert.ok(bytes <= MAX_HELD, `${bytes} bytes are held`);
        const grown = rig.memory() - before;
        assert.ok(grown < NOISE, `grew by ${grown} bytes`);
        await rig.otherGoesOn('plain');
        client.socket.resume();
        for (const message of messages) assert.ok((await client.messages.next()).data.equals(message));
        client.socket.terminate();
        await rig.empty();
      });
    }

    it(`gets every message as an endpoint that reads late (${legs})`, async () => {
      const { client, endpoint } = await rig.pair(legs);
      const before = rig.memory();
      endpoint.socket.pause();
      for (const message of pieces) client.socket.send(message);
      const waiting = await stalled(() => client.socket.bufferedAmount);
      assert.ok(waiting > 8 * MIB, `${waiting} bytes wait at the client`);
      const bytes = await rig.held('upstream');
      assert.ok(bytes <= MAX_HELD, `${bytes} bytes are held`);
      const grown = rig.memory() - before;
      assert.ok(grown < NOISE, `grew by ${grown} bytes`);
      await rig.otherGoesOn('plain');
      endpoint.socket.resume();
      for (const message of pieces) assert.ok((await endpoint.frame()).payload.equals(message));
      client.socket.terminate();
      await rig.empty();
    });
  }

  for (const [how, last, close] of ENDS) {
    it(`gets everything as a client that the endpoint sent before it ${how}`, async () => {
      const { client, endpoint } = await rig.pair('plain');
      client.socket.pause();
      endpoint.socket.end(Buffer.concat([encodeFrame(BINARY, large), last]));
      await stalled(() => endpoint.socket.writableLength);
      client.socket.resume();
      assert.ok((await client.messages.next()).data.equals(large));
      assert.deepEqual(await client.closed(), close);
      await rig.empty();
    });
  }

  it('blocks nothing as a client that leaves while its endpoint is paused', async () => {
    const { client, endpoint } = await rig.pair('plain');
    client.socket.pause();
    endpoint.write(encodeFrame(BINARY, large));
    await stalled(() => endpoint.socket.writableLength);
    client.socket.terminate();
    assert.deepEqual((await endpoint.frame()).payload, closeBody(1001));
    endpoint.socket.destroy();
    await rig.empty();
  });
}
