/** Whatever befalls one side at whatever stage: the other hears the right code, and nothing is left. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Arrivals, eventually, within } from '../../support/deadline.ts';
import { ENGINES, isOwnEngine, type EngineName } from '../../support/engines.ts';
import { descriptors } from '../../support/processes/process-facts.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import {
  RawConnection,
  headerOf,
  switchingProtocols,
  type RawHead,
} from '../../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';
import { BINARY, CLOSE, PING, PONG, closeBody, encodeFrame } from '../../support/websocket/raw-frames.ts';

/** The shortest that there is. */
const IDLE_MS = 8000;
const HANDSHAKE_MS = 8000;
const MASK = Buffer.from([9, 8, 7, 6]);

/** What befalls a connection. */
const FAULTS = ['FIN', 'RST', 'half-open', 'stall'] as const;
type Fault = (typeof FAULTS)[number];

function inflict(fault: Fault, { socket }: RawConnection): void {
  switch (fault) {
    case 'FIN':
      socket.end();
      break;
    case 'RST':
      socket.resetAndDestroy();
      break;
    case 'half-open':
      // The FIN of the other side is not answered, and the socket never closed.
      socket.allowHalfOpen = true;
      socket.end();
      break;
    case 'stall':
      // Nothing is said any more, and nothing that comes is answered.
      break;
  }
}

interface Request {
  readonly connection: RawConnection;
  readonly head: RawHead;
}

/** Tests that wait for time to pass run at once: the file takes as long as its longest test. */
describe('a fault of one side of a session', { concurrency: true }, () => {
  for (const engine of ENGINES) describe(engine, { concurrency: true }, () => faultsOn(engine));
});

