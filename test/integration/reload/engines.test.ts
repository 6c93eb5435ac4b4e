/** A listener of layer 7 that changes its engine while it is in use. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ENGINES, type EngineName } from '../../support/engines.ts';
import { ReloadRig } from '../../support/rigs/reload-rig.ts';
import { RawConnection, upgradeRequest } from '../../support/sockets/raw-connection.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

/** From each engine to each other one. */
const CHANGES = ENGINES.flatMap((from) => ENGINES.filter((to) => to !== from).map((to) => ({ from, to })));

describe('a listener that changes its engine', { timeout: 180_000 }, () => {
  let endpoint: WsEndpoint;
  let rig: ReloadRig;
  let address: string;

  before(async () => {
    endpoint = await WsEndpoint.listen();
    rig = await ReloadRig.start(configFor('raw'));
    address = await rig.address('web');
  });
  after(async () => {
    endpoint.close();
    await rig.sluice.stop();
  });

  function configFor(engine: EngineName): object {
    return {
      listeners: [
        {
          name: 'web',
          mode: 'l7',
          engine,
          address: '127.0.0.1:0',
          routes: [
            { match: { path: '/said' }, respond: { status: 200, body: 'x' } },
            { match: {}, cluster: 'app' },
          ],
        },
      ],
      clusters: [{ name: 'app', endpoints: [{ address: endpoint.address }] }],
    };
  }

  async function join(): Promise<readonly [client: WsPeer, served: WsPeer]> {
    const [client, served] = await Promise.all([WsPeer.connect(`ws://${address}/`), endpoint.session()]);
    return [client, served];
  }

  async function talk([client, served]: readonly [WsPeer, WsPeer]): Promise<void> {
    client.socket.send('up');
    assert.equal((await served.messages.next()).data.toString(), 'up');
    served.socket.send('down');
    assert.equal((await client.messages.next()).data.toString(), 'down');
  }

  async function engine(): Promise<string | undefined> {
    return (await rig.status()).listeners[0]?.engine;
  }

  for (const { from, to } of CHANGES) {
    it(`keeps its sessions from ${from} to ${to}, and refuses nobody`, async () => {
      await rig.reload(configFor(from));
      assert.equal(await engine(), from);
      const old = await join();
      await talk(old);
      const idle = await RawConnection.connect(address);
      idle.write('GET /said HTTP/1.1\r\nHost: a\r\n\r\n');
      assert.match((await idle.head()).startLine, / 200 /);
      await idle.bytes(1);

      const reload = rig.reload(configFor(to));
      const during: (readonly [WsPeer, WsPeer])[] = [];
      for (let count = 0; count < 10; count++) during.push(await join());
      await reload;
      assert.equal(await engine(), to);

      idle.write(upgradeRequest('a'));
      assert.match((await idle.head()).startLine, / 101 /);
      await endpoint.session();
      const fresh = await join();
      for (const session of [old, ...during, fresh]) await talk(session);
      idle.destroy();
      for (const [client] of [old, ...during, fresh]) client.socket.close(1000);
      for (const [client, served] of [old, ...during, fresh]) {
        assert.equal((await client.closed()).code, 1000);
        assert.equal((await served.closed()).code, 1000);
      }
    });
  }
});
