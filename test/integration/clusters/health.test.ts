import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { EndpointStatus, Status } from '../../../src/protocol/admin/status.ts';
import { eventually } from '../../support/deadline.ts';
import { askAdmin } from '../../support/http/admin-client.ts';
import { MortalEndpoint } from '../../support/rigs/killed-endpoint.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { silentEndpoint } from '../../support/sockets/bad-endpoints.ts';
import { RawConnection } from '../../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';
import { FickleEndpoint } from '../../support/websocket/fickle-endpoint.ts';
import { WsPeer } from '../../support/websocket/ws-peer.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function fickle(): Promise<FickleEndpoint> {
  const endpoint = await FickleEndpoint.listen();
  cleanups.push(() => endpoint.die());
  return endpoint;
}

async function start(
  cluster: Record<string, unknown> & { endpoints: readonly (string | object)[] },
  listener: object = {},
  workers = 2,
): Promise<WebRig> {
  const rig = await WebRig.start({
    listeners: { web: listener },
    clusters: { app: cluster },
    workers: { l7: workers },
    log: { access: false },
  });
  cleanups.push(() => rig.sluice.stop());
  return rig;
}

async function statusOf(rig: WebRig): Promise<readonly EndpointStatus[]> {
  const { body } = await askAdmin(rig.sluice.admin, '/status');
  return (JSON.parse(body) as Status).clusters[0]!.endpoints;
}

/** Waits until an endpoint is in a state for a reason. */
async function becomes(rig: WebRig, index: number, state: string, reason: RegExp): Promise<EndpointStatus> {
  return eventually(async () => {
    const status = (await statusOf(rig))[index]!;
    assert.equal(status.state, state, status.reason);
    assert.match(status.reason, reason);
    return status;
  });
}

/** Returns the answer to a client that asks for a WebSocket. */
async function ask(rig: WebRig, from: string | null = null): Promise<number> {
  const client = await rig.ask({ headers: from === null ? [] : [`X-Forwarded-For: ${from}`] });
  const { startLine } = await client.head();
  client.destroy();
  return Number(startLine.split(' ')[1]);
}

async function connect(rig: WebRig): Promise<WsPeer> {
  return WsPeer.connect(`ws://${rig.address('web')}/`);
}

/** A reset shows to whichever of a probe's steps comes next, so that it may be that of connecting. */
const CUT = /^its probe (?:closed the connection|(?:connect|read|write) (?:ECONNRESET|EPIPE)\b.*)$/;
/** The error of the probe that was in flight, or of a later one. */
const GONE = new RegExp(`^its probe connect ECONNREFUSED|${CUT.source}`);