function faultsOn(engine: EngineName): void {
  const isOwn = isOwnEngine(engine);
  /** Keyed by path: each test has a separate one. */
  const requests = new Map<string, Arrivals<Request>>();
  let raw: RawEndpoint;
  let rig: WebRig;
  let descriptorsBefore = 0;

  before(async () => {
    raw = await RawEndpoint.listen(async (connection) => {
      const head = await connection.head().catch(() => null);
      if (head === null) return;
      const [, path = ''] = head.startLine.split(' ');
      requests.get(path)?.push({ connection, head });
    });
    rig = await WebRig.start({
      listeners: {
        web: { engine, websocket: { idleTimeout: `${IDLE_MS}ms`, handshakeTimeout: `${HANDSHAKE_MS}ms` } },
      },
      clusters: { raw: { retries: 0, endpoints: [raw.address] } },
    });
    // The first session opens what all have in common: a frame as large as this goes through a pipe.
    const { client, endpoint } = await open('/first');
    endpoint.write(encodeFrame(BINARY, Buffer.alloc(1_000_000)));
    await client.frame();
    client.destroy();
    await closeOf(endpoint);
    endpoint.destroy();
    await rig.settled();
    descriptorsBefore = descriptors(rig.sluice.pid);
  });
  after(async () => {
    try {
      // Those who have stalled are still there: it is the proxy that must have let them go.
      await rig.settled();
      await eventually(() => assert.ok(descriptors(rig.sluice.pid) <= descriptorsBefore));
      assert.deepEqual(raw.failures, []);
    } finally {
      raw.close();
      await rig.stop();
    }
  });

  async function ask(path: string): Promise<{ client: RawConnection; request: Request }> {
    const arrivals = new Arrivals<Request>(`the request for ${path}`);
    requests.set(path, arrivals);
    const client = await rig.ask({ path });
    return { client, request: await arrivals.next() };
  }

  async function open(path: string): Promise<{ client: RawConnection; endpoint: RawConnection }> {
    const { client, request } = await ask(path);
    request.connection.write(switchingProtocols(request.head));
    assert.match((await client.head()).startLine, / 101 /);
    return { client, endpoint: request.connection };
  }

  for (const fault of FAULTS) {
    describe(`by the client: ${fault}`, () => {
      for (const [stage, bytes] of [
        ['before its head', ''],
        ['in its head', 'GET /unasked HTTP/1.1\r\nHost: app.example\r\nUpgra'],
      ] as const) {
        it(`${stage} reaches no endpoint`, async () => {
          const client = await RawConnection.connect(rig.address('web'));
          client.write(bytes);
          inflict(fault, client);
          await within('the end of the connection', client.closed);
        });
      }

      // Who stalls while the endpoint has not answered only waits.
      if (fault !== 'stall') {
        it('before the 101 ends the dial', async () => {
          const { client, request } = await ask(`/client/${fault}/before-101`);
          inflict(fault, client);
          await within('the end of the connection to the endpoint', request.connection.closed);
        });
      }

      for (const [stage, bytes] of [
        ['between two frames', Buffer.alloc(0)],
        ['in the head of a frame', encodeFrame(BINARY, Buffer.alloc(300), { mask: MASK }).subarray(0, 3)],
        ['in a frame', encodeFrame(BINARY, Buffer.alloc(300), { mask: MASK }).subarray(0, 200)],
        ['between two fragments', encodeFrame(BINARY, 'part', { mask: MASK, fin: false })],
        ['in a close frame', encodeFrame(CLOSE, closeBody(1000, 'bye'), { mask: MASK }).subarray(0, 7)],
      ] as const) {
        it(`${stage} ends the session for the endpoint`, async () => {
          const { client, endpoint } = await open(`/client/${fault}/${stage.replaceAll(' ', '-')}`);
          client.write(Buffer.concat([encodeFrame(BINARY, 'before', { mask: MASK }), bytes]));
          assert.equal((await endpoint.frame()).payload.toString(), 'before');
          inflict(fault, client);
          // On sluice's own engines a part of the frame has crossed: no close frame can follow it.
          if (isOwn && stage === 'in a frame') {
            assert.deepEqual(await endpoint.rest(), bytes);
            return;
          }
          assert.deepEqual(await closeOf(endpoint), { code: 1001, reason: '' });
          endpoint.write(encodeFrame(CLOSE, closeBody(1001)));
          await within('the end of the connection to the endpoint', endpoint.closed);
        });
      }

      it("instead of an answer to the endpoint's close ends the session as the endpoint closed it", async () => {
        const { client, endpoint } = await open(`/client/${fault}/answer`);
        endpoint.write(encodeFrame(CLOSE, closeBody(4001, 'done')));
        assert.deepEqual(await closeOf(client, MASK), { code: 4001, reason: 'done' });
        inflict(fault, client);
        assert.equal((await closeOf(endpoint)).code, 4001);
        await within('the end of the connection to the endpoint', endpoint.closed);
      });
    });

    describe(`by the endpoint: ${fault}`, () => {
      for (const [stage, bytes] of [
        ['before its 101', ''],
        ['in the head of its 101', 'HTTP/1.1 101 Switching Protocols\r\nUpgra'],
      ] as const) {
        const status = fault === 'stall' ? 504 : 502;
        it(`${stage} is a ${status} for the client`, async () => {
          const { client, request } = await ask(`/endpoint/${fault}/${stage.replaceAll(' ', '-')}`);
          request.connection.write(bytes);
          inflict(fault, request.connection);
          const head = await client.head();
          assert.equal(Number(head.startLine.split(' ')[1]), status);
          await client.bytes(Number(headerOf(head, 'content-length')));
          // Not in doubt after it: the same connection can ask again.
          assert.ok(!client.socket.destroyed);
          client.destroy();
        });
      }

      for (const [stage, bytes] of [
        ['between two frames', Buffer.alloc(0)],
        ['in the head of a frame', encodeFrame(BINARY, Buffer.alloc(300)).subarray(0, 3)],
        ['in a small frame', encodeFrame(BINARY, Buffer.alloc(300)).subarray(0, 200)],
        ['in a large frame', encodeFrame(BINARY, Buffer.alloc(300_000)).subarray(0, 200_000)],
        ['between two fragments', encodeFrame(BINARY, 'part', { fin: false })],
        ['in a close frame', encodeFrame(CLOSE, closeBody(1000, 'bye')).subarray(0, 4)],
      ] as const) {
        it(`${stage} ends the session for the client`, async () => {
          const { client, endpoint } = await open(`/endpoint/${fault}/${stage.replaceAll(' ', '-')}`);
          endpoint.write(encodeFrame(BINARY, 'before'));
          assert.equal((await client.frame()).payload.toString(), 'before');
          endpoint.socket.write(bytes, () => inflict(fault, endpoint));
          if (isOwn && (stage === 'in a small frame' || stage === 'in a large frame')) {
            const part = await client.rest();
            assert.deepEqual(part, bytes.subarray(0, part.length));
            // A reset may destroy what had not been read.
            if (fault !== 'RST') assert.equal(part.length, bytes.length);
            return;
          }
          const reason = fault === 'stall' ? 'endpoint timed out' : 'endpoint lost';
          assert.deepEqual(await closeOf(client, MASK), { code: 1011, reason });
        });
      }

      it("instead of an answer to the client's close leaves the client its own code", async () => {
        const { client, endpoint } = await open(`/endpoint/${fault}/answer`);
        client.write(encodeFrame(CLOSE, closeBody(4002, 'done'), { mask: MASK }));
        assert.deepEqual(await closeOf(endpoint), { code: 4002, reason: 'done' });
        inflict(fault, endpoint);
        assert.equal((await closeOf(client, MASK)).code, 4002);
      });
    });
  }
}

/** The close frame that comes, behind whatever there is of messages; pings are answered until then. */
async function closeOf(
  connection: RawConnection,
  mask?: Buffer,
): Promise<{ readonly code: number; readonly reason: string }> {
  const options = mask === undefined ? {} : { mask };
  for (;;) {
    const { opcode, payload } = await connection.frame();
    if (opcode === PING) connection.write(encodeFrame(PONG, payload, options));
    if (opcode !== CLOSE) continue;
    return { code: payload.readUInt16BE(0), reason: payload.toString('utf8', 2) };
  }
}
