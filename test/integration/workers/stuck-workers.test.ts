/** A worker that freezes is replaced, while the others serve. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { ENGINES } from '../../support/engines.ts';
import { askAdmin } from '../../support/http/admin-client.ts';
import { scrape } from '../../support/http/metrics.ts';
import { descriptors } from '../../support/processes/process-facts.ts';
import { ReloadRig } from '../../support/rigs/reload-rig.ts';
import { TcpEndpoint, TcpPeer } from '../../support/sockets/tcp-peer.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

const local = '127.0.0.1:0';
const routes = [{ match: {}, cluster: 'app' }];
/** Longer than any test: a worker that is frozen for this time stays frozen. */
const FOR_EVER = '10m';

type Peer = WsPeer | TcpPeer;

describe('a worker that freezes', { timeout: 300_000 }, () => {
  let endpoint: WsEndpoint;
  let echo: TcpEndpoint;
  const rigs: ReloadRig[] = [];
  const peers: Peer[] = [];
  /** Its worker freezes before the first test: with the default settings it is noticed after 10 s. */
  let patient: ReloadRig;

  before(async () => {
    endpoint = await WsEndpoint.listen();
    echo = await TcpEndpoint.echo();
    patient = await ReloadRig.start(config({ stuckAfter: '10s' }));
    await freeze(patient, 'l7-0');
  });
  afterEach(() => {
    for (const peer of peers.splice(0)) drop(peer);
    for (const { sluice } of rigs.splice(0)) sluice.kill('SIGKILL');
  });
  after(() => {
    patient.sluice.kill('SIGKILL');
    endpoint.close();
    echo.close();
  });

  const config = (workers: object = {}): object => ({
    workers: { l7: 2, l4: 2, stuckAfter: '1s', ...workers },
    shutdown: { grace: '30s' },
    listeners: [
      { name: 'web', mode: 'l7', address: local, routes },
      ...ENGINES.map((engine) => ({ name: `web-${engine}`, mode: 'l7', engine, address: local, routes })),
      { name: 'raw', mode: 'l4', address: local, cluster: 'echo' },
      { name: 'net', mode: 'l4', engine: 'net', address: local, cluster: 'echo' },
    ],
    clusters: [
      { name: 'app', endpoints: [{ address: endpoint.address }] },
      { name: 'echo', endpoints: [{ address: echo.address }] },
    ],
  });

  async function start(workers: object = {}): Promise<ReloadRig> {
    const rig = await ReloadRig.start(config(workers));
    rigs.push(rig);
    return rig;
  }

  /** Connects, and waits until that is carried. */
  async function connect({ sluice }: ReloadRig, listener: string): Promise<Peer> {
    const address = sluice.address(listener);
    const peer = listener.startsWith('web')
      ? await WsPeer.connect(`ws://${address}/`)
      : await TcpPeer.connect(address);
    peers.push(peer);
    if (peer instanceof TcpPeer) {
      peer.read().send('x');
      await peer.receivesText('x');
    }
    return peer;
  }

  /** The log line for a new connection of the listener. */
  const openedLine = (listener: string): string =>
    listener.startsWith('web') ? 'session opened' : 'tunnel opened';

  /** Connects. Returns which worker carries it, as the log says. */
  async function open(rig: ReloadRig, listener: string): Promise<{ peer: Peer; worker: string }> {
    const { logs } = rig.sluice;
    const from = logs.length;
    const peer = await connect(rig, listener);
    const { worker } = await rig.sluice.waitForLog(
      ({ msg }) => msg === openedLine(listener),
      undefined,
      from,
    );
    return { peer, worker: String(worker) };
  }

  /** Opens `count` connections at once, and waits until all of them are logged. */
  async function openMany(rig: ReloadRig, listener: string, count: number): Promise<void> {
    const { logs } = rig.sluice;
    const from = logs.length;
    await Promise.all(Array.from({ length: count }, () => connect(rig, listener)));
    await eventually(() => {
      const opened = logs.slice(from).filter(({ msg }) => msg === openedLine(listener));
      assert.equal(opened.length, count);
    });
  }

  /** Opens connections until each worker of the listener has two. */
  async function fill(
    rig: ReloadRig,
    listener: string,
    workers: readonly string[],
  ): Promise<Map<Peer, string>> {
    const carried = new Map<Peer, string>();
    const has = (worker: string): number => [...carried.values()].filter((other) => other === worker).length;
    for (let tries = 0; workers.some((worker) => has(worker) < 2); tries++) {
      assert.ok(tries < 100, 'all connections come to one worker');
      const { peer, worker } = await open(rig, listener);
      carried.set(peer, worker);
    }
    return carried;
  }

  async function freeze(rig: ReloadRig, worker: string, time = FOR_EVER): Promise<void> {
    const path = `/debug/workers/${worker}/freeze?for=${time}`;
    assert.equal((await askAdmin(rig.sluice.admin, path, { method: 'POST' })).status, 202);
  }

  async function isReplaced(rig: ReloadRig, worker: string): Promise<void> {
    await rig.sluice.waitForLog((line) => line.msg === 'worker is stuck' && line.worker === worker);
    await rig.sluice.waitForLog((line) => line.msg === 'worker is up again' && line.worker === worker);
  }

  async function ready(rig: ReloadRig): Promise<number> {
    return (await askAdmin(rig.sluice.admin, '/readyz')).status;
  }

  for (const [listener, victim, other] of [
    ...ENGINES.map((engine) => [`web-${engine}`, 'l7-0', 'l7-1'] as const),
    ['raw', 'l4-0', 'l4-1'],
    ['net', 'l4-0', 'l4-1'],
  ] as const) {
    it(`is replaced at the listener ${listener}, and no session of another worker notices`, async () => {
      const rig = await start();
      const carried = await fill(rig, listener, [victim, other]);
      const before = await scrape(rig.sluice);
      assert.equal(before.sum('sluice_worker_stuck_total'), 0);
      await freeze(rig, victim);
      await isReplaced(rig, victim);
      assert.equal(await ready(rig), 200);
      assert.ok(
        !rig.sluice.logs.some(({ msg }) => msg === 'some new connections may still reach the stuck worker'),
      );

      // All of them: had the stuck worker its share, one in 10^9 times none would meet it.
      await openMany(rig, listener, 30);
      for (const [peer, worker] of carried) {
        if (worker !== other) continue;
        if (peer instanceof TcpPeer) {
          peer.send('y');
          await peer.receivesText('xy');
        } else {
          assert.equal(peer.socket.readyState, peer.socket.OPEN);
        }
      }
      const metrics = await scrape(rig.sluice);
      assert.equal(metrics.sum('sluice_worker_stuck_total', { worker: victim }), 1);
      assert.equal(metrics.sum('sluice_worker_stuck_total'), 1);
      assert.equal(metrics.sum('sluice_worker_restarts_total', { worker: victim }), 1);
      const living = [...carried.values()].filter((worker) => worker === other).length + 30;
      const isWeb = listener.startsWith('web');
      const gauge = isWeb ? 'sluice_ws_sessions_active' : 'sluice_tunnels_active';
      const total = isWeb ? 'sluice_ws_sessions_total' : 'sluice_tunnels_total';
      assert.equal(metrics.sum(gauge), living);
      assert.equal(metrics.sum(total), before.sum(total) + 30);
      assert.equal(metrics.sum('sluice_workers_left_behind'), isWeb ? 1 : 0);
      const { workers } = await rig.status();
      assert.equal(workers.filter(({ state }) => state === 'stuck').length, isWeb ? 1 : 0);
    });
  }

  it('at layer 4 loses its clients and leaves no descriptor behind', async () => {
    const rig = await start();
    await fill(rig, 'raw', ['l4-0', 'l4-1']);
    for (const peer of peers.splice(0)) drop(peer);
    await idle(rig);
    const before = descriptors(rig.sluice.pid);
    const carried = await fill(rig, 'raw', ['l4-0', 'l4-1']);
    await freeze(rig, 'l4-0');
    await isReplaced(rig, 'l4-0');
    for (const [peer, worker] of carried) {
      if (worker === 'l4-0' && peer instanceof TcpPeer) await peer.closed();
    }
    for (const peer of peers.splice(0)) drop(peer);
    await idle(rig);
    await eventually(() => {
      const open = descriptors(rig.sluice.pid);
      assert.ok(open <= before, `${open} descriptors, ${before} before`);
    });
    assert.deepEqual(await rig.sluice.stop(), { code: 0, signal: null });
  });

  it('refuses no client if it is the only one: connects wait for its replacement, and /readyz says 503', async () => {
    const rig = await start({ l7: 1, l4: 1 });
    await freeze(rig, 'l7-0');
    await rig.sluice.waitForLog(({ msg }) => msg === 'worker is stuck');
    const { worker } = await open(rig, 'web');
    assert.equal(worker, 'l7-0');
    await eventually(async () => assert.equal(await ready(rig), 200));
  });

  it('blocks no reload, drain or shutdown: the process ends by a hard exit with status 0', async () => {
    const rig = await start();
    const carried = await fill(rig, 'web', ['l7-0', 'l7-1']);
    await freeze(rig, 'l7-0');
    // The reload waits for the frozen worker until the primary notices the freeze.
    await rig.reload(config({ l4: 1 }));
    await isReplaced(rig, 'l7-0');
    await eventually(async () => {
      const { workers } = await rig.status();
      assert.deepEqual(
        workers.map(({ name, state }) => `${name} ${state}`),
        ['l7-0 up', 'l7-1 up', 'l4-0 up', 'l7-0 stuck'],
      );
    });
    assert.equal((await rig.post('/listeners/web/drain')).status, 202);
    for (const [peer, worker] of carried) {
      if (worker === 'l7-1' && peer instanceof WsPeer) assert.equal((await peer.closed()).code, 1012);
    }
    await rig.sluice.waitForLog(({ msg }) => msg === 'drained');
    assert.deepEqual(await rig.sluice.stop(), { code: 0, signal: null });
    assert.ok(rig.sluice.logs.some(({ msg }) => msg === 'hard exit because of stuck threads'));
    assert.ok(!rig.sluice.logs.some(({ msg }) => msg === 'workers did not end in time'));
  });

  it('does not block a takeover', async () => {
    const rig = await start();
    await freeze(rig, 'l7-0');
    await isReplaced(rig, 'l7-0');
    const { sluice } = rig;
    const fixed = JSON.parse(JSON.stringify(config())) as { listeners: { name: string; address: string }[] };
    for (const listener of fixed.listeners) listener.address = sluice.address(listener.name);
    const admin = { address: sluice.admin };
    const successor = await ReloadRig.start({ ...fixed }, [
      '--takeover',
      '--set',
      `admin.address=${admin.address}`,
    ]);
    rigs.push(successor);
    assert.deepEqual(await sluice.waitForExit(), { code: 0, signal: null });
    await open(successor, 'web');
  });

  it('ends its sessions with 1012 if it recovers, and leaves nothing behind', async () => {
    const rig = await start();
    const carried = await fill(rig, 'web', ['l7-0', 'l7-1']);
    await freeze(rig, 'l7-0', '4s');
    await isReplaced(rig, 'l7-0');
    for (const [peer, worker] of carried) {
      if (worker === 'l7-0' && peer instanceof WsPeer) assert.equal((await peer.closed()).code, 1012);
    }
    await rig.sluice.waitForLog(({ msg }) => msg === 'stuck worker ended');
    const metrics = await scrape(rig.sluice);
    assert.equal(metrics.sum('sluice_workers_left_behind'), 0);
    assert.equal(metrics.sum('sluice_worker_stuck_total'), 1);
    const living = [...carried.values()].filter((worker) => worker === 'l7-1').length;
    assert.equal(metrics.sum('sluice_ws_sessions_active'), living);
    assert.deepEqual(await rig.sluice.stop(), { code: 0, signal: null });
    assert.ok(!rig.sluice.logs.some(({ msg }) => msg.includes('ended hard')));
  });

  it('is not reported if its whole process was stopped for a while', async () => {
    const rig = await start();
    for (let times = 0; times < 3; times++) {
      rig.sluice.kill('SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, 1600));
      rig.sluice.kill('SIGCONT');
      assert.equal(await ready(rig), 200);
    }
    // The time that the primary takes to notice a stuck worker.
    await freeze(rig, 'l4-0', '3s');
    await rig.sluice.waitForLog(({ msg }) => msg === 'worker is stuck');
    const metrics = await scrape(rig.sluice);
    assert.equal(metrics.sum('sluice_worker_stuck_total'), 1);
    assert.equal(metrics.sum('sluice_worker_stuck_total', { worker: 'l4-0' }), 1);
  });

  it('is replaced within 15 s with the default settings', async () => {
    await isReplaced(patient, 'l7-0');
    const { logs } = patient.sluice;
    const noticed = logs.find(({ msg }) => msg === 'worker is stuck')!;
    const silentMs = Number(noticed.silentMs);
    assert.ok(silentMs >= 10_000 && silentMs < 15_000, `it was silent for ${silentMs} ms`);
    const replacing = logs.find(({ msg }) => msg === 'replacing stuck worker')!;
    assert.equal(replacing.startInMs, 0);
  });

  async function idle(rig: ReloadRig): Promise<void> {
    await eventually(async () =>
      assert.equal((await scrape(rig.sluice)).sum('sluice_connections_active'), 0),
    );
  }
});

function drop(peer: Peer): void {
  if (peer instanceof TcpPeer) peer.socket.destroy();
  else peer.socket.terminate();
}
