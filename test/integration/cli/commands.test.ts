/** The commands that control a running sluice, run as from a shell. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { LiveFrame } from '../../../src/protocol/admin/live.ts';
import { eventually } from '../../support/deadline.ts';
import { sluiceCommand } from '../../support/processes/sluice-command.ts';
import { ReloadRig, withAdmin } from '../../support/rigs/reload-rig.ts';
import { freePorts } from '../../support/sockets/free-port.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

const local = '127.0.0.1:0';

describe('commands for a running sluice', { timeout: 300_000 }, () => {
  let endpoint: WsEndpoint;
  let rig: ReloadRig;
  const clients: WsPeer[] = [];

  const config = (routes: object[] = []): { listeners: object[]; clusters: object[] } => ({
    listeners: [
      { name: 'web', mode: 'l7', address: local, routes: [...routes, { match: {}, cluster: 'app' }] },
      { name: 'other', mode: 'l7', address: local, routes: [{ match: {}, cluster: 'app' }] },
    ],
    clusters: [{ name: 'app', endpoints: [{ address: endpoint.address }] }],
  });

  before(async () => {
    endpoint = await WsEndpoint.listen();
    rig = await ReloadRig.start(config());
  });
  after(() => {
    for (const { socket } of clients) socket.terminate();
    rig.sluice.kill('SIGKILL');
    endpoint.close();
  });

  const command = (...args: string[]): ReturnType<typeof sluiceCommand> => sluiceCommand(rig.sluice, ...args);

  async function open(count: number): Promise<void> {
    const url = `ws://${rig.sluice.address('web')}/`;
    clients.push(...(await Promise.all(Array.from({ length: count }, () => WsPeer.connect(url)))));
  }

  it('status shows tables, and the JSON of /status with --json', async () => {
    await open(3);
    await eventually(async () => assert.equal((await rig.status()).connections, 3));
    const text = await command('status');
    assert.equal(text.status, 0, text.stderr);
    assert.match(
      text.stdout,
      /^sluice \S+, process \d+, up \w+: ready, generation 1, 3 sessions and tunnels$/m,
    );
    assert.match(text.stdout, /^l7-1 +up +1 +\d +0 +\d+% +0$/m);
    assert.match(
      text.stdout,
      new RegExp(`^web +up +l7 +${rig.sluice.address('web')} +\\w+ \\(.+\\) +3$`, 'm'),
    );
    assert.match(text.stdout, new RegExp(`^app +${endpoint.address} +up +3 +0$`, 'm'));
    const json = await command('status', '--json');
    assert.equal(json.status, 0, json.stderr);
    const { connections, pid } = JSON.parse(json.stdout) as { connections: number; pid: number };
    assert.deepEqual([connections, pid], [3, rig.sluice.pid]);
  });

  it('reload applies a new configuration, or says why it cannot', async () => {
    // The file's admin address differs from the active address: that needs a restart, and is no error.
    rig.sluice.writeConfig(withAdmin(config([{ match: { path: '/ping' }, respond: { body: 'pong' } }])));
    const good = await command('reload');
    assert.deepEqual([good.status, good.stdout, good.stderr], [0, 'reloaded: generation 2\n', '']);
    assert.equal(await (await fetch(`http://${await rig.address('web')}/ping`)).text(), 'pong');

    const bad = withAdmin({ ...config(), clusters: [{ name: 'app', endpoints: [{ address: 'nowhere' }] }] });
    rig.sluice.writeConfig(bad);
    const refused = await command('reload');
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /sluice\.yaml:\d+:\d+: /);
    assert.equal((await rig.status()).generation, 2);
    rig.sluice.writeConfig(withAdmin(config()));
  });

  it('top prints once without a terminal, and JSON with --json', async () => {
    const { status, stdout, stderr } = await command('top');
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^sluice \S+ {2}ready {2}generation 2 .*\nsessions 3 .* messages\/s \d/m);
    assert.match(stdout, /^WORKER +STATE/m);
    assert.match(stdout, new RegExp(`^app +${endpoint.address} +up +3 `, 'm'));
    const json = await command('top', '--json');
    assert.equal(json.status, 0, json.stderr);
    const { gauges, pid } = JSON.parse(json.stdout) as LiveFrame;
    assert.deepEqual([gauges.sessions, pid], [3, rig.sluice.pid]);
  });

  it('drain --watch shows the progress until the end, and --undo cancels the drain', async () => {
    await open(17);
    const { status, stdout, stderr } = await command(
      ...['drain', '--listener', 'web', '--rate', '20/s', '--deadline', '1m', '--watch'],
    );
    assert.equal(status, 0, stderr);
    const [first, ...bars] = stdout.trimEnd().split('\n');
    assert.equal(first, 'draining 20 connections');
    assert.match(bars.at(-1) ?? '', /^\[#{40}\] 100% {2}0 of 20 left {2}\d+\.\d s$/);
    assert.ok(bars.length >= 2, stdout);
    for (const client of clients.splice(0)) assert.equal((await client.closed()).code, 1012);
    assert.match((await command('status')).stdout, /^draining listener web: 0 of 20 left$/m);
    const undone = await command('drain', '--listener', 'web', '--undo');
    assert.deepEqual([undone.status, undone.stdout], [0, 'accepting new work again\n']);
    assert.equal((await command('drain', '--listener', 'web', '--undo')).status, 1);
    await eventually(() => open(1));
  });

  it('report errors', async () => {
    const both = await command('drain', '--listener', 'web', '--cluster', 'app');
    assert.equal(both.status, 2);
    assert.match(both.stderr, /drain one of the two: a listener or a cluster/);
    const alone = await command('drain', '--endpoint', endpoint.address);
    assert.equal(alone.status, 2);
    assert.match(alone.stderr, /--endpoint needs the cluster/);
    const unknown = await command('drain', '--cluster', 'nobody');
    assert.equal(unknown.status, 1);
    assert.match(unknown.stderr, /there is no cluster nobody/);
    const token = await command('reload', '--set', 'admin.token=a-wrong-token-for-tests');
    assert.equal(token.status, 1);
    assert.match(token.stderr, /commands need the token/);
    const [port] = await freePorts(1);
    const nobody = await command('status', '--set', `admin.address=127.0.0.1:${port}`);
    assert.equal(nobody.status, 1);
    assert.match(nobody.stderr, /does not answer: nothing listens there: is sluice running\?/);
  });
});
