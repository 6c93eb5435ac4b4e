/** The feed, the game and the job board of the demo, each on two endpoints without a proxy in front of them. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { startBackends, type Backends } from '../../../src/cli/demo/backends.ts';
import { freePorts } from '../../support/sockets/free-port.ts';
import { WsClients } from '../../support/websocket/ws-clients.ts';
import { clusterConfig } from '../../unit/upstream/endpoints.ts';

const clients = new WsClients();
afterEach(() => clients.close());

describe('the apps of the demo', () => {
  let backends: Backends;
  let ports: Record<'feed' | 'game' | 'job', readonly [number, number]>;

  before(async () => {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = await freePorts(6);
    ports = { feed: [a, b], game: [c, d], job: [e, f] };
    const clusters = Object.entries(ports).map(([name, [first, second]]) => {
      const endpoints = [first, second].map((port) => ({
        address: { kind: 'tcp', host: '127.0.0.1', port } as const,
        weight: 1,
        maxConnections: 0,
      }));
      return clusterConfig({ name, endpoints });
    });
    backends = await startBackends({ demo: { feed: 'feed', game: 'game', job: 'job' }, clusters });
  });
  after(() => backends.close());

  it('push the same prices through both endpoints of the feed', async () => {
    const [one, two] = [await clients.open(ports.feed[0]), await clients.open(ports.feed[1])];
    assert.equal((await one.nextJson()).endpoint, `127.0.0.1:${ports.feed[0]}`);
    assert.equal((await two.nextJson()).endpoint, `127.0.0.1:${ports.feed[1]}`);
    const seen = await two.nextJson('tick');
    let same = await one.nextJson('tick');
    while (Number(same.number) < Number(seen.number)) same = await one.nextJson('tick');
    assert.deepEqual(same, seen);
    one.sendJson({ type: 'ping', id: 3 });
    assert.deepEqual(await one.nextJson('pong'), { type: 'pong', id: 3 });
  });

  it('show the moves of a player to a client of the other endpoint of the game', async () => {
    const [ada, bob] = [await clients.open(ports.game[0]), await clients.open(ports.game[1])];
    const { id } = await ada.nextJson('welcome');
    ada.sendJson({ type: 'hello', name: 'Ada' });
    ada.sendJson({ type: 'go', x: 300, y: 200 });
    let roster = await bob.nextJson('roster');
    while ((roster.players as unknown[]).length === 0) roster = await bob.nextJson('roster');
    assert.deepEqual(roster.players, [{ id, name: 'Ada', endpoint: `127.0.0.1:${ports.game[0]}` }]);
    const place = async (): Promise<readonly number[] | undefined> => {
      const { players } = await bob.nextJson('state');
      return (players as number[][]).find(([player]) => player === id)?.slice(1, 3);
    };
    let at = await place();
    while (at?.[0] !== 300 || at[1] !== 200) at = await place();
  });

  it('let a client find its job again on the other endpoint', async () => {
    const before = await clients.open(ports.job[0]);
    before.sendJson({ type: 'start' });
    const { id } = await before.nextJson('progress');
    before.socket.terminate();
    const after = await clients.open(ports.job[1]);
    after.sendJson({ type: 'watch', id });
    const first = await after.nextJson('progress');
    const next = await after.nextJson('progress');
    assert.ok(Number(next.percent) > Number(first.percent));
    after.sendJson({ type: 'cancel', id });
    while ((await after.nextJson('progress')).state !== 'cancelled');
  });

  it('close with 1009 after a message of more than 256 bytes', async () => {
    for (const [port] of Object.values(ports)) {
      const client = await clients.open(port);
      client.sendJson({ type: 'x'.repeat(256) });
      assert.equal((await client.closed()).code, 1009);
    }
  });

  it('describe the handshake of a client of sluice.inspect on any path, and close with 1000', async () => {
    const [port] = ports.feed;
    const client = await clients.open(port, ['other', 'sluice.inspect'], '/any/path?a=b');
    assert.equal(client.socket.protocol, 'sluice.inspect');
    const { headers, ...rest } = await client.nextJson();
    assert.deepEqual(rest, { app: 'price feed', endpoint: `127.0.0.1:${port}`, target: '/any/path?a=b' });
    const names = (headers as [string, string][]).map(([name]) => name);
    for (const name of ['host', 'upgrade', 'sec-websocket-protocol']) assert.ok(names.includes(name), name);
    assert.equal((await client.closed()).code, 1000);
  });
});
