import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { afterEach, describe, it } from 'node:test';
import type { ClusterStatus, Status } from '../../../src/protocol/admin/status.ts';
import { eventually } from '../../support/deadline.ts';
import { askAdmin } from '../../support/http/admin-client.ts';
import { MortalEndpoint, killOne } from '../../support/rigs/killed-endpoint.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

const TOKEN = 'the-token-of-the-test';
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(
  cluster: Record<string, unknown> & { endpoints: readonly string[] },
  workers = 2,
): Promise<WebRig> {
  const rig = await WebRig.start({
    listeners: { web: {} },
    clusters: { app: cluster },
    workers: { l7: workers },
    log: { access: false },
    env: { SLUICE_ADMIN_TOKEN: TOKEN },
  });
  cleanups.push(() => rig.sluice.stop());
  return rig;
}

async function endpoint(): Promise<WsEndpoint> {
  const made = await WsEndpoint.listen();
  cleanups.push(() => made.close());
  return made;
}

async function statusOf(rig: WebRig): Promise<ClusterStatus> {
  const { body } = await askAdmin(rig.sluice.admin, '/status');
  return (JSON.parse(body) as Status).clusters[0]!;
}

async function post(rig: WebRig, path: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const answer = await fetch(`http://${rig.sluice.admin}${path}`, { method: 'POST', headers });
  assert.equal(answer.status, 202, await answer.clone().text());
  return answer.json();
}

function connect(rig: WebRig, headers: Record<string, string> = {}): Promise<WsPeer> {
  return WsPeer.connect(`ws://${rig.address('web')}/`, { headers });
}

