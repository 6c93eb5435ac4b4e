/** A Redis server that is 300 ms away: no request waits for it, and limits hold. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { eventually } from '../support/deadline.ts';
import { RedisServer, redisServerMissing } from '../support/processes/redis-server.ts';
import { startSluice } from '../support/processes/sluice-process.ts';
import { load, SHARED_LIMIT, Sharer } from '../support/rigs/shared-limit-rig.ts';
import { metricOf, sharedConfig, untilCounting } from '../support/rigs/shared-process-rig.ts';
import { SlowLink } from '../support/sockets/slow-link.ts';

const DELAY_MS = 300;
const REQUESTS = 30;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Starts a server. Returns the URL of the long way to it. */
async function startServer(): Promise<string> {
  const server = await RedisServer.start();
  cleanups.push(() => server.kill());
  const link = await SlowLink.listen(server.port, DELAY_MS);
  cleanups.push(() => link.close());
  return `redis://127.0.0.1:${link.port}`;
}

describe('a slow Redis', { skip: redisServerMissing() ?? false }, () => {
  it('makes no request wait', async (t) => {
    const sluice = await startSluice({ config: sharedConfig(await startServer()) });
    cleanups.push(() => sluice.stop('SIGKILL'));
    await untilCounting(sluice, true);
    const times: number[] = [];
    for (let count = 0; count < REQUESTS; count++) {
      const startedAt = performance.now();
      // Each key is new, so that its first request would have to wait.
      const response = await fetch(`http://${sluice.address('web')}/`, {
        headers: { 'x-tenant': `tenant ${count}` },
      });
      await response.arrayBuffer();
      assert.equal(response.status, 200);
      times.push(performance.now() - startedAt);
    }
    const median = times.toSorted((a, b) => a - b)[REQUESTS / 2]!;
    t.diagnostic(`median: ${median.toFixed(1)} ms`);
    assert.ok(median < DELAY_MS, `half of the requests took ${median} ms and more`);
    await eventually(async () => {
      const seconds = await metricOf(sluice, 'sluice_redis_round_duration_seconds');
      assert.ok(seconds >= (2 * DELAY_MS) / 1000, `the last round took ${seconds} s`);
    });
  });

  it('keeps a limit of two processes within 15% over 8 s', async (t) => {
    const url = await startServer();
    const sharers = [new Sharer(url, SHARED_LIMIT), new Sharer(url, SHARED_LIMIT)];
    for (const sharer of sharers) cleanups.push(() => sharer.stop());
    for (const sharer of sharers) await sharer.counting();
    const admitted = await load(
      sharers.map((sharer) => ({ sharer, perSecond: 200 })),
      8000,
    );
    t.diagnostic(`admitted: ${admitted.join(' + ')}`);
    const together = admitted[0]! + admitted[1]!;
    assert.ok(Math.abs(together - 810) <= 121, `${together} were admitted, not 810`);
  });
});
