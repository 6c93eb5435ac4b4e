import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CertificateAuthority } from '../../support/certificates.ts';
import { eventually } from '../../support/deadline.ts';
import { residentBytes } from '../../support/processes/process-facts.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import type { RawConnection } from '../../support/sockets/raw-connection.ts';
import { MessageHolder, type Manner } from '../../support/websocket/message-holder.ts';
import { CLOSE, closeBody, encodeFrame } from '../../support/websocket/raw-frames.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const BUDGET = 32 * MIB;
const MAX_MESSAGE = 4 * MIB;
/** Max growth of the process for reasons other than held messages. */
const NOISE = 64 * MIB;
const LARGE = 30;
const SMALL = 10;
const SMALL_BYTES = 300 * KIB;
/** Between an echo and the next message of an innocent client. */
const PAUSE_MS = 10;
const MASK = Buffer.alloc(4);

type Leg = 'plain' | 'TLS' | 'compressed';

describe('unfinished messages of clients', { timeout: 300_000 }, () => {
  const authority = new CertificateAuthority();
  let endpoint: WsEndpoint;
  let rig: WebRig;
  const innocents: WsPeer[] = [];
  let echoes = 0;
  /** Whether innocent clients continue. */
  let busy = true;

  before(async () => {
    endpoint = await WsEndpoint.listen();
    void serveEchoes(endpoint);
    const certificate = authority.issue('localhost', ['DNS:localhost', 'IP:127.0.0.1']);
    const websocket = { maxMessageSize: '4MiB' };
    rig = await WebRig.start({
      workers: { l7: 1, bufferBudget: '32MiB' },
      listeners: {
        plain: { engine: 'uws', websocket },
        TLS: { engine: 'uws', websocket, tls: { certificates: [certificate] } },
        compressed: { websocket: { ...websocket, compression: 'shared' } },
      },
      clusters: { echo: { endpoints: [endpoint.address] } },
    });
    // One sends large messages in a row, the others small ones; one sends nothing after its first.
    for (const [leg, bytes] of [
      ['plain', 2 * MIB],
      ['plain', 100],
      ['TLS', 100],
      ['compressed', 1000],
      ['plain', 0],
    ] as const) {
      innocents.push(await innocent(leg, bytes));
    }
  });
  after(async () => {
    busy = false;
    for (const { socket } of innocents) socket.terminate();
    endpoint.close();
    await rig.stop();
    authority.remove();
  });

  async function innocent(leg: Leg, bytes: number): Promise<WsPeer> {
    const url = `${leg === 'TLS' ? 'wss' : 'ws'}://${rig.address(leg)}/`;
    const peer = await WsPeer.connect(url, { ca: authority.pem, perMessageDeflate: leg === 'compressed' });
    const message = Buffer.alloc(Math.max(1, bytes), 'honest ');
    peer.socket.on('message', () => {
      echoes++;
      if (busy && bytes > 0) setTimeout(() => peer.socket.send(message), PAUSE_MS);
    });
    peer.socket.send(message);
    return peer;
  }

  /** That the innocents live and get answers. */
  async function assertUnhurt(): Promise<void> {
    const before = echoes;
    await eventually(() => assert.ok(echoes > before + 20));
    for (const { socket } of innocents) assert.equal(socket.readyState, socket.OPEN);
  }

  async function shed(): Promise<number> {
    return (await rig.scrape()).sum('sluice_ws_sessions_shed_total', { reason: 'unfinished' });
  }

  async function unfinished(): Promise<number> {
    return (await rig.scrape()).sum('sluice_ws_unfinished_bytes');
  }

  /** The highest memory of the process, above what it is now, until the function that this returns is called. */
  function watchMemory(): () => number {
    const base = residentBytes(rig.sluice.pid);
    let highest = base;
    const timer = setInterval(() => (highest = Math.max(highest, residentBytes(rig.sluice.pid))), 20);
    return () => {
      clearInterval(timer);
      return highest - base;
    };
  }

  for (const [leg, manner] of [
    ['plain', 'fragments'],
    ['plain', 'one frame'],
    ['TLS', 'fragments'],
    ['TLS', 'one frame'],
    ['compressed', 'fragments'],
  ] as const satisfies readonly (readonly [Leg, Manner])[]) {
    it(`are cut largest first when they fill the budget (${leg}, ${manner})`, async (t) => {
      const before = await shed();
      const growth = watchMemory();
      const ca = leg === 'TLS' ? authority.pem : null;
      const join = (bytes: number): Promise<MessageHolder> =>
        MessageHolder.join(rig.address(leg), bytes, manner, ca);
      const small = await Promise.all(Array.from({ length: SMALL }, () => join(SMALL_BYTES)));
      const large = await Promise.all(Array.from({ length: LARGE }, () => join(MAX_MESSAGE)));
      const all = [...small, ...large];
      try {
        for (const holder of all) holder.hold();
        await eventually(async () => {
          const open = large.filter(({ isOpen }) => isOpen).length;
          assert.ok(open * MAX_MESSAGE <= BUDGET, `${open} large ones live`);
          const held = await unfinished();
          assert.ok(held >= SMALL * (SMALL_BYTES - 1) && held <= BUDGET, `${held} bytes are held`);
          assert.equal((await shed()) - before, LARGE - open);
        });
        const grown = growth();
        t.diagnostic(`grew by ${(grown / MIB).toFixed(1)} MiB`);
        assert.ok(grown <= BUDGET + NOISE, `grew by ${grown} bytes`);
        await assertUnhurt();
        // A client that holds little is served when it continues.
        for (const holder of small) {
          assert.ok(holder.isOpen);
          holder.finish();
          assert.equal(await messageSize(holder.connection), SMALL_BYTES);
        }
      } finally {
        growth();
        for (const { connection } of all) connection.destroy();
      }
      await eventually(async () => assert.ok((await unfinished()) < BUDGET / 4));
      await rig.sluice.waitForLog(({ reason }) => reason === 'unfinished message');
    });
  }

  it('do not stay behind when their clients send a close frame and keep the connection', async () => {
    const growth = watchMemory();
    const holders: MessageHolder[] = [];
    try {
      // Each round fits into the budget by itself.
      for (let round = 0; round < 20; round++) {
        const some = await Promise.all(
          Array.from({ length: 5 }, () => MessageHolder.join(rig.address('plain'), MAX_MESSAGE, 'fragments')),
        );
        holders.push(...some);
        // Otherwise Node closes the connection on the proxy's FIN.
        for (const { connection } of some) connection.socket.allowHalfOpen = true;
        for (const holder of some) holder.hold();
        for (const { connection } of some) {
          connection.write(encodeFrame(CLOSE, closeBody(1000), { mask: MASK }));
        }
        await Promise.all(some.map(({ connection }) => connection.closed));
      }
      assert.ok(growth() <= BUDGET + NOISE, `grew by ${growth()} bytes`);
      await assertUnhurt();
    } finally {
      for (const { connection } of holders) connection.destroy();
    }
  });

  it('leave no memory behind after they are complete', async () => {
    const growth = watchMemory();
    const idle: WsPeer[] = [];
    try {
      for (let count = 0; count < 30; count++) {
        const peer = await WsPeer.connect(`ws://${rig.address('plain')}/`);
        idle.push(peer);
        peer.socket.send(Buffer.alloc(MAX_MESSAGE));
        await peer.messages.next();
      }
      await assertUnhurt();
      assert.ok(growth() <= BUDGET + NOISE, `grew by ${growth()} bytes`);
      for (const { socket } of idle) assert.equal(socket.readyState, socket.OPEN);
    } finally {
      for (const { socket } of idle) socket.terminate();
    }
  });
});

async function serveEchoes(endpoint: WsEndpoint): Promise<void> {
  for (;;) {
    const session = await endpoint.session().catch(() => null);
    if (session === null) return;
    session.socket.on('message', (data: Buffer) => session.socket.send(data));
  }
}

/** Payload bytes of the next message, which may come in fragments. */
async function messageSize(connection: RawConnection): Promise<number> {
  for (let bytes = 0; ;) {
    const { payload, fin } = await connection.frame();
    bytes += payload.length;
    if (fin) return bytes;
  }
}
