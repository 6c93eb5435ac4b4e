import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ENGINES, isOwnEngine } from '../../support/engines.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { RawConnection } from '../../support/sockets/raw-connection.ts';
import { WsEndpoint } from '../../support/websocket/ws-peer.ts';

/** A header of version 2 from an AWS network load balancer: 203.0.113.7 connected by a VPC endpoint. */
const HEADER = Buffer.concat([
  Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'),
  Buffer.from([0x21, 0x11, 0, 12 + 3 + 1 + 22, 203, 0, 113, 7, 10, 0, 0, 1, 0x30, 0x39, 0x01, 0xbb]),
  Buffer.from([0xea, 0, 23, 0x01]),
  Buffer.from('vpce-08d2bf15fac5001c9', 'latin1'),
]);

describe('the access line of a request after a PROXY header', () => {
  let app: WsEndpoint;
  let rig: WebRig;

  before(async () => {
    app = await WsEndpoint.listen();
    const listener = {
      trustedProxies: ['127.0.0.1'],
      proxyProtocol: 'required',
      routes: [
        { match: { path: '/ping' }, respond: { body: 'pong' } },
        { match: {}, cluster: 'app' },
      ],
    };
    rig = await WebRig.start({
      workers: { l7: 1 },
      listeners: Object.fromEntries(
        ENGINES.filter(isOwnEngine).map((engine) => [engine, { ...listener, engine }]),
      ),
      clusters: { app: { endpoints: [app.address] } },
    });
  });
  after(async () => {
    app.close();
    await rig.stop();
  });

  for (const engine of ENGINES.filter(isOwnEngine)) {
    it(`names the client and its VPC endpoint, on ${engine}`, async () => {
      const from = rig.sluice.logs.length;
      const connection = await RawConnection.connect(rig.address(engine));
      connection.write(
        Buffer.concat([HEADER, Buffer.from('GET /ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')]),
      );
      const line = await rig.sluice.waitForLog(({ msg }) => msg === 'request', undefined, from);
      assert.deepEqual([line.client, line.vpcEndpointId], ['203.0.113.7', 'vpce-08d2bf15fac5001c9']);
      connection.destroy();
    });
  }
});
