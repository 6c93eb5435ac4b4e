/** Limits count over all workers, and outlive reloads and workers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { DEADLINE_MS, eventually, within } from '../../support/deadline.ts';
import { SCALE_ENGINES, isOwnEngine } from '../../support/engines.ts';
import { scrape } from '../../support/http/metrics.ts';
import { ReloadRig } from '../../support/rigs/reload-rig.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

const MIB = 1024 * 1024;

interface Refusal {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

describe('limits', { timeout: 300_000 }, () => {
  let endpoint: WsEndpoint;
  let rig: ReloadRig;
  const open: WsPeer[] = [];

  before(async () => {
    endpoint = await WsEndpoint.listen();
    rig = await ReloadRig.start(config());
  });
  afterEach(async () => {
    for (const peer of open.splice(0)) peer.socket.terminate();
    // The next test would be refused until the last place is released.
    await eventually(async () => {
      const metrics = await scrape(rig.sluice);
      assert.equal(metrics.sum('sluice_ws_sessions_active') + metrics.sum('sluice_tunnels_active'), 0);
    });
  });
  after(() => {
    rig.sluice.kill('SIGKILL');
    endpoint.close();
  });

  function config(connections = 3): object {
    const match = { pathPrefix: '/' };
    const web = (engine: string, name: string, limits: readonly object[]): object => ({
      name: `${name}-${engine}`,
      mode: 'l7',
      engine,
      address: '127.0.0.1:0',
      limits,
      routes: [
        { match: { pathPrefix: '/hello' }, respond: { status: 200, body: 'hello' } },
        { match, cluster: 'endpoint' },
      ],
    });
    return {
      workers: { l7: 2, l4: 1, stuckAfter: '1s' },
      listeners: [
        ...SCALE_ENGINES.flatMap((engine) => [
          web(engine, 'places', [
            { name: 'places', key: 'address', connections },
            { name: 'api', key: { header: 'x-api-key' }, requests: { rate: '1/m', burst: 2 } },
          ]),
          web(engine, 'closed', [{ key: 'address', messages: { rate: '1/m', burst: 5 } }]),
        ]),
        ...SCALE_ENGINES.filter(isOwnEngine).map((engine) =>
          web(engine, 'slowed', [
            { key: 'address', bytes: { rate: '1MiB/s', burst: '256KiB' }, over: 'slow' },
          ]),
        ),
        {
          name: 'tcp',
          mode: 'l4',
          address: '127.0.0.1:0',
          cluster: 'endpoint',
          limits: [{ key: 'address', connections: 2 }],
        },
      ],
      clusters: [{ name: 'endpoint', endpoints: [{ address: endpoint.address }] }],
    };
  }

  async function enter(listener: string): Promise<WsPeer> {
    const peer = await WsPeer.connect(`ws://${rig.sluice.address(listener)}/`);
    open.push(peer);
    return peer;
  }

  /** Asks for a WebSocket that must be refused. */
  async function refusal(listener: string): Promise<Refusal> {
    const socket = new WebSocket(`ws://${rig.sluice.address(listener)}/`);
    socket.on('error', () => undefined);
    const [, response] = (await within('the refusal', once(socket, 'unexpected-response'))) as [
      unknown,
      { statusCode: number; headers: IncomingHttpHeaders },
    ];
    socket.terminate();
    return { status: response.statusCode, headers: response.headers };
  }

  async function ask(listener: string, key: string): Promise<Refusal> {
    const headers = key === '' ? {} : { 'x-api-key': key };
    const request = get(`http://${rig.sluice.address(listener)}/hello`, { headers, agent: false });
    const [response] = (await within('the answer', once(request, 'response'))) as [IncomingMessage];
    response.resume();
    await once(response, 'end');
    return { status: response.statusCode ?? 0, headers: response.headers };
  }

  for (const engine of SCALE_ENGINES) {
    describe(`on the engine ${engine}`, () => {
      const places = `places-${engine}`;

      it('count the sessions of an address over all workers', async () => {
        for (let index = 0; index < 3; index++) await enter(places);
        const { status, headers } = await refusal(places);
        assert.equal(status, 429);
        assert.equal(headers['retry-after'], '5');
        assert.equal(headers['ratelimit-policy'], '"places";q=3;qu="concurrent-requests"');
        assert.equal(headers.ratelimit, '"places";r=0;t=5');
        open.pop()!.socket.close(1000);
        await eventually(() => enter(places).then(() => undefined));
        assert.equal((await refusal(places)).status, 429);
        const metrics = await scrape(rig.sluice);
        const labels = { listener: places, limit: 'places' };
        assert.ok(metrics.sum('sluice_limit_refusals_total', { ...labels, kind: 'connections' }) >= 2);
        assert.equal(metrics.sum('sluice_limit_keys', labels), 1);
      });

      it('count requests by a header, and admit requests without it', async () => {
        assert.equal((await ask(places, 'alice')).status, 200);
        assert.equal((await ask(places, 'alice')).status, 200);
        const { status, headers } = await ask(places, 'alice');
        assert.equal(status, 429);
        assert.equal(headers['ratelimit-policy'], '"api";q=2;w=120');
        assert.ok(Number(headers['retry-after']) > 30);
        assert.equal((await ask(places, 'bob')).status, 200);
        for (let index = 0; index < 5; index++) assert.equal((await ask(places, '')).status, 200);
      });

      it('close a session that sends too many messages', async () => {
        const peer = await enter(`closed-${engine}`);
        for (let index = 0; index < 20; index++) peer.socket.send('x');
        assert.deepEqual(await peer.closed(), { code: 1008, reason: 'message rate exceeded' });
      });
    });
  }

  for (const engine of SCALE_ENGINES.filter(isOwnEngine)) {
    it(`slow down a session that sends too much, and lose nothing, on the engine ${engine}`, async () => {
      endpoint.sessions.forget();
      const peer = await enter(`slowed-${engine}`);
      const other = await endpoint.session();
      const began = performance.now();
      for (let index = 0; index < 32; index++) peer.socket.send(Buffer.alloc(MIB / 16, index));
      for (let index = 0; index < 32; index++) {
        const { data } = await other.messages.next();
        assert.ok(data.length === MIB / 16 && data[0] === index);
      }
      // 2 MiB. The burst is 256 KiB of it, and one read may be ahead.
      assert.ok(performance.now() - began > 1500);
    });
  }

  it('count the tunnels of an address at layer 4', async () => {
    for (let index = 0; index < 2; index++) await enter('tcp');
    const [host, port] = rig.sluice.address('tcp').split(':') as [string, string];
    const socket = connect(Number(port), host);
    socket.on('error', () => undefined);
    await within('the end', once(socket, 'close'));
  });

  it('keep their counts over a reload, and follow its numbers', async () => {
    const places = `places-${SCALE_ENGINES[0]!}`;
    for (let index = 0; index < 3; index++) await enter(places);
    await rig.reload(config(4));
    await enter(places);
    assert.equal((await refusal(places)).status, 429);
    await rig.reload(config(3));
    assert.equal((await refusal(places)).status, 429);
  });

  it('regain the places of a worker that fails', async () => {
    for (const engine of SCALE_ENGINES) {
      const places = `places-${engine}`;
      for (let index = 0; index < 3; index++) await enter(places);
      for (const worker of ['l7-0', 'l7-1']) await fault(worker);
      for (let index = 0; index < 3; index++) await eventually(() => enter(places).then(() => undefined));
      assert.equal((await refusal(places)).status, 429);
      for (const peer of open.splice(0)) peer.socket.terminate();
    }
  });

  it('regain the places of a worker that is stuck and terminated', async () => {
    for (let index = 0; index < 2; index++) await enter('tcp');
    const from = rig.sluice.logs.length;
    await rig.post('/debug/workers/l4-0/freeze?for=10m');
    await rig.sluice.waitForLog(({ msg }) => msg === 'stuck worker ended', DEADLINE_MS, from);
    for (let index = 0; index < 2; index++) await eventually(() => enter('tcp').then(() => undefined));
  });

  async function fault(worker: string): Promise<void> {
    const from = rig.sluice.logs.length;
    await rig.post(`/debug/workers/${worker}/fault`);
    await rig.sluice.waitForLog(
      (line) => line.msg === 'worker is up again' && line.worker === worker,
      DEADLINE_MS,
      from,
    );
  }
});