describe('a cluster', { timeout: 300_000 }, () => {
  it('loses no client after one of three endpoints is killed, and ejects that endpoint', async (context) => {
    const endpoints = await Promise.all([1, 2, 3].map(() => MortalEndpoint.start()));
    cleanups.push(...endpoints.map((endpoint) => () => endpoint.kill()));
    const rig = await start({ endpoints: endpoints.map(({ address }) => address), retries: 2 });
    const aftermath = await killOne(rig, endpoints, 100, 1000);
    context.diagnostic(JSON.stringify(aftermath));
    assert.deepEqual([aftermath.failedBefore, aftermath.failedLater], [0, 0]);
    const [killed] = (await statusOf(rig)).endpoints;
    assert.match(killed!.reason, /^5 connect failures in a row; ejected for 30s$/);
    const metrics = await rig.scrape();
    const labels = { cluster: 'app', endpoint: killed!.address };
    assert.equal(metrics.sum('sluice_endpoint_up', labels), 0);
    assert.equal(metrics.sum('sluice_endpoint_ejections_total', labels), 1);
  });

  it('ejects an endpoint by its probes, closes its sessions with 1012, and admits it again', async () => {
    let healthy = true;
    const http = createServer((_, response) => response.writeHead(healthy ? 200 : 500).end());
    const one = await WsEndpoint.listen({}, http);
    cleanups.push(() => one.close());
    const two = await endpoint();
    const healthCheck = {
      type: 'http',
      status: '200-426',
      interval: '50ms',
      timeout: '20s',
      rise: 1,
      fall: 2,
    };
    const addresses = [one.address, two.address];
    const rig = await start({ endpoints: addresses, healthCheck, onDown: 'close', outlier: 'off' });
    const states = async (): Promise<string[]> => (await statusOf(rig)).endpoints.map(({ state }) => state);
    assert.deepEqual(await states(), ['up', 'up'], 'probed before it was ready');
    const clients = await Promise.all(Array.from({ length: 8 }, () => connect(rig)));
    await eventually(() => assert.equal(one.sessions.count + two.sessions.count, 8));
    const lost = clients.length - two.sessions.count;
    assert.ok(lost > 0);
    const closes: string[] = [];
    for (const client of clients) {
      void client.closed().then(({ code, reason }) => closes.push(`${code} ${reason}`));
    }
    healthy = false;
    await eventually(async () => assert.deepEqual(await states(), ['down', 'up']));
    await eventually(() => assert.equal(closes.length, lost));
    assert.deepEqual(new Set(closes), new Set(['1012 endpoint down']));
    assert.equal((await statusOf(rig)).endpoints[0]!.reason, 'its probe answered 500');
    // A worker learns of it a little after it shows.
    await eventually(async () => {
      const before = one.sessions.count;
      for (let count = 0; count < 6; count++) (await connect(rig)).socket.terminate();
      assert.equal(one.sessions.count, before);
    });
    assert.ok(
      (await rig.scrape()).sum('sluice_endpoint_probe_failures_total', { endpoint: one.address }) >= 2,
    );
    healthy = true;
    await eventually(async () => assert.deepEqual(await states(), ['up', 'up']));
    for (const client of clients) client.socket.terminate();
  });

  it('uses all endpoints rather than none when they are down, and says so', async () => {
    const one = await endpoint();
    // Its probes ask for a status that it never gives.
    const healthCheck = { type: 'http', status: 299, interval: '100ms', timeout: '20s' };
    const rig = await start({ endpoints: [one.address], healthCheck });
    assert.deepEqual(
      [(await statusOf(rig)).panic, (await rig.scrape()).sum('sluice_cluster_panic')],
      [true, 1],
    );
    (await connect(rig)).socket.terminate();
  });

  it('evens load by rebalance, and sends nothing to a drained endpoint', async () => {
    const [one, two] = [await endpoint(), await endpoint()];
    const rig = await start({ endpoints: [one.address, two.address], balancer: 'least_connections' });
    await post(rig, `/clusters/app/endpoints/${two.address}/drain`);
    await eventually(async () => assert.equal((await statusOf(rig)).endpoints[1]!.state, 'draining'));
    const active = async (): Promise<number[]> =>
      (await statusOf(rig)).endpoints.map(({ activeConnections }) => activeConnections);
    const clients: WsPeer[] = [];
    // A worker learns of it a little after it shows.
    await eventually(async () => {
      const [held = 0] = await active();
      for (let count = held; count < 20; count++) clients.push(await connect(rig));
      assert.deepEqual(await active(), [20, 0]);
    });
    await post(rig, `/clusters/app/endpoints/${two.address}/undrain`);
    const answer = await post(rig, '/clusters/app/rebalance?rate=1000');
    assert.deepEqual(answer, {
      status: 202,
      message: 'ending 10 connections to balance cluster app',
      cluster: 'app',
      evicting: { [one.address]: 10 },
    });
    const closes: string[] = [];
    for (const client of clients) {
      void client.closed().then(({ code, reason }) => closes.push(`${code} ${reason}`));
    }
    await eventually(() => assert.equal(closes.filter((close) => close === '1012 rebalanced').length, 10));
    await eventually(async () => assert.deepEqual(await active(), [10, 0]));
    for (let count = 0; count < 10; count++) clients.push(await connect(rig));
    await eventually(async () => assert.deepEqual(await active(), [10, 10]));
    for (const client of clients) client.socket.terminate();
  });

  it('brings a client with its cookie back to its endpoint, in whichever worker', async () => {
    const [one, two, three] = [await endpoint(), await endpoint(), await endpoint()];
    const all = [one, two, three];
    const rig = await start({ endpoints: all.map(({ address }) => address), sticky: { cookie: 'sluice' } });
    const first = await connect(rig);
    const [header = ''] = first.headers['set-cookie'] ?? [];
    const cookie = /^sluice=[\w-]{22}(?=; Path=\/; HttpOnly; SameSite=Lax$)/.exec(header)?.[0];
    assert.ok(cookie !== undefined, header);
    const home = all.find(({ sessions }) => sessions.count === 1)!;
    for (let count = 0; count < 12; count++) {
      const again = await connect(rig, { cookie });
      assert.equal(again.headers['set-cookie'], undefined);
      again.socket.terminate();
    }
    assert.equal(home.sessions.count, 13);
    first.socket.terminate();
  });

  it('refuses connections beyond its limit with 503 and Retry-After', async () => {
    const one = await endpoint();
    const rig = await start({ endpoints: [one.address], maxConnections: 2 });
    const clients = [await connect(rig), await connect(rig)];
    const refused = await rig.ask();
    const { startLine, fields } = (await refused.head()) as unknown as { startLine: string; fields: unknown };
    assert.match(startLine, /^HTTP\/1\.1 503 /, JSON.stringify(fields));
    const metrics = await rig.scrape();
    assert.equal(metrics.sum('sluice_cluster_rejections_total', { reason: 'max_connections' }), 1);
    assert.equal(metrics.sum('sluice_ws_handshake_failures_total', { reason: 'overload' }), 1);
    for (const client of clients) client.socket.terminate();
    refused.destroy();
  });
});
