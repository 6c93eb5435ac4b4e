/** A reload that changes what connections to endpoints begin with. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ReloadRig } from '../../support/rigs/reload-rig.ts';
import { ProxiedEndpoint, type ToldConnection } from '../../support/sockets/proxied-endpoint.ts';
import { RawConnection } from '../../support/sockets/raw-connection.ts';

type Version = 'off' | 'v1' | 'v2';

describe('a reload that changes proxyProtocol', { timeout: 120_000 }, () => {
  let endpoint: ProxiedEndpoint;
  let rig: ReloadRig;
  const clients: RawConnection[] = [];

  before(async () => {
    endpoint = await ProxiedEndpoint.listen();
    rig = await ReloadRig.start(configOf('off'));
  });
  after(async () => {
    for (const client of clients) client.destroy();
    endpoint.close();
    await rig.sluice.stop();
  });

  function configOf(proxyProtocol: Version): object {
    return {
      workers: { l7: 1, l4: 1 },
      listeners: [
        { name: 'web', mode: 'l7', address: '127.0.0.1:0', routes: [{ match: {}, cluster: 'app' }] },
      ],
      clusters: [{ name: 'app', endpoints: [{ address: endpoint.address }], proxyProtocol }],
    };
  }

  async function connect(): Promise<RawConnection> {
    const client = await RawConnection.connect(rig.sluice.address('web'));
    clients.push(client);
    return client;
  }

  async function ask(client: RawConnection): Promise<ToldConnection> {
    client.write('GET / HTTP/1.1\r\nHost: app.example\r\n\r\n');
    const { startLine, headers } = await client.head();
    assert.match(startLine, / 200 /);
    const length = headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1];
    return JSON.parse((await client.bytes(Number(length))).toString()) as ToldConnection;
  }

  it('never reuses a kept connection that began with another header setting', async () => {
    const open = [await connect(), await connect()];
    const used = new Map<number, Version>();
    for (const version of ['off', 'v1', 'off', 'v2', 'v1', 'v2', 'off'] as const) {
      await rig.reload(configOf(version));
      for (const client of [...open, ...open]) {
        const { told, connection } = await ask(client);
        const ends = `127.0.0.1:${client.socket.localPort} ${rig.sluice.address('web')}`;
        assert.equal(told, version === 'off' ? 'none' : ends);
        assert.equal(used.get(connection) ?? version, version);
        used.set(connection, version);
      }
    }
  });
});
