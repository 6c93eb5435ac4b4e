/** Real processes of sluice whose Redis server dies, comes back empty, is added or removed. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../../support/deadline.ts';
import { RedisServer, redisServerMissing } from '../../support/processes/redis-server.ts';
import { startSluice, type SluiceProcess } from '../../support/processes/sluice-process.ts';
import {
  BURST,
  metricOf,
  requestStatus,
  sharedConfig,
  untilCounting,
} from '../../support/rigs/shared-process-rig.ts';

/** Fewer than the burst: one process alone would not refuse so soon. */
const MAX_TRIES = 12;
const TRY_MS = 250;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startServer(): Promise<RedisServer> {
  const server = await RedisServer.start();
  cleanups.push(() => server.kill());
  return server;
}

async function start(config: object): Promise<SluiceProcess> {
  const sluice = await startSluice({ config });
  cleanups.push(() => sluice.stop('SIGKILL'));
  return sluice;
}

/** Makes requests until one is refused. Returns the number of admitted requests. */
async function exhaust(sluice: SluiceProcess, tenant: string): Promise<number> {
  for (let admitted = 0; admitted < 10 * BURST; admitted++)
    if ((await requestStatus(sluice, tenant)) === 429) return admitted;
  throw new Error('nothing was refused');
}

/** Fails unless a process refuses a tenant that has used up its burst in another. */
async function assertShared(one: SluiceProcess, other: SluiceProcess, tenant: string): Promise<void> {
  assert.equal(await requestStatus(other, tenant), 200);
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    await exhaust(one, tenant);
    await pause(TRY_MS);
    if ((await requestStatus(other, tenant)) === 429) return;
  }
  assert.fail('the other process has not heard what was taken');
}

describe('shared limits of real processes', { skip: redisServerMissing() ?? false }, () => {
  it('are shared again when Redis was killed and is back without its data', async () => {
    const server = await startServer();
    const [one, other] = await Promise.all([1, 2].map(() => start(sharedConfig(server.url))));
    for (const sluice of [one!, other!]) await untilCounting(sluice, true);
    await assertShared(one!, other!, 'before');
    await server.kill();
    for (const sluice of [one!, other!]) await untilCounting(sluice, false);
    assert.equal(await requestStatus(other!, 'meanwhile'), 200);
    await server.restart();
    for (const sluice of [one!, other!]) await untilCounting(sluice, true);
    await assertShared(one!, other!, 'afterwards');
  });

  it('refuse with 503 after 2 s without Redis if configured, and admit again when it is back', async () => {
    const server = await startServer();
    const config = sharedConfig(server.url, { redis: { url: server.url, onFailure: 'refuse' } });
    const sluice = await start(config);
    await untilCounting(sluice, true);
    const killedAt = performance.now();
    await server.kill();
    let tenants = 0;
    const next = (): Promise<number> => requestStatus(sluice, `tenant ${tenants++}`);
    await eventually(async () => assert.equal(await next(), 503));
    // The last round before the end may have been one period earlier.
    const passedMs = performance.now() - killedAt;
    assert.ok(passedMs >= 1500, `refused after ${passedMs} ms`);
    await server.restart();
    await eventually(async () => assert.equal(await next(), 200));
  });

  it('start with a reload that adds Redis, and end with a reload that removes it', async () => {
    const server = await startServer();
    const sluice = await start(sharedConfig(null));
    assert.ok(!sluice.logs.some(({ msg }) => msg === 'connected to Redis'));
    await reload(sluice, sharedConfig(server.url));
    await untilCounting(sluice, true);
    assert.ok((await exhaust(sluice, 'acme')) >= BURST);
    await reload(sluice, sharedConfig(null));
    await eventually(async () => assert.equal(await requestStatus(sluice, 'acme'), 200));
    // The connection is closed a moment after the reload.
    await eventually(async () =>
      assert.ok(Number.isNaN(await metricOf(sluice, 'sluice_shared_limits_counting'))),
    );
    await server.kill();
    assert.equal(await requestStatus(sluice, 'acme'), 200);
    assert.ok(!sluice.logs.some(({ msg }) => msg === 'Redis is unreachable'));
  });
});

async function reload(sluice: SluiceProcess, config: object): Promise<void> {
  const from = sluice.logs.length;
  sluice.writeConfig(config);
  sluice.kill('SIGHUP');
  await sluice.waitForLog(({ msg }) => msg === 'configuration reloaded', undefined, from);
}
