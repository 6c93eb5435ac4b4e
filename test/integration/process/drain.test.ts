/** Drains: what takes no new work any more, and how what lives there is ended. */
import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { ENGINES, isOwnEngine } from '../../support/engines.ts';
import { ReloadRig } from '../../support/rigs/reload-rig.ts';
import { RawConnection, upgradeRequest } from '../../support/sockets/raw-connection.ts';
import { TcpEndpoint, TcpPeer } from '../../support/sockets/tcp-peer.ts';
import { PING, PONG, TEXT, encodeFrame } from '../../support/websocket/raw-frames.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

const local = '127.0.0.1:0';
const MASK = Buffer.from([1, 2, 3, 4]);
const RESTART = { code: 1012, reason: 'service restart' };

describe('a drain', { timeout: 300_000, concurrency: 3 }, () => {
  let one: WsEndpoint;
  /** Only one test counts its sessions. */
  let two: WsEndpoint;
  let echo: TcpEndpoint;

  before(async () => {
    one = await WsEndpoint.listen();
    two = await WsEndpoint.listen();
    echo = await TcpEndpoint.echo();
  });
  after(() => {
    for (const each of [one, two, echo]) each.close();
  });

  const listener = (name: string, cluster: string, engine = 'auto'): object => ({
    name,
    mode: 'l7',
    engine,
    address: local,
    routes: [{ match: {}, cluster }],
  });

  /** Each test has its own rig, because they run side by side. */
  async function start(context: TestContext, more: object = {}): Promise<ReloadRig> {
    const rig = await ReloadRig.start({
      listeners: [
        listener('web', 'one'),
        listener('other', 'one'),
        listener('pair', 'pair'),
        listener('spared', 'spared'),
        ...ENGINES.map((engine) => listener(`web-${engine}`, 'one', engine)),
        { name: 'tcp', mode: 'l4', address: local, cluster: 'echo' },
        { name: 'tcp-net', mode: 'l4', engine: 'net', address: local, cluster: 'echo' },
      ],
      clusters: [
        { name: 'one', endpoints: [{ address: one.address }] },
        { name: 'pair', endpoints: [{ address: one.address }, { address: two.address }] },
        { name: 'spared', endpoints: [{ address: one.address }] },
        { name: 'echo', endpoints: [{ address: echo.address }] },
      ],
      ...more,
    });
    context.after(() => rig.sluice.kill('SIGKILL'));
    return rig;
  }

  const join = async (rig: ReloadRig, name: string): Promise<WsPeer> =>
    WsPeer.connect(`ws://${rig.sluice.address(name)}/`);

  async function joinMany(rig: ReloadRig, name: string, count: number): Promise<WsPeer[]> {
    return Promise.all(Array.from({ length: count }, () => join(rig, name)));
  }

  async function tunnel(rig: ReloadRig, name: string): Promise<TcpPeer> {
    const client = await TcpPeer.connect(rig.sluice.address(name));
    client.read().send('1');
    await client.receivesText('1');
    return client;
  }

  async function alive(client: WsPeer): Promise<void> {
    assert.equal(client.socket.readyState, client.socket.OPEN);
    client.socket.ping('alive');
    await client.pongs.next();
  }

  /** Asks for a WebSocket; returns the head of the answer. */
  async function ask(rig: ReloadRig, name: string): Promise<string> {
    const client = await RawConnection.connect(rig.sluice.address(name));
    try {
      client.write(upgradeRequest('app.example'));
      const { startLine, headers } = await client.head();
      return [startLine, ...headers.map((header) => header.join(': '))].join('\n');
    } finally {
      client.destroy();
    }
  }

  async function begin(rig: ReloadRig, path: string): Promise<{ total: number; remaining: number }> {
    const { status, body } = await rig.post(path);
    assert.equal(status, 202, body);
    return JSON.parse(body) as { total: number; remaining: number };
  }

  async function drained(rig: ReloadRig): Promise<void> {
    await eventually(async () => {
      const { drains } = await rig.status();
      assert.ok(
        drains.length > 0 && drains.every(({ remaining }) => remaining === 0),
        JSON.stringify(drains),
      );
    });
  }

  for (const web of ENGINES.map((engine) => `web-${engine}`)) {
    it(`ends the sessions of the listener ${web}, refuses new ones with 503, and leaves other listeners alone`, async (context) => {
      const rig = await start(context);
      const [lost, kept] = [await joinMany(rig, web, 6), await join(rig, 'other')];
      assert.equal((await begin(rig, `/listeners/${web}/drain`)).total, 6);
      for (const client of lost) assert.deepEqual(await client.closed(), RESTART);
      await drained(rig);
      const refused = await ask(rig, web);
      assert.match(refused, /^HTTP\/1\.1 503 /);
      assert.match(refused, /^retry-after: \d+$/im);
      await alive(kept);
      await alive(await join(rig, 'other'));
      assert.equal((await fetch(`http://${rig.sluice.admin}/readyz`)).status, 200);
      assert.match(await rig.metrics(), /^sluice_drains_active 1$/m);
      assert.match(await rig.metrics(), /^sluice_drain_remaining_connections 0$/m);

      assert.equal((await rig.post(`/listeners/${web}/undrain`)).status, 202);
      await eventually(async () => alive(await join(rig, web)));
      assert.equal((await rig.post(`/listeners/${web}/undrain`)).status, 409);
      assert.match(await rig.metrics(), /^sluice_drains_active 0$/m);
    });
  }

  for (const web of ENGINES.filter(isOwnEngine).map((engine) => `web-${engine}`)) {
    it(`spares a session in the middle of a frame if the drain of the listener ${web} is cancelled`, async (context) => {
      const rig = await start(context);
      const client = await RawConnection.connect(rig.sluice.address(web));
      client.write(upgradeRequest('app.example'));
      await client.head();
      const ping = encodeFrame(PING, 'alive', { mask: MASK });
      const frame = encodeFrame(TEXT, 'whole', { mask: MASK });
      client.write(Buffer.concat([ping, frame.subarray(0, 8)]));
      assert.equal((await client.frame()).opcode, PONG);
      const others = await joinMany(rig, web, 8);
      await begin(rig, `/listeners/${web}/drain?rate=1000&jitter=0s`);
      for (const other of others) assert.deepEqual(await other.closed(), RESTART);
      assert.equal((await rig.post(`/listeners/${web}/undrain`)).status, 202);
      await eventually(async () => alive(await join(rig, web)));
      client.write(Buffer.concat([frame.subarray(8), ping]));
      assert.equal((await client.frame()).opcode, PONG);
      client.destroy();
    });
  }

  for (const name of ['tcp', 'tcp-net']) {
    it(`ends quiet tunnels of the listener ${name} with FIN, and accepts no new ones`, async (context) => {
      const rig = await start(context);
      const [quiet, busy] = [await tunnel(rig, name), await tunnel(rig, name)];
      const talk = setInterval(() => busy.send('.'), 100);
      try {
        await begin(rig, `/listeners/${name}/drain`);
        await quiet.ended();
        assert.ok(busy.isOpen);
        await eventually(() => assert.rejects(TcpPeer.connect(rig.sluice.address(name)), /ECONNREFUSED/));
        // The same drain with another deadline.
        await begin(rig, `/listeners/${name}/drain?deadline=1s`);
        await eventually(() => assert.ok(!busy.isOpen));
      } finally {
        clearInterval(talk);
      }
      await drained(rig);
      assert.equal((await rig.post(`/listeners/${name}/undrain`)).status, 202);
      await eventually(async () => (await tunnel(rig, name)).destroy());
      quiet.destroy();
      busy.destroy();
    });
  }

  it('ends all traffic to a cluster, whatever the listener, and nothing else', async (context) => {
    const rig = await start(context);
    const engines = ENGINES.map((engine) => joinMany(rig, `web-${engine}`, 2));
    const lost = [...(await joinMany(rig, 'web', 3)), ...(await Promise.all(engines)).flat()];
    const kept = await join(rig, 'spared');
    assert.equal((await begin(rig, '/clusters/one/drain?rate=1000&jitter=0s')).total, lost.length);
    for (const client of lost) assert.deepEqual(await client.closed(), RESTART);
    await drained(rig);
    assert.match(await ask(rig, 'other'), /^HTTP\/1\.1 503 /);
    await alive(kept);
    assert.equal((await rig.post('/clusters/one/undrain')).status, 202);
    await eventually(async () => alive(await join(rig, 'web')));
  });

  it('moves new work from an endpoint to the others, and ends or keeps its open work', async (context) => {
    const rig = await start(context);
    const before = two.sessions.count;
    const clients = await joinMany(rig, 'pair', 8);
    const theirs = two.sessions.count - before;
    assert.ok(theirs > 0 && theirs < 8);
    const address = encodeURIComponent(two.address);
    const path = `/clusters/pair/endpoints/${address}/drain`;
    assert.equal((await begin(rig, `${path}?rate=0`)).total, theirs);
    await eventually(async () => {
      for (let count = 0; count < 4; count++) clients.push(await join(rig, 'pair'));
      const taken = two.sessions.count;
      for (let count = 0; count < 4; count++) clients.push(await join(rig, 'pair'));
      assert.equal(two.sessions.count, taken);
    });
    assert.ok(clients.every(({ socket }) => socket.readyState === socket.OPEN));

    const closes: number[] = [];
    for (const client of clients) void client.closed(60_000).then(({ code }) => closes.push(code));
    const { total } = await begin(rig, path);
    await drained(rig);
    await eventually(() => assert.equal(closes.length, total));
    assert.deepEqual(new Set(closes), new Set([1012]));
    const { clusters } = await rig.status();
    const [kept, gone] = clusters[1]!.endpoints;
    assert.deepEqual([kept!.state, gone!.state, gone!.activeConnections], ['up', 'draining', 0]);
    assert.equal((await rig.post(`/clusters/pair/endpoints/${address}/undrain`)).status, 202);
    const reached = two.sessions.count;
    await eventually(async () => {
      (await join(rig, 'pair')).socket.terminate();
      assert.ok(two.sessions.count > reached);
    });
    for (const { socket } of clients) socket.terminate();
  });

  it('announces itself by readyz first, and reports its progress, if it drains everything', async (context) => {
    const rig = await start(context, {
      shutdown: { readyDelay: '1s' },
      drain: { rate: '20/s', deadline: '2m' },
    });
    const webs = ENGINES.map((engine) => `web-${engine}`);
    const clients = await Promise.all(
      Array.from({ length: 40 }, (_, i) => join(rig, webs[i % webs.length]!)),
    );
    const quiet = await tunnel(rig, 'tcp');
    const told = performance.now();
    assert.deepEqual((await begin(rig, '/drain')).remaining, 41);
    assert.equal((await fetch(`http://${rig.sluice.admin}/readyz`)).status, 503);
    let first = Infinity;
    const closes = clients.map(async (client) => {
      const { code } = await client.closed(60_000);
      first = Math.min(first, performance.now());
      return code;
    });
    // Still taken while it is only announced.
    const late = await join(rig, 'web');
    const seen: number[] = [];
    await eventually(async () => {
      const { drains } = await rig.status();
      seen.push(drains[0]!.remaining);
      assert.equal(drains[0]!.remaining, 0);
    }, 60_000);
    assert.deepEqual(new Set(await Promise.all(closes)), new Set([1012]));
    assert.equal((await late.closed()).code, 1012);
    await quiet.ended();
    assert.ok(first - told >= 900, `the first was ended after ${first - told} ms`);
    assert.ok(performance.now() - told >= 2500, '42 at 20 a second take two seconds');
    assert.ok(new Set(seen).size > 5, `progress: ${[...new Set(seen)].join()}`);
    await rig.sluice.waitForLog(({ msg }) => msg === 'drained');
    assert.match(await ask(rig, 'web'), /^HTTP\/1\.1 503 /);
    assert.equal((await rig.post('/undrain')).status, 202);
    assert.equal((await fetch(`http://${rig.sluice.admin}/readyz`)).status, 200);
    await eventually(async () => alive(await join(rig, 'web')));
    quiet.destroy();
  });

  it('is refused with a reason if its target is missing or its settings are invalid', async (context) => {
    const rig = await start(context);
    for (const [path, status, reason] of [
      ['/listeners/nobody/drain', 404, /there is no listener nobody/],
      ['/clusters/nobody/drain', 404, /there is no cluster nobody/],
      ['/clusters/one/endpoints/nobody/drain', 404, /there is no endpoint nobody/],
      ['/clusters/one/undrain', 409, /nothing to undo: cluster one is not drained/],
      ['/drain?rate=fast', 400, /rate: write a number/],
      ['/drain?rate=-1', 400, /rate: write a number/],
      ['/drain?deadline=soon', 400, /deadline: write a number and a unit/],
      ['/drain?jitter=900d', 400, /jitter: write a number and a unit, such as 5m, up to 20d/],
    ] as const) {
      const answer = await rig.post(path);
      assert.equal(answer.status, status, path);
      assert.match(answer.body, reason);
    }
    await alive(await join(rig, 'web'));
  });
});
