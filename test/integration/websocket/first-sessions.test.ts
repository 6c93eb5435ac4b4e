import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

/** What V8 does when functions have been called a few times falls into the first sessions of a process. */
const PROCESSES = 6;
const WAVES = 3;
const AT_ONCE = 10;

describe('the first sessions of a process', { timeout: 300_000 }, () => {
  let endpoint: WsEndpoint;

  before(async () => {
    endpoint = await WsEndpoint.listen();
  });
  after(() => endpoint.close());

  it('live until one side ends them', async () => {
    for (let run = 0; run < PROCESSES; run++) {
      const rig = await WebRig.start({
        workers: { l7: 1 },
        listeners: { web: {} },
        clusters: { echo: { endpoints: [endpoint.address] } },
      });
      try {
        for (let wave = 0; wave < WAVES; wave++) {
          const clients = Array.from({ length: AT_ONCE }, () =>
            WsPeer.connect(`ws://${rig.address('web')}/`),
          );
          const opened = await Promise.all(clients);
          for (let count = 0; count < AT_ONCE; count++) (await endpoint.session()).socket.send('still there');
          for (const client of opened) {
            assert.equal((await client.messages.next()).data.toString(), 'still there');
            client.socket.close();
          }
        }
      } finally {
        await rig.stop();
      }
    }
  });
});
