/** Clusters that are written at the place of their use keep their connections when the place stays. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { ChangeStage } from '../../support/rigs/change-stage.ts';
import { eventually } from '../../support/deadline.ts';
import { TcpEndpoint } from '../../support/sockets/tcp-peer.ts';
import { WsEndpoint } from '../../support/websocket/ws-peer.ts';

const RESTART = { code: 1012, reason: 'service restart' };

describe('a cluster in "to"', { timeout: 300_000 }, () => {
  const stage = new ChangeStage();
  const { start, session, tunnel, alive } = stage;
  const local = '127.0.0.1:0';
  let other: WsEndpoint;
  let otherEcho: TcpEndpoint;

  before(async () => {
    await stage.open();
    other = await WsEndpoint.listen();
    otherEcho = await TcpEndpoint.echo();
  });
  afterEach(stage.clear);
  after(() => {
    stage.close();
    other.close();
    otherEcho.close();
  });

  it('keeps the sessions of the endpoints that remain', async () => {
    const web = (to: unknown): object => ({ listeners: [{ name: 'web', address: local, to }] });
    const { address } = stage.endpoint;
    const rig = await start(web(address));
    const kept = await session(rig, '/');
    await rig.reload(web([address, other.address]));
    await alive(kept);
    await rig.reload(web({ balancer: 'random', endpoints: [{ address, weight: 2 }, other.address] }));
    await alive(kept);
    const { workers } = await rig.status();
    assert.ok(workers.every(({ generation }) => generation === 3));
    await rig.reload(web(other.address));
    assert.deepEqual(await kept.client.closed(), RESTART);
    await alive(await session(rig, '/', other));
  });

  it('keeps the tunnels of the endpoints that remain', async () => {
    const tcp = (to: unknown): object => ({ listeners: [{ name: 'tcp', mode: 'l4', address: local, to }] });
    const rig = await start(tcp(stage.echo.address));
    const kept = await tunnel(rig);
    await rig.reload(tcp([stage.echo.address, otherEcho.address]));
    kept.send('2');
    await kept.receivesText('12');
    await rig.reload(tcp(otherEcho.address));
    await eventually(async () => assert.equal((await rig.status()).connections, 0));
  });

  it('keeps the sessions of a route without a name when others come and go before it', async () => {
    const web = (...before: readonly object[]): object => ({
      listeners: [
        {
          name: 'web',
          address: local,
          routes: [...before, { match: { pathPrefix: '/app' }, to: stage.endpoint.address }],
        },
      ],
    });
    const first = { match: { pathPrefix: '/first' }, to: other.address };
    const rig = await start(web());
    const kept = await session(rig);
    await rig.reload(web({ match: { path: '/health' }, respond: { body: 'ok' } }, first));
    await alive(kept);
    const added = await session(rig, '/first', other);
    await rig.reload(web());
    assert.deepEqual(await added.client.closed(), RESTART);
    await alive(kept);
    assert.match(await rig.metrics(), /cluster="web-app"/);
  });
});
