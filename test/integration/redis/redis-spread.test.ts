/** What reaches another process through Redis: revocations, their end, and the end of a process that held connections. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { RedisServer, redisServerMissing } from '../../support/processes/redis-server.ts';
import { startSluice, type SluiceProcess } from '../../support/processes/sluice-process.ts';
import { sharedConfig, untilCounting } from '../../support/rigs/shared-process-rig.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

const TOKEN = 'a-token-for-tests-only';
const MAX_CONNECTIONS = 5;
const LIMIT = {
  name: 'places',
  key: { header: 'x-tenant' },
  connections: MAX_CONNECTIONS,
  shared: true,
};

describe('two processes with one Redis', { skip: redisServerMissing() ?? false }, () => {
  let redis: RedisServer;
  let endpoint: WsEndpoint;
  let one: SluiceProcess;
  let other: SluiceProcess;
  const clients: WsPeer[] = [];

  before(async () => {
    redis = await RedisServer.start();
    endpoint = await WsEndpoint.listen();
    const config = sharedConfig(redis.url, {
      admin: { address: '127.0.0.1:0', token: TOKEN },
      listeners: [
        {
          name: 'web',
          mode: 'l7',
          address: '127.0.0.1:0',
          limits: [LIMIT],
          routes: [{ match: {}, cluster: 'app' }],
        },
      ],
      clusters: [{ name: 'app', endpoints: [{ address: endpoint.address }] }],
    });
    [one, other] = (await Promise.all([1, 2].map(() => startSluice({ config })))) as [
      SluiceProcess,
      SluiceProcess,
    ];
    for (const sluice of [one, other]) await untilCounting(sluice, true);
  });

  after(async () => {
    for (const { socket } of clients) socket.terminate();
    for (const sluice of [one, other]) await sluice.stop('SIGKILL');
    endpoint.close();
    await redis.kill();
  });

  /** Opens a WebSocket of the tenant. Rejects if it is refused. */
  async function join(sluice: SluiceProcess): Promise<WsPeer> {
    const client = await WsPeer.connect(`ws://${sluice.address('web')}/`, {
      headers: { 'x-tenant': 'acme' },
    });
    clients.push(client);
    return client;
  }

  it('revoke in both, and admit again in both', async () => {
    await revoke(one, 'POST', 'basic:alice');
    await eventually(async () => assert.deepEqual(await revokedIn(other), ['basic:alice']));
    await revoke(other, 'DELETE', 'basic:alice');
    await eventually(async () => assert.deepEqual(await revokedIn(one), []));
  });

  it('counts connections of both, until the lease of a killed process ends', async () => {
    for (let count = 0; count < MAX_CONNECTIONS - 1; count++) await join(one);
    await join(other);
    // The other process asks for a key with its first connection, and learns of the places that are taken.
    await eventually(async () => {
      const extra = await join(other).catch(() => null);
      extra?.socket.terminate();
      assert.equal(extra, null);
    });
    await one.stop('SIGKILL');
    const killedAt = performance.now();
    for (let count = 0; count < MAX_CONNECTIONS - 1; count++) await eventually(() => join(other));
    const passedMs = performance.now() - killedAt;
    // A lease lasts 10 s, and was renewed 3 s before the end or later.
    assert.ok(passedMs >= 5000, `the connections counted for ${passedMs} ms`);
    await assert.rejects(join(other), /429/);
  });
});

async function revoke(sluice: SluiceProcess, method: 'POST' | 'DELETE', principal: string): Promise<void> {
  const path = `/principals/${encodeURIComponent(principal)}/revoke`;
  const headers = { authorization: `Bearer ${TOKEN}` };
  const response = await fetch(`http://${sluice.admin}${path}`, { method, headers });
  assert.equal(response.status, 200, await response.text());
}

/** Returns the principals that a process keeps out. */
async function revokedIn(sluice: SluiceProcess): Promise<string[]> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const response = await fetch(`http://${sluice.admin}/principals`, { headers });
  const { revocations } = (await response.json()) as { revocations: { principal: string }[] };
  return revocations.map(({ principal }) => principal);
}
