/**
 * Floods of pings from clients and endpoints that read nothing. uWebSockets.js answers pings itself: memory stays within the
 * buffer budget. Our own engines pass pings and pongs on: the flood is stopped by backpressure, and no session is lost.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { eventually } from '../support/deadline.ts';
import { SCALE_ENGINES, isOwnEngine } from '../support/engines.ts';
import { residentBytes } from '../support/processes/process-facts.ts';
import { WebRig } from '../support/rigs/web-rig.ts';
import type { RawConnection } from '../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../support/sockets/raw-endpoint.ts';
import { PING, PONG, encodeFrame } from '../support/websocket/raw-frames.ts';

const MIB = 1024 ** 2;
const BUDGET = 32 * MIB;
/** Max growth of the process beyond its budget. */
const MAX_EXCESS_BYTES = 64 * MIB;
const FLOODERS = 20;
/** Bytes of pings that each flooder sends, unless it is cut before. */
const FLOOD_BYTES = 40 * MIB;
/** A flooder that has written nothing for so long is held up by the proxy. */
const STALLED_MS = 5000;
const MASK = Buffer.from([1, 2, 3, 4]);

/** Writes pings until enough has been taken, nothing is taken any more, or the connection is gone. */
async function flood({ socket, closed }: RawConnection, pings: Buffer): Promise<void> {
  socket.pause();
  for (let sent = 0; sent < FLOOD_BYTES && !socket.destroyed; sent += pings.length) {
    if (socket.write(pings)) continue;
    let stalled = setTimeout(() => undefined);
    const outcome = await Promise.race([
      new Promise((settle) => socket.once('drain', settle)),
      closed,
      new Promise((settle) => (stalled = setTimeout(settle, STALLED_MS, 'stalled'))),
    ]);
    clearTimeout(stalled);
    if (outcome === 'stalled') return;
  }
}

/** Answers each ping of a flood with a pong, and reads no more while a pong waits. */
function answer({ socket }: RawConnection, ping: number, pong: Buffer): void {
  socket.removeAllListeners('data');
  let unanswered = 0;
  socket.on('data', (bytes: Buffer) => {
    unanswered += bytes.length;
    const count = Math.floor(unanswered / ping);
    unanswered -= count * ping;
    if (socket.write(Buffer.concat(Array.from({ length: count }, () => pong)))) return;
    socket.pause();
    socket.once('drain', () => socket.resume());
  });
}

function frame(opcode: number, from: Side): Buffer {
  return encodeFrame(opcode, Buffer.alloc(125), from === 'clients' ? { mask: MASK } : {});
}

type Side = 'clients' | 'endpoints';

for (const engine of SCALE_ENGINES) {
  describe(`a flood of pings through ${engine}`, { timeout: 400_000, concurrency: false }, () => {
    let endpoint: RawEndpoint;
    let rig: WebRig;

    // A new process for each flood: memory left by one would serve the next.
    beforeEach(async () => {
      endpoint = await RawEndpoint.listen();
      rig = await WebRig.start({
        workers: { l7: 1, bufferBudget: BUDGET },
        log: { access: false },
        listeners: { web: { engine } },
        clusters: { app: { endpoints: [endpoint.address] } },
      });
    });
    afterEach(async () => {
      endpoint.close();
      await rig.stop();
    });

    for (const side of ['clients', 'endpoints'] as const) {
      it(`of ${FLOODERS} ${side} that read nothing stays within the buffer budget`, async (t) => {
        const pairs: Awaited<ReturnType<typeof rig.joinRaw<RawConnection>>>[] = [];
        for (let count = 0; count < FLOODERS; count++) pairs.push(await rig.joinRaw(endpoint));
        const before = residentBytes(rig.sluice.pid);
        let highest = before;
        const watch = setInterval(() => {
          highest = Math.max(highest, residentBytes(rig.sluice.pid));
        }, 20);
        const ping = frame(PING, side);
        const bytes = Buffer.concat(Array.from({ length: 2000 }, () => ping));
        const pong = frame(PONG, side === 'clients' ? 'endpoints' : 'clients');
        const victims = pairs.map((pair) => (side === 'clients' ? pair.endpoint : pair.client));
        if (isOwnEngine(engine)) for (const victim of victims) answer(victim, ping.length, pong);
        const flooders = pairs.map((pair) => (side === 'clients' ? pair.client : pair.endpoint));
        try {
          await Promise.all(flooders.map((connection) => flood(connection, bytes)));
        } finally {
          clearInterval(watch);
        }
        t.diagnostic(`grew by ${((highest - before) / MIB).toFixed(1)} MiB`);
        if (isOwnEngine(engine)) {
          const crossed = victims.map(({ socket }) => socket.bytesRead);
          t.diagnostic(`${Math.min(...crossed)} to ${Math.max(...crossed)} bytes crossed`);
          assert.ok(Math.min(...crossed) > bytes.length, 'a flood has not come through');
        }
        const most = isOwnEngine(engine) ? MAX_EXCESS_BYTES / 2 : BUDGET + MAX_EXCESS_BYTES;
        assert.ok(highest - before < most, `grew by ${highest - before} bytes`);
        // Pongs of uWebSockets.js to endpoints coalesce, so that no session is lost for them.
        const live = side === 'clients' && !isOwnEngine(engine) ? 0 : FLOODERS;
        assert.equal((await rig.scrape()).sum('sluice_ws_sessions_active'), live);
        for (const { client } of pairs) client.destroy();
        endpoint.clear();
        await eventually(async () => {
          assert.equal((await rig.scrape()).sum('sluice_ws_buffered_bytes'), 0);
        });
      });
    }
  });
}
