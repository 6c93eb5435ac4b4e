import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { headerOf, switchingProtocols, type RawConnection } from '../../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(
  listener: object,
  workers: number,
): Promise<{ rig: WebRig; endpoint: RawEndpoint; gauges: () => Promise<number[]> }> {
  const endpoint = await RawEndpoint.listen();
  const rig = await WebRig.start({
    listeners: { web: listener },
    clusters: { app: { endpoints: [endpoint.address], retries: 0 } },
    workers: { l7: workers },
  });
  cleanups.push(async () => {
    endpoint.close();
    await rig.stop();
  });
  const gauges = async (): Promise<number[]> => {
    const metrics = await rig.scrape();
    return ['sluice_ws_handshakes_pending', 'sluice_ws_handshakes_queued'].map((name) => metrics.sum(name));
  };
  return { rig, endpoint, gauges };
}

async function statusOf(client: RawConnection): Promise<string> {
  const { startLine } = await client.head();
  return startLine.split(' ')[1]!;
}

/** More than the 512 that uWS asks for, and what the kernel allows. */
const CROWD = 1000;
const mostQueued = Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));

describe('a storm of handshakes', { timeout: 300_000 }, () => {
  it('finds a place in the queue of the listener while no worker accepts', async (t) => {
    if (mostQueued < CROWD) {
      t.skip(`net.core.somaxconn is ${mostQueued}`);
      return;
    }
    const { rig } = await start({}, 1);
    const [host = '', port = ''] = rig.address('web').split(':');
    rig.sluice.kill('SIGSTOP');
    cleanups.push(() => rig.sluice.kill('SIGCONT'));
    let connected = 0;
    for (let count = 0; count < CROWD; count++) {
      const client = connect(Number(port), host, () => connected++);
      client.on('error', () => undefined);
      cleanups.push(() => client.destroy());
    }
    await eventually(() => assert.equal(connected, CROWD));
  });

  it('reaches the endpoints up to the limit over all workers; others wait, and the rest gets 503', async () => {
    const { rig, endpoint, gauges } = await start(
      { maxPendingHandshakes: 4, maxQueuedHandshakes: 6, websocket: { handshakeTimeout: '5m' } },
      3,
    );
    const waiting: RawConnection[] = [];
    for (let count = 1; count <= 10; count++) {
      waiting.push(await rig.ask());
      // One after the other: workers that count at the same time may let one more in each.
      await eventually(async () =>
        assert.deepEqual(await gauges(), [Math.min(count, 4), Math.max(0, count - 4)]),
      );
    }
    for (let count = 0; count < 3; count++) {
      const refused = await rig.ask();
      const head = await refused.head();
      assert.match(head.startLine, /^HTTP\/1\.1 503 /);
      assert.equal(headerOf(head, 'retry-after'), '1');
    }
    assert.equal(
      (await rig.scrape()).sum('sluice_ws_handshake_failures_total', { listener: 'web', reason: 'overload' }),
      3,
    );
    await eventually(() => assert.equal(endpoint.connections.count, 4));
    // Each that is answered makes room for one that waits.
    for (let answered = 0; answered < 10; answered++) {
      const { connection, head } = await endpoint.request();
      connection.write(switchingProtocols(head));
    }
    assert.deepEqual(new Set(await Promise.all(waiting.map(statusOf))), new Set(['101']));
    await eventually(async () => assert.deepEqual(await gauges(), [0, 0]));
    const more = await rig.ask();
    await endpoint.session();
    assert.equal(await statusOf(more), '101');
  });

  it('keeps no client waiting beyond the handshake timeout', async () => {
    const { rig, endpoint, gauges } = await start(
      { maxPendingHandshakes: 1, maxQueuedHandshakes: 5, websocket: { handshakeTimeout: '1s' } },
      1,
    );
    const first = await rig.ask();
    await endpoint.request();
    const others = [await rig.ask(), await rig.ask()];
    // The silent client is answered at its deadline. The clients behind it are answered too, within a second
    // each.
    assert.equal(await statusOf(first), '504');
    for (const other of others) assert.match(await statusOf(other), /^50[34]$/);
    await eventually(async () => assert.deepEqual(await gauges(), [0, 0]));
  });

  it('forgets handshakes whose clients have left', async () => {
    const { rig, endpoint, gauges } = await start({ maxPendingHandshakes: 1 }, 1);
    const first = await rig.ask();
    const { connection, head } = await endpoint.request();
    const gone = await rig.ask();
    const last = await rig.ask();
    await eventually(async () => assert.deepEqual(await gauges(), [1, 2]));
    gone.destroy();
    await eventually(async () => assert.deepEqual(await gauges(), [1, 1]));
    connection.write(switchingProtocols(head));
    await endpoint.session();
    assert.deepEqual([await statusOf(first), await statusOf(last)], ['101', '101']);
    assert.equal(endpoint.connections.count, 2);
  });

  it('to one slow cluster does not block another cluster', async () => {
    const slow = await RawEndpoint.listen();
    const fast = await RawEndpoint.listen();
    const rig = await WebRig.start({
      listeners: {
        web: {
          maxPendingHandshakes: 10,
          maxQueuedHandshakes: 20,
          websocket: { handshakeTimeout: '5m' },
          routes: [
            { match: { path: '/slow' }, cluster: 'slow' },
            { match: { path: '/fast' }, cluster: 'fast' },
          ],
        },
      },
      clusters: { slow: { endpoints: [slow.address], retries: 0 }, fast: { endpoints: [fast.address] } },
      workers: { l7: 2 },
    });
    cleanups.push(async () => {
      slow.close();
      fast.close();
      await rig.stop();
    });
    const waiting: RawConnection[] = [];
    for (let count = 1; count <= 30; count++) waiting.push(await rig.ask({ path: '/slow' }));
    const slowCounts = async (): Promise<number[]> => {
      const metrics = await rig.scrape();
      return ['sluice_ws_handshakes_pending', 'sluice_ws_handshakes_queued'].map((name) =>
        metrics.sum(name, { cluster: 'slow' }),
      );
    };
    // Two workers that count at the same time may admit one more each.
    await eventually(async () => {
      const [pending = 0, queued = 0] = await slowCounts();
      assert.ok(pending >= 8 && pending <= 9, `${pending} under way`);
      assert.ok(queued >= 15 && queued <= 16, `${queued} wait`);
    });
    for (let count = 0; count < 20; count++) {
      const client = await rig.ask({ path: '/fast' });
      await fast.session();
      assert.equal(await statusOf(client), '101');
      client.destroy();
    }
    const [pending = 0] = await slowCounts();
    assert.ok(pending >= 8, 'the slow ones are still in progress');
    const metrics = await rig.scrape();
    const turnedAway = (cluster: string): number =>
      metrics.sum('sluice_ws_handshakes_turned_away_total', { listener: 'web', cluster });
    assert.ok(turnedAway('slow') >= 4);
    assert.equal(turnedAway('fast'), 0);
    for (const client of waiting) client.destroy();
  });

  it('from one address leaves a place in the queue to another', async () => {
    const { rig, endpoint } = await start(
      {
        maxPendingHandshakes: 1,
        maxQueuedHandshakes: 4,
        trustedProxies: ['127.0.0.1'],
        websocket: { handshakeTimeout: '5m' },
      },
      1,
    );
    const ask = (address: string): Promise<RawConnection> =>
      rig.ask({ headers: [`X-Forwarded-For: ${address}`] });
    const hoarder: RawConnection[] = [];
    for (let count = 0; count < 5; count++) hoarder.push(await ask('2001:db8::1'));
    const first = await endpoint.request();
    await eventually(async () => {
      assert.equal((await rig.scrape()).sum('sluice_ws_handshakes_queued'), 4);
    });
    assert.equal(await statusOf(await ask('2001:db8::beef:2')), '503', 'the same network');
    const innocent = await ask('2001:db8:1::1');
    // The oldest waiting handshake is gone; the handshake in progress stays.
    assert.equal(await statusOf(hoarder[1]!), '503');
    first.connection.write(switchingProtocols(first.head));
    assert.equal(await statusOf(hoarder[0]!), '101');
    // They take turns: one of the hoarder's, then the other address.
    await endpoint.session();
    assert.equal(await statusOf(hoarder[2]!), '101');
    await endpoint.session();
    assert.equal(await statusOf(innocent), '101');
    for (const client of hoarder) client.destroy();
  });
});
