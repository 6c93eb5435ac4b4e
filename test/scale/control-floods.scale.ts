/** Floods of pings from clients and endpoints that read nothing: memory stays within the buffer budget. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { eventually } from '../support/deadline.ts';
import { residentBytes } from '../support/processes/process-facts.ts';
import { WebRig } from '../support/rigs/web-rig.ts';
import type { RawConnection } from '../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../support/sockets/raw-endpoint.ts';
import { PING, encodeFrame } from '../support/websocket/raw-frames.ts';

const MIB = 1024 ** 2;
const BUDGET = 32 * MIB;
/** What the process may grow by beside its budget. */
const MAX_EXCESS_BYTES = 64 * MIB;
const FLOODERS = 20;
/** Bytes of pings that each flooder sends, unless it is cut before. */
const FLOOD_BYTES = 40 * MIB;
const MASK = Buffer.from([1, 2, 3, 4]);

/** Writes pings until enough has been taken or the connection is gone. */
async function flood({ socket, closed }: RawConnection, pings: Buffer): Promise<void> {
  socket.pause();
  for (let sent = 0; sent < FLOOD_BYTES && !socket.destroyed; sent += pings.length) {
    if (socket.write(pings)) continue;
    await Promise.race([new Promise((settle) => socket.once('drain', settle)), closed]);
  }
}

function pings(mask?: Buffer): Buffer {
  const options = mask === undefined ? {} : { mask };
  return Buffer.concat(Array.from({ length: 2000 }, () => encodeFrame(PING, Buffer.alloc(125), options)));
}

describe('a flood of pings', { timeout: 400_000, concurrency: false }, () => {
  let endpoint: RawEndpoint;
  let rig: WebRig;

  // A process of its own for each: memory that one flood has left would serve the next.
  beforeEach(async () => {
    endpoint = await RawEndpoint.listen();
    rig = await WebRig.start({
      workers: { l7: 1, bufferBudget: BUDGET },
      log: { access: false },
      listeners: { web: {} },
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
      const bytes = pings(side === 'clients' ? MASK : undefined);
      const flooders = pairs.map((pair) => (side === 'clients' ? pair.client : pair.endpoint));
      try {
        await Promise.all(flooders.map((connection) => flood(connection, bytes)));
      } finally {
        clearInterval(watch);
      }
      t.diagnostic(`grew by ${((highest - before) / MIB).toFixed(1)} MiB`);
      assert.ok(highest - before < BUDGET + MAX_EXCESS_BYTES, `grew by ${highest - before} bytes`);
      // Pongs to endpoints coalesce, so that no session is lost for them.
      const live = side === 'clients' ? 0 : FLOODERS;
      assert.equal((await rig.scrape()).sum('sluice_ws_sessions_active'), live);
      for (const { client } of pairs) client.destroy();
      endpoint.clear();
      await eventually(async () => {
        assert.equal((await rig.scrape()).sum('sluice_ws_buffered_bytes'), 0);
      });
    });
  }
});