describe('probes', { timeout: 300_000 }, () => {
  const PACE = { interval: '50ms', timeout: '1s', rise: 1, fall: 1 };

  for (const [type, faults] of [
    ['tcp', [['die', GONE]]],
    [
      'http',
      [
        ['die', GONE],
        ['silent', /^its probe timed out$/],
        ['resets', CUT],
        ['fails', /^its probe answered 500$/],
      ],
    ],
    [
      'websocket',
      [
        ['die', GONE],
        ['silent', /^its probe timed out$/],
        ['fails', /^its probe answered 500$/],
        ['deaf', /^its probe timed out$/],
      ],
    ],
  ] as const) {
    it(`of type ${type} find an endpoint that is ill, say how, and find it well again`, async () => {
      const [one, two] = [await fickle(), await fickle()];
      const rig = await start({
        endpoints: [one.address, two.address],
        healthCheck: { type, ...PACE },
        panicThreshold: 0,
        outlier: 'off',
      });
      assert.deepEqual(new Set((await statusOf(rig)).map(({ state }) => state)), new Set(['up']));
      for (const [fault, reason] of faults) {
        const before = Date.now();
        if (fault === 'die') one.die();
        else one.condition = fault;
        const status = await becomes(rig, 0, 'down', reason);
        assert.ok(Date.parse(status.since) >= before - 1 && Date.parse(status.since) <= Date.now());
        const { lastProbe } = status;
        assert.ok(lastProbe !== null && lastProbe.seconds >= 0 && Date.parse(lastProbe.at) >= before - 1);
        const metrics = await rig.scrape();
        const labels = { cluster: 'app', endpoint: one.address };
        assert.ok(metrics.sum('sluice_endpoint_probe_failures_total', labels) >= 1);
        assert.ok(metrics.sum('sluice_endpoint_probe_duration_seconds', labels) >= 0);
        // A worker learns of it a little after it shows. Probes of type websocket are sessions, too.
        await eventually(async () => {
          if (type === 'websocket') return;
          const sessions = [one.sessions, two.sessions];
          for (let count = 0; count < 6; count++) assert.equal(await ask(rig), 101);
          assert.deepEqual([one.sessions, two.sessions], [sessions[0], sessions[1]! + 6]);
        });
        await one.recover();
        await becomes(rig, 0, 'up', /^its probes pass$/);
      }
      if (type === 'websocket') assert.ok(one.closeCodes.includes(1000), 'a probe says goodbye');
    });
  }

  it('find an endpoint that accepts no connection', async () => {
    const full = await silentEndpoint();
    cleanups.push(() => full.close());
    const rig = await start({
      endpoints: [full.address],
      healthCheck: { type: 'tcp', ...PACE },
      panicThreshold: 0,
    });
    assert.deepEqual(
      (await statusOf(rig)).map(({ state, reason }) => [state, reason]),
      [['down', 'its probe timed out']],
      'before it says that it is ready',
    );
    assert.equal(await ask(rig), 503);
  });

  it('eject a hung process, close its sessions, and admit it again when it continues', async () => {
    const endpoints = [await MortalEndpoint.start(), await MortalEndpoint.start()];
    cleanups.push(...endpoints.map((endpoint) => () => endpoint.kill()));
    const rig = await start({
      endpoints: endpoints.map(({ address }) => address),
      healthCheck: { type: 'websocket', ...PACE },
      panicThreshold: 0,
      onDown: 'close',
      outlier: 'off',
    });
    const clients: WsPeer[] = [];
    for (let count = 0; count < 40; count++) clients.push(await connect(rig));
    const closes: string[] = [];
    for (const client of clients) {
      void client.closed(120_000).then(({ code, reason }) => closes.push(`${code} ${reason}`));
    }
    endpoints[0]!.signal('SIGSTOP');
    await becomes(rig, 0, 'down', /^its probe timed out$/);
    // About half of them: each worker begins its rounds with either endpoint.
    await eventually(() => assert.ok(closes.length >= 16));
    assert.deepEqual(new Set(closes), new Set(['1012 endpoint down']));
    endpoints[0]!.signal('SIGCONT');
    await becomes(rig, 0, 'up', /^its probes pass$/);
    for (const client of clients) client.socket.terminate();
  });
});

