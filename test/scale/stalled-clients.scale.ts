/** 1,000 clients that read nothing of what a fast publisher sends them, beside some that echo. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../support/deadline.ts';
import { ENGINES } from '../support/engines.ts';
import { EchoProcess, drive } from '../support/processes/load.ts';
import { residentBytes } from '../support/processes/process-facts.ts';
import { WebRig } from '../support/rigs/web-rig.ts';
import { RawConnection, switchingProtocols, upgradeRequest } from '../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../support/sockets/raw-endpoint.ts';
import { BINARY, encodeFrame } from '../support/websocket/raw-frames.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const STALLED = 1000;
const AT_ONCE = 50;
/** Bytes that the proxy takes from an endpoint at once. */
const READ_SIZE = 256 * KIB;
/** Max growth of the process for other reasons, such as the objects of sessions. */
const NOISE = 48 * MIB;
/** Of process memory for a client of raw that reads nothing, all of its session included. */
const MAX_STALLED_BYTES = 80_000;
/** The room of uWS's buffers, which double as they grow, for each byte in them. */
const ROOM = 2;
const FRAME = encodeFrame(BINARY, Buffer.alloc(60 * KIB, 'published '));
/** 1,000 messages a second over 50 connections, however slow the answers are. */
const ECHOES = ['-c', '50', '-R', '1000', '-w', '1', '--warmup', '1s'];
const UNHURT = { factor: 4, ms: 10 };

/** What holds the bytes back is another thing in each. */
const CASES = (
  [
    { engine: 'raw', what: 'one read', downstreamBuffer: 128 * KIB, bufferBudget: 1024 * MIB },
    { engine: 'uws', what: 'each session alone', downstreamBuffer: 128 * KIB, bufferBudget: 1024 * MIB },
    { engine: 'uws', what: 'the budget of the worker', downstreamBuffer: 256 * KIB, bufferBudget: 96 * MIB },
  ] as const
).filter(({ engine }) => ENGINES.includes(engine));

describe(`${STALLED} stalled clients`, { concurrency: false }, () => {
  let publisher: RawEndpoint;
  let echo: EchoProcess;

  before(async () => {
    echo = await EchoProcess.start();
    publisher = await RawEndpoint.listen(async (connection) => {
      connection.write(switchingProtocols(await connection.head()));
      const publish = (): void => {
        while (!connection.socket.destroyed && connection.socket.writableLength < 2 * FRAME.length) {
          connection.socket.write(FRAME);
        }
      };
      connection.socket.on('drain', publish);
      publish();
      await connection.closed;
    });
  });
  after(() => {
    publisher.close();
    echo.stop();
  });

  for (const { engine, what, downstreamBuffer, bufferBudget } of CASES) {
    it(`hold no more than ${what} allows, and hurt nobody: ${engine}`, async (t) => {
      const rig = await WebRig.start({
        workers: { l7: 1, bufferBudget },
        log: { access: false },
        listeners: {
          web: {
            engine,
            ...(engine === 'uws' && { websocket: { downstreamBuffer } }),
            routes: [
              { match: { path: '/published' }, cluster: 'publisher' },
              { match: {}, cluster: 'echo' },
            ],
          },
        },
        clusters: {
          echo: { endpoints: [echo.address] },
          publisher: { endpoints: [publisher.address] },
        },
      });
      const clients: RawConnection[] = [];
      let watch: NodeJS.Timeout | undefined;
      try {
        const url = `ws://${rig.address('web')}/`;
        const alone = await drive(url, [...ECHOES, '-d', '8s'], 60_000);
        const memory = residentBytes(rig.sluice.pid);
        let highest = memory;
        let held = 0;
        watch = setInterval(() => {
          highest = Math.max(highest, residentBytes(rig.sluice.pid));
          rig.scrape().then(
            (metrics) => {
              held = Math.max(held, metrics.sum('sluice_ws_buffered_bytes', { direction: 'downstream' }));
            },
            // The process ends before the last answers if the test has failed.
            () => undefined,
          );
        }, 100);
        const filling = drive(url, [...ECHOES, '-d', '10s'], 120_000);
        while (clients.length < STALLED) {
          clients.push(
            ...(await Promise.all(Array.from({ length: AT_ONCE }, () => stall(rig.address('web'))))),
          );
        }
        // Everybody is paused, or shed.
        await eventually(async () => {
          const metrics = await rig.scrape();
          const active = metrics.sum('sluice_ws_sessions_active', { cluster: 'publisher' });
          assert.ok(metrics.sum('sluice_ws_paused_total', { direction: 'downstream' }) >= active);
        });
        const filled = await filling;
        const hurt = await drive(url, [...ECHOES, '-d', '8s'], 60_000);
        clearInterval(watch);
        const metrics = await rig.scrape();
        const shed = metrics.sum('sluice_ws_closes_total', {
          cluster: 'publisher',
          side: 'proxy',
          code: '1013',
        });
        const bound = Math.min(STALLED * (downstreamBuffer + READ_SIZE), bufferBudget);
        t.diagnostic(
          `bound ${bound / MIB} MiB: ${(held / MIB).toFixed(1)} MiB held at most, the process grew by ` +
            `${((highest - memory) / MIB).toFixed(1)} MiB, ${shed} sessions shed`,
        );
        t.diagnostic(
          `echoes alone: p50 ${alone.latency.p50} ms, p99 ${alone.latency.p99} ms; ` +
            `while they come: p50 ${filled.latency.p50} ms, p99 ${filled.latency.p99} ms; ` +
            `beside the stalled: p50 ${hurt.latency.p50} ms, p99 ${hurt.latency.p99} ms`,
        );
        assert.ok(held > 0 && held <= bound, `${held} bytes were held`);
        const most = engine === 'raw' ? STALLED * MAX_STALLED_BYTES : ROOM * bound + NOISE;
        assert.ok(highest - memory <= most, `grew by ${highest - memory} bytes`);
        assert.equal(shed > 0, bound === bufferBudget);
        assert.deepEqual(
          [alone, filled, hurt].map(({ errors }) => errors.total),
          [0, 0, 0],
        );
        const slowest = Math.max(UNHURT.factor * alone.latency.p99, UNHURT.ms);
        assert.ok(hurt.latency.p99 <= slowest, `p99 of ${hurt.latency.p99} ms`);
      } finally {
        clearInterval(watch);
        for (const client of clients) client.destroy();
        publisher.clear();
        await rig.stop();
      }
    });
  }
});

/** A client that subscribes to published messages, and reads nothing. */
async function stall(address: string): Promise<RawConnection> {
  const client = await RawConnection.connect(address);
  client.write(upgradeRequest('app.example', [], '/published'));
  await client.head();
  client.socket.pause();
  return client;
}
