/** The effect of a change of the configuration on open connections. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { CertificateAuthority } from '../../support/certificates.ts';
import { eventually } from '../../support/deadline.ts';
import { ChangeStage } from '../../support/rigs/change-stage.ts';
import { withAdmin } from '../../support/rigs/reload-rig.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

const local = '127.0.0.1:0';
const RESTART = { code: 1012, reason: 'service restart' };

describe('a reload', { timeout: 300_000 }, () => {
  const stage = new ChangeStage();
  const { routes, app, web, tcp, echoCluster, base, start, session, tunnel, alive } = stage;
  let other: WsEndpoint;

  before(async () => {
    await stage.open();
    other = await WsEndpoint.listen();
  });
  afterEach(stage.clear);
  after(() => {
    stage.close();
    other.close();
  });

  it('adds and removes routes, clusters and listeners, and touches nothing else', async () => {
    const rig = await start();
    const kept = await session(rig);
    const through = await tunnel(rig);
    await rig.reload({
      listeners: [
        web({ routes: [{ match: { path: '/new' }, cluster: 'new' }, ...routes] }),
        tcp(),
        { name: 'extra', mode: 'l7', address: local, routes: [{ match: {}, respond: { body: 'extra' } }] },
        { name: 'tcp-net', mode: 'l4', engine: 'net', address: local, cluster: 'echo' },
      ],
      clusters: [app(), echoCluster(), { name: 'new', endpoints: [{ address: other.address }] }],
    });
    const added = await session(rig, '/new', other);
    const extra = await rig.address('extra');
    assert.equal(await (await fetch(`http://${extra}/`)).text(), 'extra');
    const { generation, workers } = await rig.status();
    assert.equal(generation, 2);
    assert.deepEqual(new Set(workers.map((worker) => worker.generation)), new Set([2]));

    await rig.reload(base());
    assert.deepEqual(await added.client.closed(), RESTART);
    await eventually(() => assert.rejects(fetch(`http://${extra}/`)));
    await alive(kept);
    through.send('2');
    await through.receivesText('12');
    await eventually(async () => {
      const status = await rig.status();
      assert.ok(status.workers.every(({ olderConnections }) => olderConnections === 0));
      assert.equal(status.connections, 2);
    });
    through.destroy();
  });

  it('ends the sessions and tunnels of an endpoint that is taken away, and keeps those of the others', async () => {
    const two = (...addresses: string[]): object => ({
      listeners: [web({ routes: [{ match: {}, cluster: 'app' }] })],
      clusters: [{ name: 'app', endpoints: addresses.map((address) => ({ address })) }],
    });
    const [one, gone] = [await WsEndpoint.listen(), await WsEndpoint.listen()];
    const rig = await start(two(one.address, gone.address));
    const clients = await Promise.all(
      Array.from({ length: 8 }, async () => WsPeer.connect(`ws://${await rig.address('web')}/`)),
    );
    const kept = await one.sessions.next();
    await rig.reload(two(one.address));
    await eventually(async () => {
      const { connections } = await rig.status();
      assert.ok(connections > 0 && connections < 8, `${connections} are left`);
    });
    kept.socket.send('here');
    await Promise.any(clients.map((client) => client.messages.next()));
    one.close();
    gone.close();
  });

  it('applies limits to new sessions, and counts old sessions until they end', async () => {
    const rig = await start();
    const old = await session(rig);
    await rig.reload({ ...base(), listeners: [web({ websocket: { maxMessageSize: '1KiB' } }), tcp()] });
    await alive(old);
    const { workers } = await rig.status();
    assert.equal(
      workers.reduce((sum, { olderConnections }) => sum + olderConnections, 0),
      1,
    );
    await eventually(async () => {
      const fresh = await session(rig);
      fresh.client.socket.send('x'.repeat(2000));
      assert.equal((await fresh.client.closed()).code, 1009);
    });
    old.client.socket.send('x'.repeat(2000));
    assert.equal((await old.server.messages.next()).data.length, 2000);
    old.client.socket.close();
    await eventually(async () => {
      const status = await rig.status();
      assert.ok(status.workers.every(({ olderConnections }) => olderConnections === 0));
    });
  });

  it('renews a certificate under the same file names', async () => {
    const authority = new CertificateAuthority();
    const directory = mkdtempSync(join(tmpdir(), 'sluice-renewal-'));
    try {
      const [first, second] = ['one.example', 'two.example'].map((name) =>
        authority.issue(name, [`DNS:${name}`]),
      );
      const place = (): object => ({ cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') });
      const put = ({ cert, key }: { cert: string; key: string }): void => {
        copyFileSync(cert, join(directory, 'cert.pem'));
        copyFileSync(key, join(directory, 'key.pem'));
      };
      put(first!);
      const config = { ...base(), listeners: [web({ tls: { certificates: [place()] } })], clusters: [app()] };
      const rig = await start(config);
      const subject = async (): Promise<string> => {
        const [host, port] = (await rig.address('web')).split(':');
        const socket = connectTls({ host: host!, port: Number(port), rejectUnauthorized: false });
        socket.on('error', () => undefined);
        await once(socket, 'secureConnect');
        const { subject: found } = socket.getPeerCertificate();
        socket.destroy();
        return String(found.CN);
      };
      assert.equal(await subject(), 'one.example');
      put(second!);
      await rig.reload(config);
      await eventually(async () => assert.equal(await subject(), 'two.example'));
      // Nobody has to try again, which takes a second, while the sockets of the old certificate live on.
      let slowest = Infinity;
      for (let round = 0; slowest > 900 && round < 5; round++) {
        put(round % 2 === 0 ? first! : second!);
        await rig.reload(config);
        slowest = 0;
        for (let count = 0; count < 10; count++) {
          const start = performance.now();
          await subject();
          slowest = Math.max(slowest, performance.now() - start);
        }
      }
      assert.ok(slowest < 900, `in each of five reloads a connection took a second, such as ${slowest} ms`);
    } finally {
      rmSync(directory, { recursive: true });
      authority.remove();
    }
  });

  it('changes nothing if the new configuration is bad, and names the place', async () => {
    const rig = await start();
    const kept = await session(rig);
    assert.match(await rig.reloadRefused('listeners: ['), /:1:\d+: /);
    assert.match(await rig.reloadRefused({ ...base(), clusters: [app()] }), /there is no cluster "echo"/);
    const taken = { name: 'taken', mode: 'l4', address: stage.echo.address, cluster: 'echo' };
    assert.match(
      await rig.reloadRefused({ ...base(), listeners: [web(), tcp(), taken] }),
      /listener "taken" cannot listen .* in use/,
    );
    const { generation, lastReloadSucceeded } = await rig.status();
    assert.deepEqual([generation, lastReloadSucceeded], [1, false]);
    assert.match(await rig.metrics(), /^sluice_config_last_reload_success 0$/m);
    assert.match(await rig.metrics(), /^sluice_config_reloads_total\{result="failure"\} 3$/m);
    await alive(kept);
    await rig.reload(base());
    assert.match(await rig.metrics(), /^sluice_config_last_reload_success 1$/m);
  });

  it('changes the number of workers', async () => {
    const rig = await start();
    await rig.reload({ ...base(), workers: { l7: 3, l4: 1 } });
    assert.deepEqual(
      (await rig.status()).workers.map(({ name, state }) => `${name} ${state}`),
      ['l7-0 up', 'l7-1 up', 'l7-2 up', 'l4-0 up'],
    );
    await rig.reload({ ...base(), workers: { l7: 1, l4: 1 } });
    await eventually(async () => {
      const names = (await rig.status()).workers.map(({ name }) => name);
      assert.deepEqual(names, ['l7-0', 'l4-0']);
    });
    await alive(await session(rig));
  });

  it('reports settings that need a restart', async () => {
    const rig = await start();
    rig.sluice.writeConfig({ ...withAdmin(base()), admin: { address: '127.0.0.1:9' } });
    const { status, body } = await rig.post('/reload');
    assert.equal(status, 200);
    assert.deepEqual((JSON.parse(body) as { needsRestart: string[] }).needsRestart, ['admin.address']);
    assert.deepEqual((await rig.status()).needsRestart, ['admin.address']);
  });

  it('is triggered by SIGHUP too', async () => {
    const rig = await start();
    rig.sluice.writeConfig(withAdmin({ ...base(), log: { level: 'debug' } }));
    rig.sluice.kill('SIGHUP');
    await rig.sluice.waitForLog(({ msg, cause }) => msg === 'configuration reloaded' && cause === 'SIGHUP');
    assert.equal((await rig.status()).generation, 2);
  });

  it('keeps counting where it was when a route goes and comes back', async () => {
    const rig = await start();
    const first = await session(rig);
    first.client.socket.close();
    const total = async (): Promise<number> =>
      Number(/^sluice_ws_sessions_total\{[^}]*route="app"[^}]*\} (\d+)$/m.exec(await rig.metrics())?.[1]);
    await eventually(async () => assert.equal(await total(), 1));
    await rig.reload({
      ...base(),
      listeners: [web({ routes: [{ match: {}, respond: { status: 204 } }] }), tcp()],
    });
    await rig.reload(base());
    (await session(rig)).client.socket.close();
    await eventually(async () => assert.equal(await total(), 2));
  });
});
