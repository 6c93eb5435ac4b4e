import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually, within } from '../../support/deadline.ts';
import { ENGINES, type EngineName } from '../../support/engines.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { RawConnection, upgradeRequest } from '../../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';
import { CLOSE, PING, closeBody, encodeFrame } from '../../support/websocket/raw-frames.ts';
import type { WsPeer } from '../../support/websocket/ws-peer.ts';
import { WsEndpoint } from '../../support/websocket/ws-peer.ts';

/** A multiple of what uWS can do. A busy machine may keep a peer of the test from answering a ping for seconds. */
const IDLE_MS = 16_000;
const LIFETIME_MS = 1000;
/** How long an endpoint has to answer a close frame. */
const CLOSE_MS = 5000;

/**
 * The tests wait for time to pass, so they run at once, each with its own endpoint. Lower bounds leave room
 * for a busy machine, on which the proxy's clock stands still for a while.
 */
describe('the deadlines of a connection', { concurrency: true }, () => {
  for (const engine of ENGINES) describe(`on ${engine}`, { concurrency: true }, () => deadlinesOn(engine));
});

function deadlinesOn(engine: EngineName): void {
  const ws = new Map<string, WsEndpoint>();
  const raw = new Map<string, RawEndpoint>();
  let rig: WebRig;

  before(async () => {
    for (const name of ['living', 'mute-client', 'old', 'open-client']) {
      ws.set(name, await WsEndpoint.listen());
    }
    for (const name of [
      'mute-endpoint',
      'talking-endpoint',
      'open-endpoint',
      'flooding-endpoint',
      'unasked',
    ]) {
      raw.set(name, await RawEndpoint.listen());
    }
    const endpoints = [...ws, ...raw];
    const routes = endpoints.map(([name]) => ({ match: { path: `/${name}` }, cluster: name }));
    rig = await WebRig.start({
      listeners: {
        idle: { engine, routes, websocket: { idleTimeout: `${IDLE_MS}ms` } },
        brief: { engine, routes, websocket: { maxLifetime: `${LIFETIME_MS}ms` } },
        patient: { engine, routes, websocket: { idleTimeout: '0s' } },
      },
      clusters: Object.fromEntries(endpoints.map(([name, { address }]) => [name, { endpoints: [address] }])),
    });
  });
  after(async () => {
    for (const endpoint of [...ws.values(), ...raw.values()]) endpoint.close();
    await rig.stop();
  });

  /** A client of `ws` and its session at the endpoint of `ws` that has this name. */
  function pair(listener: string, name: string): Promise<{ client: WsPeer; endpoint: WsPeer }> {
    return rig.join(ws.get(name)!, { listener, path: `/${name}` });
  }

  /** The same with an endpoint that speaks raw frames. */
  function pairAtRaw(listener: string, name: string): Promise<{ client: WsPeer; endpoint: RawConnection }> {
    return rig.join(raw.get(name)!, { listener, path: `/${name}` });
  }

  /** The same with a client that speaks raw frames. */
  function rawClientPair(
    listener: string,
    name: string,
  ): Promise<{ client: RawConnection; endpoint: WsPeer }> {
    return rig.joinRaw(ws.get(name)!, { listener, path: `/${name}` });
  }

  it('leave an idle session alone as long as both sides answer pings', async () => {
    const { client, endpoint } = await pair('idle', 'living');
    const openedAt = performance.now();
    for (let i = 0; i < 3; i++) await Promise.all([client.pings.next(), endpoint.pings.next()]);
    assert.ok(performance.now() - openedAt > IDLE_MS);
    client.socket.send('still here');
    endpoint.socket.send('here too');
    assert.equal((await endpoint.messages.next()).data.toString(), 'still here');
    assert.equal((await client.messages.next()).data.toString(), 'here too');
    client.socket.close();
  });

  it('end the session of a client that answers no ping', async () => {
    const openedAt = performance.now();
    const { client, endpoint } = await rawClientPair('idle', 'mute-client');
    assert.equal((await client.frame()).opcode, PING);
    assert.deepEqual(await endpoint.closed(), { code: 1001, reason: '' });
    // uWS counts in steps of four seconds.
    assert.ok(performance.now() - openedAt > IDLE_MS / 2);
    await client.rest();
  });

  it('end the session of a client that stops reading, however many bytes wait for it', async () => {
    const { client, endpoint } = await pairAtRaw('idle', 'flooding-endpoint');
    client.socket.pause();
    const pausedAt = performance.now();
    endpoint.write(encodeFrame(2, Buffer.alloc(64 * 1024 * 1024)));
    let close = await endpoint.frame();
    // The endpoint gets pings until the proxy holds as much as may wait for a client.
    while (close.opcode === PING) close = await endpoint.frame();
    assert.deepEqual([close.opcode, close.payload], [CLOSE, closeBody(1001)]);
    assert.ok(performance.now() - pausedAt > IDLE_MS / 2);
    // The session is over, and counted, a moment after the close frame.
    const metrics = await eventually(async () => {
      const scraped = await rig.scrape();
      const labels = { cluster: 'flooding-endpoint', side: 'client' };
      assert.equal(scraped.sum('sluice_ws_closes_total', labels), 1);
      return scraped;
    });
    assert.ok(metrics.sum('sluice_ws_paused_total', { direction: 'downstream' }) >= 1);
    assert.equal(
      metrics.sum('sluice_ws_closes_total', { cluster: 'flooding-endpoint', side: 'client', code: '1006' }),
      1,
    );
    assert.equal(metrics.sum('sluice_ws_buffered_bytes', { direction: 'downstream' }), 0);
    endpoint.destroy();
  });

  it('end the session of an endpoint that answers no ping', async () => {
    const openedAt = performance.now();
    const { client, endpoint } = await pairAtRaw('idle', 'mute-endpoint');
    const ping = await endpoint.frame();
    assert.deepEqual([ping.opcode, ping.masked], [PING, true]);
    assert.deepEqual(await client.closed(), { code: 1011, reason: 'endpoint timed out' });
    assert.ok(performance.now() - openedAt > 0.75 * IDLE_MS);
    await endpoint.rest();
  });

  it('leave an endpoint alone that answers no ping but sends something', async () => {
    const { client, endpoint } = await pairAtRaw('idle', 'talking-endpoint');
    const openedAt = performance.now();
    const talk = setInterval(() => endpoint.write(encodeFrame(1, 'tick')), 500);
    try {
      while (performance.now() - openedAt < IDLE_MS + 1000) await client.messages.next();
    } finally {
      clearInterval(talk);
    }
    client.socket.close();
  });

  it('end a session that has reached its age with 1012', async () => {
    const openedAt = performance.now();
    const { client, endpoint } = await pair('brief', 'old');
    assert.deepEqual(await client.closed(), { code: 1012, reason: 'maximum lifetime reached' });
    assert.ok(performance.now() - openedAt > LIFETIME_MS / 2);
    assert.deepEqual(await endpoint.closed(), { code: 1001, reason: '' });
  });

  it('cut the connection of an endpoint that does not answer a close frame', async () => {
    const { client, endpoint } = await pairAtRaw('patient', 'open-endpoint');
    const closedAt = performance.now();
    client.socket.close(4000, 'enough');
    const close = await endpoint.frame();
    assert.equal(close.opcode, CLOSE);
    assert.deepEqual(close.payload, closeBody(4000, 'enough'));
    assert.equal((await client.closed()).code, 4000);
    await within('the end of the connection', endpoint.closed);
    assert.ok(performance.now() - closedAt > CLOSE_MS / 2);
  });

  it('cut the connection of a client that does not answer a close frame', async () => {
    const { client, endpoint } = await rawClientPair('patient', 'open-client');
    // The proxy's FIN is not answered.
    client.socket.allowHalfOpen = true;
    endpoint.socket.close(4000, 'enough');
    assert.deepEqual((await client.frame()).payload, closeBody(4000, 'enough'));
    await endpoint.closed();
    // To a connection that the other side has cut, nothing can be written.
    await eventually(() => {
      client.write(encodeFrame(PING, '', { mask: Buffer.alloc(4) }));
      assert.ok(client.socket.destroyed);
    });
  });

  for (const [what, request] of [
    ['says nothing', ''],
    ['never ends its head', 'GET /unasked HTTP/1.1\r\nHost: app.example\r\nUpgra'],
    ['names no host', upgradeRequest('app.example', [], '/unasked').replace('Host: app.example\r\n', '')],
  ] as const) {
    it(`cut off a client that ${what}`, async () => {
      const client = await RawConnection.connect(rig.address('idle'));
      client.write(request);
      const answer = await client.rest();
      assert.doesNotMatch(answer.toString('latin1'), /^HTTP\/1\.1 [123]/);
      assert.equal(raw.get('unasked')!.connections.count, 0);
    });
  }
}
