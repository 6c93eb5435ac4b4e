/** Workers that are put in the place of others. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Status } from '../../../src/protocol/admin/status.ts';
import { eventually } from '../../support/deadline.ts';
import { ENGINES } from '../../support/engines.ts';
import { ReloadRig } from '../../support/rigs/reload-rig.ts';
import { Knocker } from '../../support/sockets/knocker.ts';
import { TcpEndpoint, TcpPeer } from '../../support/sockets/tcp-peer.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';
import { parseExposition } from '../../unit/telemetry/exposition-parser.ts';

const local = '127.0.0.1:0';
const routes = [{ match: {}, cluster: 'app' }];

describe('a restart of workers', { timeout: 300_000 }, () => {
  let endpoint: WsEndpoint;
  let echo: TcpEndpoint;
  const rigs: ReloadRig[] = [];

  before(async () => {
    endpoint = await WsEndpoint.listen();
    echo = await TcpEndpoint.echo();
  });
  afterEach(() => {
    for (const { sluice } of rigs.splice(0)) sluice.kill('SIGKILL');
  });
  after(() => {
    endpoint.close();
    echo.close();
  });

  const config = (clusters: object[] = []): object => ({
    workers: { l7: 2, l4: 1 },
    drain: { rate: '100/s', deadline: '20s' },
    listeners: [
      { name: 'web', mode: 'l7', address: local, routes },
      ...ENGINES.map((engine) => ({ name: `web-${engine}`, mode: 'l7', engine, address: local, routes })),
      { name: 'tcp', mode: 'l4', address: local, cluster: 'echo' },
    ],
    clusters: [
      { name: 'app', endpoints: [{ address: endpoint.address }] },
      { name: 'echo', endpoints: [{ address: echo.address }] },
      ...clusters,
    ],
  });

  async function start(): Promise<ReloadRig> {
    const rig = await ReloadRig.start(config());
    rigs.push(rig);
    return rig;
  }

  /** Clients of all engines. */
  async function join(rig: ReloadRig, count: number): Promise<WsPeer[]> {
    const urls = ENGINES.map((engine) => `ws://${rig.sluice.address(`web-${engine}`)}/`);
    return Promise.all(Array.from({ length: count }, (_, i) => WsPeer.connect(urls[i % urls.length]!)));
  }

  const connectionsOf = ({ workers }: Status, worker: string): number =>
    workers.filter(({ name }) => name === worker).reduce((sum, { connections }) => sum + connections, 0);

  async function counters(rig: ReloadRig): Promise<Map<string, number>> {
    const values = new Map<string, number>();
    for (const { type, samples } of parseExposition(await rig.metrics(), 'text').values()) {
      if (type === 'gauge') continue;
      for (const { name, labels, value } of samples) values.set(`${name}${JSON.stringify(labels)}`, value);
    }
    return values;
  }

  it('ends only the sessions of its worker, with 1012, and refuses no client', async () => {
    const rig = await start();
    const clients = await join(rig, 12);
    const before = await counters(rig);
    const lost = connectionsOf(await rig.status(), 'l7-0');
    let closed = 0;
    const closes = clients.map((client) =>
      client.closed(60_000).then(({ code }) => {
        closed++;
        return code;
      }),
    );
    const knocker = Knocker.start(`ws://${rig.sluice.address('web')}/`, 20);
    assert.equal((await rig.post('/workers/l7-0/restart')).status, 202);
    await rig.sluice.waitForLog(({ msg, worker }) => msg === 'worker restarted' && worker === 'l7-0');
    await eventually(() => assert.equal(closed, lost));
    const { opened, failures } = await knocker.stop();
    assert.deepEqual(failures, []);
    assert.ok(opened > 10, `${opened} were opened`);
    const { workers } = await rig.status();
    assert.deepEqual(
      workers.map(({ name, state, restarts }) => `${name} ${state} ${restarts}`),
      ['l7-0 up 1', 'l7-1 up 0', 'l4-0 up 0'],
    );
    const after = await counters(rig);
    for (const [series, value] of before) {
      const later = after.get(series) ?? -1;
      assert.ok(later >= value, `${series} went from ${value} to ${later}`);
    }
    for (const { socket } of clients) if (socket.readyState === socket.OPEN) socket.terminate();
    assert.deepEqual((await Promise.all(closes)).filter((code) => code === 1012).length, lost);
  });

  it('takes one worker after the other, and new work is served all the time', async () => {
    const rig = await start();
    const clients = await join(rig, 8);
    const tunnel = await TcpPeer.connect(rig.sluice.address('tcp'));
    tunnel.read().send('1');
    await tunnel.receivesText('1');
    const knocker = Knocker.start(`ws://${rig.sluice.address('web')}/`, 20);
    assert.equal((await rig.post('/workers/restart')).status, 202);
    for (const worker of ['l7-0', 'l7-1', 'l4-0']) {
      await rig.sluice.waitForLog((line) => line.msg === 'worker restarted' && line.worker === worker);
    }
    for (const client of clients) assert.equal((await client.closed()).code, 1012);
    await tunnel.ended();
    const { opened, failures } = await knocker.stop();
    assert.deepEqual(failures, []);
    assert.ok(opened > 10, `${opened} were opened`);
    await eventually(async () => {
      const { workers } = await rig.status();
      assert.deepEqual(
        workers.map(({ name, state, restarts }) => `${name} ${state} ${restarts}`),
        ['l7-0 up 1', 'l7-1 up 1', 'l4-0 up 1'],
      );
    });
    const again = await TcpPeer.connect(rig.sluice.address('tcp'));
    again.read().send('2');
    await again.receivesText('2');
    again.destroy();
    tunnel.destroy();
    assert.equal((await fetch(`http://${rig.sluice.admin}/readyz`)).status, 200);
  });

  it('goes together with reloads: no worker stays behind, and one that leaves is not hurt', async () => {
    const rig = await start();
    const talking = await TcpPeer.connect(rig.sluice.address('tcp'));
    talking.read();
    const talk = setInterval(() => talking.send('.'), 50);
    try {
      assert.equal((await rig.post('/workers/l4-0/restart')).status, 202);
      // It leaves for as long as its tunnel talks, and knows nothing of the endpoint that is new.
      for (let turn = 0; turn < 3; turn++) {
        await rig.reload(
          config([
            { name: `new-${turn}`, endpoints: [{ address: endpoint.address }, { address: echo.address }] },
          ]),
        );
      }
      await rig.reload({
        ...config(),
        clusters: [
          { name: 'app', endpoints: [{ address: endpoint.address }] },
          { name: 'echo', endpoints: [{ address: echo.address }, { address: endpoint.address }] },
        ],
      });
      const { received } = talking;
      await eventually(() => assert.ok(talking.received > received));
      await eventually(async () => {
        const { generation, workers } = await rig.status();
        const current = workers.filter(({ state }) => state === 'up');
        assert.equal(current.length, 3);
        assert.ok(current.every((worker) => worker.generation === generation));
      });
      assert.ok(!rig.sluice.logs.some(({ msg }) => msg === 'worker failed during its drain'));
    } finally {
      clearInterval(talk);
    }
    await rig.sluice.waitForLog(({ msg }) => msg === 'worker restarted', 60_000);
    talking.destroy();
  });

  it('is refused if the worker does not exist', async () => {
    const rig = await start();
    assert.equal((await rig.post('/workers/l7-9/restart')).status, 404);
  });
});
