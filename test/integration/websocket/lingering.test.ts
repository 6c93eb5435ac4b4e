import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { ENGINES, type EngineName } from '../../support/engines.ts';
import { scrape } from '../../support/http/metrics.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { RawConnection, upgradeRequest } from '../../support/sockets/raw-connection.ts';
import { CLOSE, encodeFrame } from '../../support/websocket/raw-frames.ts';
import { WsEndpoint } from '../../support/websocket/ws-peer.ts';

/** Two seconds before and after the time that a client has to close its connection. */
const MIN_CUT_MS = 3000;
const MAX_CUT_MS = 7000;

describe('a client that sends a close frame and does not close its connection', { concurrency: true }, () => {
  for (const engine of ENGINES) describe(`on ${engine}`, { timeout: 120_000 }, () => lingeringOn(engine));
});

function lingeringOn(engine: EngineName): void {
  let app: WsEndpoint;
  let rig: WebRig;
  const sockets: Socket[] = [];

  before(async () => {
    app = await WsEndpoint.listen();
    rig = await WebRig.start({
      listeners: { web: { engine, maxConnections: 2 } },
      clusters: { app: { endpoints: [app.address] } },
    });
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });
  after(async () => {
    app.close();
    await rig.stop();
  });

  /** A client that leaves its half of the connection open when the proxy has ended the other. */
  function halfOpen(): RawConnection {
    const { hostname, port } = new URL(`tcp://${rig.address('web')}`);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    sockets.push(socket);
    return new RawConnection(socket);
  }

  it('is counted until it is cut, after some seconds', async () => {
    const client = halfOpen();
    client.write(upgradeRequest('app.example'));
    assert.match((await client.head()).startLine, / 101 /);
    const other = await rig.join(app);
    client.write(encodeFrame(CLOSE, '', { mask: Buffer.alloc(4) }));
    await client.closed;
    const endedAt = performance.now();
    const connections = async (): Promise<number> =>
      (await scrape(rig.sluice)).sum('sluice_connections_active');
    await eventually(async () => {
      assert.equal((await scrape(rig.sluice)).sum('sluice_ws_sessions_active'), 1);
    });
    assert.equal(await connections(), 2);
    await assert.rejects(rig.join(app), /socket hang up|ECONNRESET|EPIPE/);
    await eventually(async () => assert.equal(await connections(), 1));
    const time = performance.now() - endedAt;
    assert.ok(time >= MIN_CUT_MS && time <= MAX_CUT_MS, `${Math.round(time)} ms`);
    const { client: third } = await eventually(() => rig.join(app));
    third.socket.close();
    other.client.socket.close();
    await rig.settled();
  });
}
