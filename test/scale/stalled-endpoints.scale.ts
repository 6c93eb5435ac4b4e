/** Clients that send compressed messages to an endpoint that does not read. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { constants, deflateRawSync } from 'node:zlib';
import { residentBytes } from '../support/processes/process-facts.ts';
import { WebRig } from '../support/rigs/web-rig.ts';
import { RawConnection, switchingProtocols, upgradeRequest } from '../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../support/sockets/raw-endpoint.ts';
import { BINARY, encodeFrame } from '../support/websocket/raw-frames.ts';

const MIB = 1024 * 1024;
const BUDGET = 32 * MIB;
/** Growth of the process that other reasons may cause. */
const NOISE = 64 * MIB;
const MESSAGE_BYTES = 16_000_000;
/** uWS inflates into one string per worker, which grows by doubling: a message and the half of it before. */
const INFLATION = 24 * MIB;
const ROUNDS = 3;
const MASK = Buffer.alloc(4);
/** The message is compressed. */
const RSV1 = 4;
const OFFER = 'Sec-WebSocket-Extensions: permessage-deflate';

/** A message of zeros, deflated to 15.5 KB (RFC 7692 section 7.2.1). */
function compressed(): Buffer {
  const deflated = deflateRawSync(Buffer.alloc(MESSAGE_BYTES), { finishFlush: constants.Z_SYNC_FLUSH });
  return encodeFrame(BINARY, deflated.subarray(0, -4), { reserved: RSV1, mask: MASK });
}

for (const [workers, clients] of [
  [1, 40],
  [2, 40],
  [4, 60],
] as const) {
  describe(`messages that inflate to 16 MB in ${workers} workers, for an endpoint that does not read`, () => {
    it('grow the process by little more than the budget', async (t) => {
      const endpoint = await RawEndpoint.listen(async (connection) => {
        const head = await connection.head();
        connection.socket.pause();
        connection.write(switchingProtocols(head));
      });
      const rig = await WebRig.start({
        workers: { l7: workers, bufferBudget: BUDGET },
        log: { access: false },
        listeners: { web: { websocket: { compression: 'shared' } } },
        clusters: { stalled: { endpoints: [endpoint.address] } },
      });
      const frame = compressed();
      const open: RawConnection[] = [];
      const base = residentBytes(rig.sluice.pid);
      let highest = base;
      const watch = setInterval(() => (highest = Math.max(highest, residentBytes(rig.sluice.pid))), 5);
      try {
        for (let round = 0; round < ROUNDS; round++) {
          for (let count = 0; count < clients; count++) {
            const client = await RawConnection.connect(rig.address('web'));
            open.push(client);
            client.write(upgradeRequest('app.example', [OFFER]));
            await client.head();
          }
          for (const client of open) client.write(Buffer.concat([frame, frame]));
          await pause(2000);
          for (const client of open.splice(0)) client.destroy();
        }
        const grown = highest - base;
        const metrics = await rig.scrape();
        const shed = metrics.sum('sluice_ws_sessions_shed_total', { reason: 'upstream' });
        const overflows = metrics.sum('sluice_ws_buffer_overflows_total', { direction: 'upstream' });
        t.diagnostic(
          `grew by ${(grown / MIB).toFixed(1)} MiB, ${shed} sessions shed, ${overflows} overflows`,
        );
        assert.ok(shed + overflows > 0, 'nothing waited');
        assert.ok(grown <= BUDGET + Math.max(NOISE, workers * INFLATION), `grew by ${grown} bytes`);
      } finally {
        clearInterval(watch);
        for (const client of open) client.destroy();
        await rig.stop();
        endpoint.close();
      }
    });
  });
}
