/** The engines of our own stop a fast side by TCP: a slow one loses nothing, and the proxy holds one read at most. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { CertificateAuthority } from '../../support/certificates.ts';
import { eventually } from '../../support/deadline.ts';
import { ENGINES, isOwnEngine, type EngineName } from '../../support/engines.ts';
import { residentBytes } from '../../support/processes/process-facts.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import type { RawConnection } from '../../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';
import { BINARY, CLOSE, closeBody, encodeFrame } from '../../support/websocket/raw-frames.ts';
import type { WsPeer } from '../../support/websocket/ws-peer.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
/** More than all the kernel's buffers on the way take together. */
const LARGE = 40 * MIB;
/** Max bytes that wait in the proxy for one slow side. */
const MAX_HELD = 256 * KIB;
/** What the process may grow by for other reasons than a buffer. */
const NOISE = 32 * MIB;
/** Both paths lead to the same kind of endpoint. */
const PATHS = ['/plain', '/secure'] as const;

const large = Buffer.alloc(LARGE);
for (let at = 0; at < LARGE; at += 4) large.writeUInt32LE(Math.imul(at, 2654435761) >>> 0, at);
const PIECE = 100_000;
const pieces = Array.from({ length: Math.floor(LARGE / PIECE) }, (_, i) =>
  large.subarray(i * PIECE, (i + 1) * PIECE),
);

for (const engine of ENGINES.filter(isOwnEngine)) {
  describe(`a stalled side of a WebSocket on ${engine}`, () => stallsOn(engine));
}

function stallsOn(engine: EngineName): void {
  const authority = new CertificateAuthority();
  let plain: RawEndpoint;
  let secure: RawEndpoint;
  let rig: WebRig;

  before(async () => {
    const certificate = authority.issue('localhost', ['DNS:localhost', 'IP:127.0.0.1']);
    plain = await RawEndpoint.listen();
    secure = await RawEndpoint.listen(null, {
      cert: readFileSync(certificate.cert),
      key: readFileSync(certificate.key),
    });
    const routes = [
      { match: { path: '/secure' }, cluster: 'secure' },
      { match: {}, cluster: 'plain' },
    ];
    rig = await WebRig.start({
      listeners: { web: { engine, routes, websocket: { maxMessageSize: '1MiB' } } },
      clusters: {
        plain: { endpoints: [plain.address] },
        secure: { endpoints: [secure.address], tls: { ca: authority.file } },
      },
    });
    // The process grows into its working size.
    for (const path of PATHS) {
      const { client, endpoint } = await pair(path);
      endpoint.write(encodeFrame(BINARY, Buffer.alloc(16 * MIB)));
      assert.equal((await client.messages.next()).data.length, 16 * MIB);
      client.socket.terminate();
    }
  });
  after(async () => {
    plain.close();
    secure.close();
    authority.remove();
    await rig.stop();
  });

  function pair(path: (typeof PATHS)[number]): Promise<{ client: WsPeer; endpoint: RawConnection }> {
    return rig.join(path === '/secure' ? secure : plain, { path, maxPayload: 2 * LARGE });
  }

  async function held(direction: 'upstream' | 'downstream'): Promise<number> {
    return (await rig.scrape()).sum('sluice_ws_buffered_bytes', { direction });
  }

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

  /** Nothing waits any more, for nobody. */
  async function empty(): Promise<void> {
    await eventually(async () => {
      assert.deepEqual([await held('upstream'), await held('downstream')], [0, 0]);
    });
  }

  /** Another client of the same worker notices nothing. */
  async function otherGoesOn(): Promise<void> {
    const { client, endpoint } = await pair('/plain');
    endpoint.write(encodeFrame(BINARY, 'still here'));
    assert.equal((await client.messages.next()).data.toString(), 'still here');
    client.socket.send('here too');
    assert.equal((await endpoint.frame()).payload.toString(), 'here too');
    client.socket.terminate();
  }

  for (const path of PATHS) {
    for (const [what, frames, messages] of [
      ['one message of 40 MiB', [encodeFrame(BINARY, large)], [large]],
      ['419 messages', pieces.map((data) => encodeFrame(BINARY, data)), pieces],
    ] as const) {
      it(`gets ${what} whole as a client that reads late (${path})`, async () => {
        const { client, endpoint } = await pair(path);
        const before = residentBytes(rig.sluice.pid);
        client.socket.pause();
        endpoint.write(Buffer.concat(frames));
        const waiting = await stalled(() => endpoint.socket.writableLength);
        assert.ok(waiting > 8 * MIB, `${waiting} bytes wait at the endpoint`);
        const bytes = await held('downstream');
        assert.ok(bytes <= MAX_HELD, `${bytes} bytes are held`);
        const grown = residentBytes(rig.sluice.pid) - before;
        assert.ok(grown < NOISE, `grew by ${grown} bytes`);
        await otherGoesOn();
        client.socket.resume();
        for (const message of messages) assert.ok((await client.messages.next()).data.equals(message));
        client.socket.terminate();
        await empty();
      });
    }

    it(`gets every message as an endpoint that reads late (${path})`, async () => {
      const { client, endpoint } = await pair(path);
      const before = residentBytes(rig.sluice.pid);
      endpoint.socket.pause();
      for (const message of pieces) client.socket.send(message);
      const waiting = await stalled(() => client.socket.bufferedAmount);
      assert.ok(waiting > 8 * MIB, `${waiting} bytes wait at the client`);
      const bytes = await held('upstream');
      assert.ok(bytes <= MAX_HELD, `${bytes} bytes are held`);
      const grown = residentBytes(rig.sluice.pid) - before;
      assert.ok(grown < NOISE, `grew by ${grown} bytes`);
      await otherGoesOn();
      endpoint.socket.resume();
      for (const message of pieces) assert.ok((await endpoint.frame()).payload.equals(message));
      client.socket.terminate();
      await empty();
    });
  }

  for (const [how, last, close] of [
    ['closes', encodeFrame(CLOSE, closeBody(4000, 'done')), { code: 4000, reason: 'done' }],
    ['is lost', Buffer.alloc(0), { code: 1011, reason: 'endpoint lost' }],
  ] as const) {
    it(`gets everything as a client that the endpoint sent before it ${how}`, async () => {
      const { client, endpoint } = await pair('/plain');
      client.socket.pause();
      endpoint.socket.end(Buffer.concat([encodeFrame(BINARY, large), last]));
      await stalled(() => endpoint.socket.writableLength);
      client.socket.resume();
      assert.ok((await client.messages.next()).data.equals(large));
      assert.deepEqual(await client.closed(), close);
      await empty();
    });
  }

  it('holds nothing up as a client that goes away while its endpoint is paused', async () => {
    const { client, endpoint } = await pair('/plain');
    client.socket.pause();
    endpoint.write(encodeFrame(BINARY, large));
    await stalled(() => endpoint.socket.writableLength);
    client.socket.terminate();
    assert.deepEqual((await endpoint.frame()).payload, closeBody(1001));
    endpoint.socket.destroy();
    await empty();
  });
}
