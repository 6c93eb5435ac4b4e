/** A second process that takes the place of the first. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { DEADLINE_MS, eventually } from '../../support/deadline.ts';
import { ENGINES, type EngineName } from '../../support/engines.ts';
import { startSluice, type SluiceProcess } from '../../support/processes/sluice-process.ts';
import { withAdmin } from '../../support/rigs/reload-rig.ts';
import { Knocker } from '../../support/sockets/knocker.ts';
import { TcpEndpoint, TcpPeer } from '../../support/sockets/tcp-peer.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

describe('a takeover', { timeout: 300_000 }, () => {
  let endpoint: WsEndpoint;
  let echo: TcpEndpoint;
  const started: SluiceProcess[] = [];
  const knockers: Knocker[] = [];

  before(async () => {
    endpoint = await WsEndpoint.listen();
    echo = await TcpEndpoint.echo();
  });
  afterEach(async () => {
    await Promise.all(knockers.splice(0).map((knocker) => knocker.stop()));
    for (const sluice of started.splice(0)) sluice.kill('SIGKILL');
  });
  after(() => {
    endpoint.close();
    echo.close();
  });

  const config = (
    engine: 'auto' | EngineName = 'auto',
    web = '127.0.0.1:0',
    tcp = '127.0.0.1:0',
    admin = '127.0.0.1:0',
  ): object => ({
    ...withAdmin({
      drain: { rate: '50/s', deadline: '10s' },
      listeners: [
        { name: 'web', mode: 'l7', engine, address: web, routes: [{ match: {}, cluster: 'app' }] },
        { name: 'tcp', mode: 'l4', address: tcp, cluster: 'echo' },
      ],
      clusters: [
        { name: 'app', endpoints: [{ address: endpoint.address }] },
        { name: 'echo', endpoints: [{ address: echo.address }] },
      ],
    }),
    admin: { address: admin, token: 'a-token-for-tests-only' },
  });

  async function first(engine: 'auto' | EngineName = 'auto'): Promise<{ old: SluiceProcess; same: object }> {
    const old = await startSluice({ config: config(engine) });
    started.push(old);
    return { old, same: config(engine, old.address('web'), old.address('tcp'), old.admin) };
  }

  for (const engine of ENGINES) {
    it(`refuses and resets no connection, and ends open sessions at the pace of a drain, on ${engine}`, async () => {
      const { old, same } = await first(engine);
      const url = `ws://${old.address('web')}/`;
      const clients = await Promise.all(Array.from({ length: 20 }, () => WsPeer.connect(url)));
      const tunnel = await TcpPeer.connect(old.address('tcp'));
      tunnel.read().send('1');
      await tunnel.receivesText('1');
      const knocker = Knocker.start(url, 50);
      knockers.push(knocker);
      const successor = await startSluice({ config: same, args: ['--takeover'] });
      started.push(successor);
      await old.waitForLog(({ msg }) => msg === 'another process takes over: draining');
      const closes = await Promise.all(clients.map((client) => client.closed(60_000)));
      const ends = old.logs.filter(({ msg, code }) => msg === 'session closed' && code !== 1000);
      assert.deepEqual(
        new Set(closes.map(({ code, reason }) => `${code} ${reason}`)),
        new Set(['1012 service restart']),
        JSON.stringify(ends),
      );
      await tunnel.ended();
      tunnel.destroy();
      assert.deepEqual(await old.waitForExit(60_000), { code: 0, signal: null });
      const { opened, failures, slowest } = await knocker.stop();
      assert.deepEqual(failures, []);
      assert.ok(opened > 20, `${opened} were opened, the slowest in ${slowest} ms`);
      const status = (await (await fetch(`http://${successor.admin}/status`)).json()) as { pid: number };
      assert.equal(status.pid, successor.pid);
      (await WsPeer.connect(url)).socket.terminate();
    });
  }

  it('starts without an old process', async () => {
    const sluice = await startSluice({ config: config(), args: ['--takeover'] });
    started.push(sluice);
    await sluice.waitForLog(({ msg }) => msg === 'no process to take over from');
    assert.deepEqual(await sluice.stop(), { code: 0, signal: null });
  });

  it('that is refused leaves the first as it was', async () => {
    const { old, same } = await first();
    const url = `ws://${old.address('web')}/`;
    const client = await WsPeer.connect(url);
    const knocker = Knocker.start(url, 50);
    knockers.push(knocker);
    await assert.rejects(
      startSluice({ config: { ...same, admin: { address: old.admin } }, args: ['--takeover'] }),
      /does not hand over \(401\)/,
    );
    await eventually(async () => {
      assert.equal((await fetch(`http://${old.admin}/readyz`)).status, 200);
    });
    const { opened, failures } = await knocker.stop();
    assert.deepEqual(failures, []);
    assert.ok(opened > 5, `${opened} were opened`);
    for (let count = 0; count < 5; count++) (await WsPeer.connect(url)).socket.terminate();
    client.socket.ping();
    await client.pongs.next(DEADLINE_MS);
  });
});
