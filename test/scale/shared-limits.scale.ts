/** Limits that several processes share, with a real Redis server. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { eventually } from '../support/deadline.ts';
import { RedisServer, redisServerMissing } from '../support/processes/redis-server.ts';
import { load, SHARED_LIMIT, Sharer } from '../support/rigs/shared-limit-rig.ts';

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startServer(): Promise<RedisServer> {
  const server = await RedisServer.start();
  cleanups.push(() => server.kill());
  return server;
}

async function startSharers(url: string, ...args: SharerSettings): Promise<[Sharer, Sharer]> {
  const [settings = SHARED_LIMIT, onFailure] = args;
  const sharers: [Sharer, Sharer] = [
    new Sharer(url, settings, onFailure),
    new Sharer(url, settings, onFailure),
  ];
  for (const sharer of sharers) cleanups.push(() => sharer.stop());
  for (const sharer of sharers) await sharer.counting();
  return sharers;
}
type SharerSettings = [settings?: typeof SHARED_LIMIT, onFailure?: 'local' | 'refuse'];

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Whether a count is within a tenth of a limit's. */
function assertNear(count: number, wanted: number): void {
  assert.ok(Math.abs(count - wanted) <= wanted / 10, `${count} were admitted, not ${wanted}`);
}

describe('shared limits', { skip: redisServerMissing() ?? false }, () => {
  for (const [name, first, second] of [
    ['even', 200, 200],
    ['uneven', 290, 10],
    ['one-sided', 300, 0],
  ] as const) {
    it(`admit as many as one process would, within a tenth over 10 s, under ${name} load`, async (t) => {
      const { url } = await startServer();
      const [one, other] = await startSharers(url);
      const admitted = await load(
        [
          { sharer: one, perSecond: first },
          { sharer: other, perSecond: second },
        ],
        10_000,
      );
      t.diagnostic(`admitted: ${admitted.join(' + ')}`);
      assertNear(sum(admitted), 1010);
    });
  }

  it('count 1,000 keys apart', async (t) => {
    const { url } = await startServer();
    const settings = { ...SHARED_LIMIT, requests: { perSecond: 1, burst: 2 } };
    const [one, other] = await startSharers(url, settings);
    const keyOf = (number: number): string => `key ${number % 1000}`;
    const admitted = await load(
      [
        { sharer: one, perSecond: 1500 },
        { sharer: other, perSecond: 1500 },
      ],
      10_000,
      keyOf,
    );
    t.diagnostic(`admitted: ${admitted.join(' + ')}`);
    assertNear(sum(admitted), 12_000);
  });

  it('refuse nobody while all processes together stay below', async () => {
    const { url } = await startServer();
    const [one, other] = await startSharers(url);
    const admitted = await load(
      [
        { sharer: one, perSecond: 55 },
        { sharer: other, perSecond: 35 },
      ],
      5000,
    );
    assert.ok(sum(admitted) >= 445, `${sum(admitted)} of 450 were admitted`);
  });

  it('count connections of all processes, and release the connections of a dead process', async () => {
    const { url } = await startServer();
    const settings = { ...SHARED_LIMIT, requests: null, connections: 10 };
    const [one, other] = await startSharers(url, settings);
    const held = Array.from({ length: 7 }, () => one.connect('a'));
    assert.ok(held.every((close) => close !== null));
    // A key that the other process does not have yet is asked for with its first connection.
    const first = other.connect('a');
    assert.notEqual(first, null);
    await eventually(() => assert.equal(fill(other, 'a'), 2));
    held[0]!();
    await eventually(() => assert.equal(fill(other, 'a'), 3));
    // It says nothing any more.
    one.link.stop();
    await eventually(() => assert.equal(fill(other, 'a'), 9));
  });

  it('count in each process alone without Redis, and together again afterwards', async () => {
    const server = await startServer();
    const [one, other] = await startSharers(server.url);
    await server.kill();
    await eventually(() => assert.equal(one.shared.isCounting || other.shared.isCounting, false));
    const both = [
      { sharer: one, perSecond: 200 },
      { sharer: other, perSecond: 200 },
    ];
    const alone = await load(both, 3000);
    assertNear(sum(alone), 620);
    await server.restart();
    await one.counting();
    await other.counting();
    const together = await load(both, 5000);
    assertNear(sum(together), 500);
  });

  it('refuse with 503 when Redis has been away for 2 s, if they shall', async () => {
    const server = await startServer();
    const [one] = await startSharers(server.url, SHARED_LIMIT, 'refuse');
    assert.equal(one.request('a'), null);
    server.pause();
    await eventually(() => assert.equal(one.request('a'), 503));
    server.resume();
    await eventually(() => assert.equal(one.request('b'), null));
  });
});

/** Opens connections until one is refused, then closes them. Returns the number of admitted connections. */
function fill(sharer: Sharer, key: string): number {
  const held: (() => void)[] = [];
  for (let next = sharer.connect(key); next !== null; next = sharer.connect(key)) held.push(next);
  for (const close of held) close();
  return held.length;
}
