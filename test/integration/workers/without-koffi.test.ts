/** If the package for system calls does not load, everything works, and the log says why it is slower. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { askAdmin } from '../../support/http/admin-client.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { WsEndpoint } from '../../support/websocket/ws-peer.ts';

const NO_KOFFI = join(import.meta.dirname, '../../support/processes/fixtures/no-koffi.ts');
const WHY = 'the package koffi is not installed (npm installs it without --omit=optional)';

describe('a sluice without koffi', () => {
  let app: WsEndpoint;
  let rig: WebRig;

  before(async () => {
    app = await WsEndpoint.listen();
    rig = await WebRig.start({
      listeners: { web: {}, tcp: { mode: 'l4', cluster: 'app' } },
      clusters: { app: { endpoints: [app.address] } },
      env: { NODE_OPTIONS: `--import=${NO_KOFFI}` },
    });
  });
  after(async () => {
    app.close();
    await rig.stop();
  });

  it('says in one line that the engine net replaces raw, and why', () => {
    const lines = rig.sluice.logs.filter(({ msg }) => msg.startsWith('using engine net'));
    assert.deepEqual(
      lines.map(({ level, msg, reason }) => ({ level, msg, reason })),
      [
        {
          level: 'warn',
          msg: 'using engine net instead of raw: system calls cannot be used',
          reason: WHY,
        },
      ],
    );
  });

  it('says that native libraries may write between the lines of the log', () => {
    const lines = rig.sluice.logs.filter(
      ({ msg }) => msg === 'native libraries may write to standard output',
    );
    assert.deepEqual(
      lines.map(({ level, reason }) => ({ level, reason })),
      [{ level: 'info', reason: WHY }],
    );
  });

  it('shows the engine in its status and its metrics', async () => {
    const { listeners } = JSON.parse((await askAdmin(rig.sluice.admin, '/status')).body) as {
      readonly listeners: readonly { readonly name: string; readonly engine?: string }[];
    };
    assert.equal(listeners.find(({ name }) => name === 'tcp')?.engine, 'net');
    assert.equal((await rig.scrape()).sum('sluice_build_info', { engine: 'net' }), 1);
  });

  for (const listener of ['web', 'tcp']) {
    it(`carries messages of every size both ways (${listener})`, async () => {
      const { client, endpoint } = await rig.join(app, { listener });
      for (const size of [0, 5, 70_000, 3_000_000]) {
        client.socket.send(Buffer.alloc(size, 'up'));
        assert.ok((await endpoint.messages.next()).data.equals(Buffer.alloc(size, 'up')));
        endpoint.socket.send(Buffer.alloc(size, 'down'));
        assert.ok((await client.messages.next()).data.equals(Buffer.alloc(size, 'down')));
      }
      client.socket.close(4000, 'done');
      assert.deepEqual(await endpoint.closed(), { code: 4000, reason: 'done' });
    });
  }
});