/** Ways in which well servers refuse an upgrade, and what a client that asks is answered. */
const REFUSALS: readonly (readonly [what: string, answer: string | null, status: number])[] = [
  ['a reset, as by socket.destroy()', null, 502],
  ['a 500', 'HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n', 500],
  ['a 401', 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n', 401],
  ['a 404 in HTTP/1.0', 'HTTP/1.0 404 Not Found\r\n\r\n', 404],
  ['a 426 in HTTP/1.0', 'HTTP/1.0 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n', 426],
  ['a wrong 101', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', 502],
];

describe('no client', { timeout: 300_000 }, () => {
  for (const [what, answer, status] of REFUSALS) {
    it(`ejects an endpoint by asking for what is refused by ${what}, as a plain request neither`, async () => {
      const endpoints = await Promise.all(
        Array.from({ length: 4 }, () =>
          RawEndpoint.listen(async (connection) => {
            await connection.head();
            if (answer === null) connection.destroy();
            else connection.socket.end(answer);
          }),
        ),
      );
      cleanups.push(...endpoints.map((endpoint) => () => endpoint.close()));
      const rig = await start({ endpoints: endpoints.map(({ address }) => address) });
      for (let count = 0; count < 40; count++) assert.equal(await ask(rig), status);
      for (let count = 0; count < 40; count++) {
        const client = await RawConnection.connect(rig.address('web'));
        client.write('POST / HTTP/1.1\r\nHost: app.example\r\nContent-Length: 0\r\n\r\n');
        await client.head();
        client.destroy();
      }
      // A report that was sent before is acted upon before the answer to this.
      const metrics = await rig.scrape();
      assert.equal(metrics.sum('sluice_endpoint_ejections_total'), 0);
      const states = (await statusOf(rig)).map(({ state }) => state);
      assert.deepEqual(states, ['up', 'up', 'up', 'up']);
      assert.equal(metrics.sum('sluice_cluster_panic'), 0);
    });
  }
});

describe('an endpoint that fails clients', { timeout: 300_000 }, () => {
  const OUTLIER = { consecutiveFailures: 3, ejection: '1s', maxEjection: '1s' };

  it('and refuses connections is ejected, which no client notices, and comes back when it is well', async () => {
    const [one, two] = [await fickle(), await fickle()];
    const rig = await start({ endpoints: [one.address, two.address], outlier: OUTLIER, retries: 1 }, {}, 1);
    one.die();
    await eventually(async () => {
      assert.equal(await ask(rig), 101);
      assert.equal((await statusOf(rig))[0]!.state, 'ejected');
    });
    await comesBack(rig, one);
  });

  for (const [what, fault, kind, seen] of [
    ['cuts upgrades', 'destroys', 'reset', 502],
    ['answers 500', 'fails', '5xx', 500],
    ['answers upgrades wrongly', 'lies', 'handshake', 502],
  ] as const) {
    it(`and ${what} is ejected if ${kind} counts, when several addresses have met it, and comes back`, async () => {
      const [one, two] = [await fickle(), await fickle()];
      const rig = await start(
        {
          endpoints: [one.address, two.address],
          outlier: { ...OUTLIER, failures: [kind], window: '1s', minClients: 3 },
          retries: 1,
        },
        { trustedProxies: ['127.0.0.1'] },
        1,
      );
      one.condition = fault;
      const wave = (clients: number): Promise<number[]> =>
        Promise.all(Array.from({ length: 12 }, (_, index) => ask(rig, `192.0.2.${index % clients}`)));
      // For longer than the window.
      for (let waves = 0, end = performance.now() + 2000; waves < 5 || performance.now() < end; waves++) {
        for (const status of await wave(2)) assert.ok(status === 101 || status === seen, `${status}`);
      }
      assert.equal((await statusOf(rig))[0]!.state, 'up', 'two clients decide nothing');
      const [ejected, other] = await eventually(async () => {
        await wave(12);
        const found = await statusOf(rig);
        assert.equal(found[0]!.state, 'ejected');
        return found;
      });
      assert.match(ejected!.reason, new RegExp(`^\\d+ ${kind} failures in a row for \\d+ clients`));
      assert.equal(other!.state, 'up');
      await comesBack(rig, one);
    });
  }

  async function comesBack(rig: WebRig, endpoint: FickleEndpoint): Promise<void> {
    assert.ok((await statusOf(rig))[0]!.ejections >= 1);
    const labels = { endpoint: endpoint.address };
    assert.ok((await rig.scrape()).sum('sluice_endpoint_ejections_total', labels) >= 1);
    await endpoint.recover();
    await becomes(rig, 0, 'up', /^its ejection ended$/);
    await eventually(async () => {
      const before = endpoint.sessions;
      for (let count = 0; count < 4; count++) assert.equal(await ask(rig), 101);
      assert.ok(endpoint.sessions > before);
    });
  }

  it('is tried again by no more than a fifth of the clients, so that retries make no storm', async () => {
    const [one, two] = [await fickle(), await fickle()];
    const rig = await start(
      {
        endpoints: [one.address, two.address],
        outlier: 'off',
        retries: 3,
        retryBudget: { percent: 20, minPerSecond: 0 },
        balancer: 'random',
      },
      {},
      1,
    );
    one.die();
    const answers: number[] = [];
    for (let count = 0; count < 200; count++) answers.push(await ask(rig));
    const metrics = await rig.scrape();
    const retries = metrics.sum('sluice_cluster_retries_total', { cluster: 'app' });
    const refused = metrics.sum('sluice_cluster_rejections_total', {
      cluster: 'app',
      reason: 'retry_budget',
    });
    assert.ok(retries > 10 && retries <= 40, `${retries} retries of 200 clients`);
    assert.ok(refused > 0);
    assert.equal(answers.filter((status) => status === 502).length, refused);
    assert.equal(answers.filter((status) => status === 101).length, 200 - refused);
  });

  it('gets no more connections than it may have, over all workers', async () => {
    const [one, two] = [await fickle(), await fickle()];
    const rig = await start(
      {
        endpoints: [
          { address: one.address, maxConnections: 3 },
          { address: two.address, maxConnections: 5 },
        ],
        balancer: 'least_connections',
      },
      {},
      4,
    );
    const clients: WsPeer[] = [];
    for (let count = 0; count < 8; count++) clients.push(await connect(rig));
    assert.deepEqual([one.sessions, two.sessions], [3, 5]);
    assert.equal(await ask(rig), 503);
    const metrics = await rig.scrape();
    const labels = { cluster: 'app', reason: 'endpoint_max_connections' };
    assert.equal(metrics.sum('sluice_cluster_rejections_total', labels), 1);
    clients[0]!.socket.terminate();
    await eventually(async () => assert.equal(await ask(rig), 101));
    for (const client of clients) client.socket.terminate();
  });
});
