import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { ENGINES, type EngineName } from '../../support/engines.ts';
import { cpuSeconds, exhaustDescriptors } from '../../support/processes/process-facts.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { RawConnection, headerOf, upgradeRequest } from '../../support/sockets/raw-connection.ts';
import { FickleEndpoint } from '../../support/websocket/fickle-endpoint.ts';
import { WsPeer } from '../../support/websocket/ws-peer.ts';

const NO_PRLIMIT = spawnSync('prlimit', ['--version']).status === 0 ? false : 'prlimit is not there';
const SESSIONS = 10;

/** Sets how many descriptors the process may have; those that it has stay open. */
function limitDescriptors(pid: number, soft: string): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${soft}:`]);
}

function descriptorLimit(pid: number): string {
  const args = ['--pid', String(pid), '--nofile', '--output=SOFT', '--noheadings'];
  return execFileSync('prlimit', args, { encoding: 'utf8' }).trim();
}

describe('a proxy without a descriptor left', { skip: NO_PRLIMIT, timeout: 300_000 }, () => {
  for (const engine of ENGINES) describe(`on ${engine}`, () => shortageOn(engine));
});

function shortageOn(engine: EngineName): void {
  const endpoints: FickleEndpoint[] = [];
  let rig: WebRig;

  before(async () => {
    for (let count = 0; count < 2; count++) endpoints.push(await FickleEndpoint.listen());
    rig = await WebRig.start({
      listeners: { web: { engine } },
      clusters: {
        app: {
          endpoints: endpoints.map(({ address }) => address),
          healthCheck: { type: 'tcp', interval: '50ms', rise: 1, fall: 1 },
          onDown: 'close',
          outlier: { consecutiveFailures: 1 },
        },
        // The probes of the other cluster use their sockets again, and need no descriptor. These need one each.
        dialled: {
          endpoints: endpoints.map(({ address }) => address),
          healthCheck: { type: 'tcp', interval: '50ms', rise: 1, fall: 1 },
          proxyProtocol: 'v2',
        },
      },
      log: { access: false },
    });
  });
  after(async () => {
    await rig.sluice.stop();
    for (const endpoint of endpoints) endpoint.die();
  });

  it('blames no endpoint, closes no session, tells clients the cause, and recovers', async () => {
    const { sluice } = rig;
    const sessions: WsPeer[] = [];
    for (let count = 0; count < SESSIONS; count++) {
      sessions.push(await WsPeer.connect(`ws://${rig.address('web')}/`));
    }
    // Accepted before there is nothing left to accept with.
    const clients = await Promise.all(
      Array.from({ length: 4 }, () => RawConnection.connect(rig.address('web'))),
    );
    await eventually(async () => {
      assert.equal((await rig.scrape()).sum('sluice_connections_active'), SESSIONS + clients.length);
    });
    const before = descriptorLimit(sluice.pid);
    const from = sluice.logs.length;
    limitDescriptors(sluice.pid, '3');
    try {
      for (const client of clients) {
        client.write(upgradeRequest('app.example'));
        const head = await client.head();
        assert.match(head.startLine, / 503 /);
        assert.equal(headerOf(head, 'retry-after'), '1');
        const length = Number(headerOf(head, 'content-length'));
        assert.match(
          (await client.bytes(length)).toString(),
          /^the proxy is out of descriptors or memory\n$/,
        );
      }
      await sluice.waitForLog(({ msg }) => msg === 'probe not made', undefined, from);
    } finally {
      limitDescriptors(sluice.pid, before);
    }
    const metrics = await rig.scrape();
    assert.equal(metrics.sum('sluice_ws_handshake_failures_total', { reason: 'own_shortage' }), 4);
    assert.equal(metrics.sum('sluice_cluster_rejections_total', { reason: 'descriptors' }), 4);
    assert.equal(metrics.sum('sluice_endpoint_connect_failures_total'), 0);
    assert.equal(metrics.sum('sluice_cluster_retries_total'), 0);
    assert.ok(metrics.sum('sluice_endpoint_probes_unmade_total') > 0);
    assert.equal(metrics.sum('sluice_endpoint_probe_failures_total'), 0);
    assert.equal(metrics.sum('sluice_endpoint_ejections_total'), 0);
    assert.equal(metrics.sum('sluice_endpoint_up'), 4);
    assert.equal(metrics.sum('sluice_cluster_panic'), 0);
    assert.equal(metrics.sum('sluice_ws_sessions_active'), SESSIONS);
    assert.equal(metrics.sum('sluice_cluster_evictions_total'), 0);
    assert.ok(!sluice.logs.slice(from).some(({ msg }) => msg === 'endpoint changed'));
    for (const session of sessions) {
      session.socket.send('still here');
      assert.equal((await session.messages.next()).data.toString(), 'still here');
      session.socket.terminate();
    }
    const late = await rig.ask();
    assert.match((await late.head()).startLine, / 101 /);
    late.destroy();
    for (const client of clients) client.destroy();
  });

  if (engine === 'net') {
    it('accepts again afterwards', async () => {
      await rig.settled();
      const restore = exhaustDescriptors(rig.sluice.pid);
      try {
        // libuv closes who comes, or lets them wait, and tells nobody.
        await rig.ask();
        await new Promise((settle) => setTimeout(settle, 1000));
      } finally {
        restore();
      }
      const client = await rig.ask();
      assert.match((await client.head()).startLine, / 101 /);
      client.destroy();
    });
    return;
  }

  it('stops accepting at layer 7, and serves the waiting clients afterwards', async () => {
    const { sluice } = rig;
    const from = sluice.logs.length;
    const rejected = (await rig.scrape()).sum('sluice_connections_rejected_total');
    const before = cpuSeconds(sluice.pid);
    await rig.settled();
    const restore = exhaustDescriptors(sluice.pid);
    let client: RawConnection;
    try {
      client = await rig.ask();
      await sluice.waitForLog(({ msg }) => msg === 'accept failed', undefined, from);
      await new Promise((settle) => setTimeout(settle, 1000));
    } finally {
      restore();
    }
    assert.match((await client.head()).startLine, / 101 /);
    const metrics = await rig.scrape();
    const failures = metrics.sum('sluice_accept_failures_total', {
      listener: 'web',
      reason: 'process_limit',
    });
    assert.ok(failures >= 2 && failures <= 20, `${failures} failures in a second`);
    assert.equal(metrics.sum('sluice_connections_rejected_total'), rejected);
    const used = cpuSeconds(sluice.pid) - before;
    assert.ok(used < 0.9, `${used} s of CPU`);
    const lines = sluice.logs.slice(from).filter(({ msg }) => msg === 'accept failed');
    assert.deepEqual(
      lines.map(({ listener, reason, code }) => ({ listener, reason, code })),
      [{ listener: 'web', reason: 'process_limit', code: 'EMFILE' }],
    );
    client.destroy();
  });
}
