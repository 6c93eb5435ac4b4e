/** Two processes of sluice under one limit, with a real Redis server. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../support/deadline.ts';
import { RedisServer, redisServerMissing } from '../support/processes/redis-server.ts';
import { startSluice, type SluiceProcess } from '../support/processes/sluice-process.ts';

const LIMIT = { name: 'tenant', key: { header: 'x-tenant' }, requests: '100/s', burst: 100, shared: true };

function configOf(url: string): object {
  return {
    admin: { address: '127.0.0.1:0' },
    workers: { l7: 1 },
    log: { format: 'json' },
    redis: { url },
    listeners: [
      {
        name: 'web',
        mode: 'l7',
        address: '127.0.0.1:0',
        limits: [LIMIT],
        routes: [{ match: { pathPrefix: '/' }, respond: { status: 200, body: 'ok' } }],
      },
    ],
  };
}

/** Makes requests at a steady pace. Returns how many were answered with 200. */
async function load(sluice: SluiceProcess, perSecond: number, ms: number): Promise<number> {
  const url = `http://${sluice.address('web')}/`;
  const startedAt = performance.now();
  const answers: Promise<number>[] = [];
  for (let passed = 0; passed < ms;) {
    await new Promise((settle) => setTimeout(settle, 5));
    passed = Math.min(performance.now() - startedAt, ms);
    while (answers.length < (passed * perSecond) / 1000) {
      answers.push(
        fetch(url, { headers: { 'x-tenant': 'acme' } }).then(async (response) => {
          await response.arrayBuffer();
          return response.status;
        }),
      );
    }
  }
  const statuses = await Promise.all(answers);
  assert.ok(statuses.every((status) => status === 200 || status === 429));
  return statuses.filter((status) => status === 200).length;
}

describe('two processes under one limit', { skip: redisServerMissing() ?? false }, () => {
  let redis: RedisServer;
  let processes: SluiceProcess[] = [];

  before(async () => {
    redis = await RedisServer.start();
    processes = await Promise.all([1, 2].map(() => startSluice({ config: configOf(redis.url) })));
    for (const { admin } of processes)
      await eventually(async () => assert.equal(await countingOf(admin), '1'));
  });

  after(async () => {
    for (const sluice of processes) await sluice.stop('SIGKILL');
    await redis.kill();
  });

  it('admit 100 requests a second together, within a tenth over 10 s', async (t) => {
    const startedAt = performance.now();
    const [one, other] = await Promise.all(processes.map((sluice) => load(sluice, 100, 10_000)));
    // On a busy machine the answers take longer.
    const wanted = 100 + (performance.now() - startedAt) / 10;
    t.diagnostic(`admitted: ${one!} + ${other!}`);
    const together = one! + other!;
    assert.ok(Math.abs(together - wanted) <= wanted / 10, `${together} were admitted, not ${wanted}`);
  });

  it('continue separately when Redis dies', async () => {
    await redis.kill();
    for (const { admin } of processes)
      await eventually(async () => assert.equal(await countingOf(admin), '0'));
    assert.ok((await load(processes[0]!, 50, 1000)) >= 40);
    assert.ok(processes[0]!.logs.some(({ msg }) => msg === 'Redis is unreachable'));
  });
});

async function countingOf(admin: string): Promise<string | undefined> {
  const text = await (await fetch(`http://${admin}/metrics`)).text();
  return /^sluice_shared_limits_counting (\d)$/m.exec(text)?.[1];
}
