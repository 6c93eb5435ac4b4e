/** A process with few descriptors and more idle clients than fit. Other clients must not notice. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { eventually, within } from '../../support/deadline.ts';
import { ENGINES } from '../../support/engines.ts';
import { askAdmin } from '../../support/http/admin-client.ts';
import { scrape } from '../../support/http/metrics.ts';
import { cpuSeconds, descriptors } from '../../support/processes/process-facts.ts';
import { startSluice, type SluiceProcess } from '../../support/processes/sluice-process.ts';
import { TcpEndpoint, TcpPeer } from '../../support/sockets/tcp-peer.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

const LIMIT = 256;
/** Clients that the limit carries beside three worker threads. */
const MAX_CLIENTS = 78;
const FLOOD = 400;

/** Connections that say nothing. */
class Flood {
  readonly #sockets: Socket[] = [];
  closed = 0;

  constructor(address: string, count: number) {
    const { hostname, port } = new URL(`tcp://${address}`);
    for (let index = 0; index < count; index++) {
      const socket = connect({ host: hostname, port: Number(port) });
      socket.on('error', () => undefined);
      socket.once('close', () => this.closed++);
      socket.resume();
      this.#sockets.push(socket);
    }
  }

  end(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

describe('a process with few descriptors', { skip: process.platform !== 'linux', timeout: 300_000 }, () => {
  let sluice: SluiceProcess;
  let app: WsEndpoint;
  let tcp: TcpEndpoint;
  const floods: Flood[] = [];

  before(async () => {
    app = await WsEndpoint.listen();
    tcp = await TcpEndpoint.echo();
    const healthCheck = { type: 'tcp', interval: '200ms', timeout: '5s', fall: 1 };
    const clusters = Object.entries({ app, tcp }).map(([name, { address }]) => ({
      name,
      endpoints: [{ address }],
      healthCheck,
      outlier: { consecutiveFailures: 1, ejection: '1h' },
    }));
    sluice = await startSluice({
      descriptorLimit: LIMIT,
      config: {
        workers: { l7: 2, l4: 1 },
        admin: { address: '127.0.0.1:0' },
        listeners: [
          ...ENGINES.map((engine) => ({
            name: `web-${engine}`,
            mode: 'l7',
            engine,
            address: '127.0.0.1:0',
            routes: [{ match: {}, cluster: 'app' }],
          })),
          { name: 'raw', mode: 'l4', address: '127.0.0.1:0', cluster: 'tcp' },
          { name: 'net', mode: 'l4', engine: 'net', address: '127.0.0.1:0', cluster: 'tcp' },
        ],
        clusters,
      },
    });
  });
  afterEach(async () => {
    for (const flood of floods.splice(0)) flood.end();
    await eventually(async () => assert.equal((await scrape(sluice)).sum('sluice_connections_active'), 0));
  });
  after(async () => {
    await sluice.stop();
    app.close();
    tcp.close();
  });

  /** Floods a listener, and waits until it has refused what does not fit. */
  async function flood(listener: string): Promise<Flood> {
    const flood = new Flood(sluice.address(listener), FLOOD);
    floods.push(flood);
    await eventually(() => assert.ok(flood.closed >= FLOOD - MAX_CLIENTS, `${flood.closed} refused`));
    return flood;
  }

  /** The admin address answers, and no endpoint has been blamed. */
  async function looksHealthy(): Promise<void> {
    for (const path of ['/livez', '/readyz']) {
      assert.equal((await askAdmin(sluice.admin, path)).status, 200, path);
    }
    const metrics = await scrape(sluice);
    assert.equal(metrics.sum('sluice_endpoint_up'), 2);
    assert.equal(metrics.sum('sluice_endpoint_connect_failures_total'), 0);
    assert.equal(metrics.sum('sluice_connections_rejected_total', { reason: 'dial_failed' }), 0);
    assert.ok(descriptors(sluice.pid) <= LIMIT - 16, `${descriptors(sluice.pid)} descriptors`);
  }

  /** Probes continue: the number of each endpoint's probes grows. */
  async function probesSucceed(): Promise<void> {
    const from = sluice.logs.length;
    const passed = async (): Promise<number> => {
      const { body } = await askAdmin(sluice.admin, '/status');
      const { clusters } = JSON.parse(body) as {
        clusters: {
          endpoints: { state: string; lastProbe: { at: string; failure: string | null } | null }[];
        }[];
      };
      const endpoints = clusters.flatMap(({ endpoints }) => endpoints);
      for (const { state, lastProbe } of endpoints) {
        assert.equal(state, 'up');
        assert.equal(lastProbe?.failure ?? null, null);
      }
      return Math.min(...endpoints.map(({ lastProbe }) => Date.parse(lastProbe?.at ?? '')));
    };
    const start = Date.now();
    await eventually(async () => assert.ok((await passed()) > start + 400));
    assert.deepEqual(
      sluice.logs.slice(from).filter(({ msg }) => /endpoint (?:failed|down|ejected)/.test(msg)),
      [],
    );
  }

  /** Checks that the process waits for events, and does not spin. */
  async function isIdle(): Promise<void> {
    await eventually(async () => {
      const [from, at] = [cpuSeconds(sluice.pid), performance.now()];
      await new Promise((settle) => setTimeout(settle, 1000));
      const share = (cpuSeconds(sluice.pid) - from) / ((performance.now() - at) / 1000);
      assert.ok(share < 0.5, `busy for ${share} of the time`);
    });
  }

  async function echoes(client: TcpPeer, text: string): Promise<void> {
    const before = client.received;
    client.send(text);
    await eventually(() => assert.equal(client.received, before + text.length));
  }

  const rejected = async (listener: string): Promise<number> =>
    (await scrape(sluice)).sum('sluice_connections_rejected_total', { listener, reason: 'descriptors' });

  it('says at its start how many clients that is', async () => {
    const { limit, maxClients } = await sluice.waitForLog(({ msg }) => msg === 'descriptor limit');
    assert.deepEqual([limit, maxClients], [LIMIT, MAX_CLIENTS]);
  });

  for (const web of ENGINES.map((engine) => `web-${engine}`)) {
    it(`keeps sessions, dials, probes and the admin address alive in a flood of ${web}`, async () => {
      const url = `ws://${sluice.address(web)}/`;
      const session = await WsPeer.connect(url);
      const peer = await app.session();
      // They were accepted before the flood, and ask for an endpoint in the middle of it.
      const early = Array.from({ length: 20 }, () => connect(Number(new URL(url).port), '127.0.0.1'));
      await eventually(async () => assert.equal((await scrape(sluice)).sum('sluice_connections_active'), 21));

      await flood(web);
      session.socket.send('ping');
      assert.equal((await peer.messages.next()).data.toString(), 'ping');
      peer.socket.send('pong');
      assert.equal((await session.messages.next()).data.toString(), 'pong');
      await Promise.all(early.map((socket) => within('a 101', answerTo(socket))));
      await Promise.all(early.map(() => app.session()));
      await looksHealthy();
      assert.ok((await rejected(web)) >= FLOOD - MAX_CLIENTS);
      await probesSucceed();
      await isIdle();
      for (const socket of early) socket.destroy();
      session.socket.terminate();
    });

    it(`serves new sessions of ${web} after the idle clients left`, async () => {
      (await flood(web)).end();
      const session = await eventually(() => WsPeer.connect(`ws://${sluice.address(web)}/`));
      const peer = await app.session();
      session.socket.send('after the flood');
      assert.equal((await peer.messages.next()).data.toString(), 'after the flood');
      session.socket.terminate();
    });
  }

  for (const engine of ['raw', 'net'] as const) {
    it(`keeps tunnels, probes and the admin address alive in a flood at layer 4, engine ${engine}`, async () => {
      const before = await rejected(engine);
      const client = (await TcpPeer.connect(sluice.address(engine))).read();
      await echoes(client, 'before the flood');
      const idle = await flood(engine);
      await echoes(client, 'in the flood');
      await looksHealthy();
      assert.ok((await rejected(engine)) - before >= FLOOD - MAX_CLIENTS);
      await probesSucceed();
      await isIdle();
      idle.end();
      const late = await eventually(async () => {
        const late = (await TcpPeer.connect(sluice.address(engine))).read();
        late.send('late');
        await late.receivesText('late');
        return late;
      });
      for (const open of [client, late]) open.destroy();
    });
  }

  it('logs the refusals of a flood in few lines', () => {
    const lines = sluice.logs.filter(({ msg }) => msg === 'connection refused: out of file descriptors');
    assert.ok(lines.length >= 1 && lines.length < 60, `${lines.length} lines`);
    assert.ok(lines.every(({ limit, maxClients }) => limit === LIMIT && maxClients === MAX_CLIENTS));
  });
});

/** Sends a WebSocket handshake; resolves when it has been answered with 101. */
function answerTo(socket: Socket): Promise<void> {
  socket.write(
    'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  return new Promise((settle, fail) => {
    socket.once('data', (bytes) => {
      const [line = ''] = bytes.toString('latin1').split('\r\n');
      if (line.includes(' 101 ')) settle();
      else fail(new Error(line));
    });
    socket.once('close', () => fail(new Error('closed')));
    socket.on('error', () => undefined);
  });
}
