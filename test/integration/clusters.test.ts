import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, afterEach, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { askAdmin } from '../support/admin-client.ts';
import { eventually, within } from '../support/deadline.ts';
import { WebRig } from '../support/web-rig.ts';
import { WsEndpoint, WsPeer } from '../support/ws-peer.ts';

const TOKEN = 'the-token-of-the-test';
const ECHO = `
const { WebSocketServer } = require('ws');
const server = new WebSocketServer({ host: '127.0.0.1', port: 0 }, () => console.log(server.address().port));
server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));`;

interface EndpointStatus {
  readonly address: string;
  readonly state: string;
  readonly reason: string;
  readonly activeConnections: number;
  readonly ejections: number;
}

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

async function statusOf(rig: WebRig): Promise<{ panic: boolean; endpoints: EndpointStatus[] }> {
  const { body } = await askAdmin(rig.sluice.admin, '/status');
  return (JSON.parse(body) as { clusters: { panic: boolean; endpoints: EndpointStatus[] }[] }).clusters[0]!;
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
  const children: ChildProcess[] = [];
  after(() => {
    for (const child of children) child.kill('SIGKILL');
  });

  it('loses no new client when one of three endpoints is killed, and ejects that one', async (context) => {
    const ports: string[] = [];
    for (let count = 0; count < 3; count++) {
      const child = spawn(process.execPath, ['-e', ECHO], { stdio: ['ignore', 'pipe', 'inherit'] });
      children.push(child);
      const [line] = (await within('the port', once(child.stdout, 'data'))) as [Buffer];
      ports.push(line.toString().trim());
    }
    const rig = await start({ endpoints: ports.map((port) => `127.0.0.1:${port}`), retries: 2 });
    const rate = Number(process.env.TEST_CONNECTIONS_PER_SECOND ?? 100);
    const failures = { before: 0, inFlight: 0, after: 0 };
    let phase: keyof typeof failures = 'before';
    let opened = 0;
    const open = (): Promise<void> =>
      new Promise((resolve) => {
        const socket = new WebSocket(`ws://${rig.address('web')}/`, { perMessageDeflate: false });
        let echoed = false;
        socket.on('open', () => socket.send('x'));
        socket.on('message', () => {
          echoed = true;
          opened++;
          socket.close();
        });
        socket.on('error', () => undefined);
        const began = phase;
        socket.on('close', () => {
          // Sessions that live when their endpoint dies end with it; those count where they began before.
          if (!echoed) failures[began === 'before' && phase !== 'before' ? 'inFlight' : began]++;
          resolve();
        });
      });
    const run = async (ms: number): Promise<void> => {
      const all: Promise<void>[] = [];
      const end = performance.now() + ms;
      for (let due = performance.now(); due < end; due += 1000 / rate) {
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
        all.push(open());
        if (phase === 'before' && due > end - ms / 2) {
          children[0]!.kill('SIGKILL');
          phase = 'after';
        }
      }
      await within('the clients', Promise.all(all));
    };
    await run(3000);
    context.diagnostic(
      `${opened} clients were served at ${rate} a second; failed: ${JSON.stringify(failures)}`,
    );
    assert.equal(failures.before, 0);
    assert.equal(failures.after, 0);
    assert.ok(failures.inFlight <= rate / 2);
    const { endpoints } = await statusOf(rig);
    assert.equal(endpoints[0]!.state, 'ejected');
    assert.match(endpoints[0]!.reason, /^5 failures in a row; ejected for 30s$/);
    const metrics = await rig.scrape();
    const killed = { cluster: 'app', endpoint: endpoints[0]!.address };
    assert.equal(metrics.sum('sluice_endpoint_up', killed), 0);
    assert.equal(metrics.sum('sluice_endpoint_ejections_total', killed), 1);
  });

  it('takes an endpoint out by its probes, closes what it has with 1012, and takes it in again', async () => {
    let healthy = true;
    const http = createServer((_, response) => response.writeHead(healthy ? 200 : 500).end());
    const one = await WsEndpoint.listen({}, http);
    cleanups.push(() => one.close());
    const two = await endpoint();
    const healthCheck = {
      type: 'http',
      status: '200-426',
      interval: '50ms',
      timeout: '2s',
      rise: 1,
      fall: 2,
    };
    const addresses = [one.address, two.address];
    const rig = await start({ endpoints: addresses, healthCheck, onDown: 'close', outlier: 'off' });
    const states = async (): Promise<string[]> => (await statusOf(rig)).endpoints.map(({ state }) => state);
    assert.deepEqual(await states(), ['up', 'up'], 'probed before it was ready');
    const clients = await Promise.all(Array.from({ length: 8 }, () => connect(rig)));
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
    const before = one.sessions.count;
    for (let count = 0; count < 6; count++) (await connect(rig)).socket.terminate();
    assert.equal(one.sessions.count, before);
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
    const healthCheck = { type: 'http', status: 299, interval: '100ms', timeout: '2s' };
    const rig = await start({ endpoints: [one.address], healthCheck });
    assert.deepEqual(
      [(await statusOf(rig)).panic, (await rig.scrape()).sum('sluice_cluster_panic')],
      [true, 1],
    );
    (await connect(rig)).socket.terminate();
  });

  it('evens load out by rebalance, and gives nothing to an endpoint that is drained', async () => {
    const [one, two] = [await endpoint(), await endpoint()];
    const rig = await start({ endpoints: [one.address, two.address], balancer: 'least_connections' });
    await post(rig, `/clusters/app/endpoints/${two.address}/drain`);
    await eventually(async () => assert.equal((await statusOf(rig)).endpoints[1]!.state, 'draining'));
    const clients = await Promise.all(Array.from({ length: 20 }, () => connect(rig)));
    const active = async (): Promise<number[]> =>
      (await statusOf(rig)).endpoints.map(({ activeConnections }) => activeConnections);
    assert.deepEqual(await active(), [20, 0]);
    await post(rig, `/clusters/app/endpoints/${two.address}/undrain`);
    const answer = await post(rig, '/clusters/app/rebalance?rate=1000');
    assert.deepEqual(answer, { cluster: 'app', evicting: { [one.address]: 10 } });
    const closes = new Set<string>();
    let closed = 0;
    for (const client of clients) {
      void client.closed().then(({ code, reason }) => {
        closed++;
        closes.add(`${code} ${reason}`);
      });
    }
    await eventually(() => assert.equal(closed, 10));
    assert.deepEqual([...closes], ['1012 rebalanced']);
    await eventually(async () => assert.deepEqual(await active(), [10, 0]));
    for (let count = 0; count < 10; count++) clients.push(await connect(rig));
    assert.deepEqual(await active(), [10, 10]);
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

  it('refuses what is beyond its limit with 503 and Retry-After', async () => {
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
