/** What listeners do besides relaying: TLS, compression at the edge, tunnels of layer 4, several workers. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CertificateAuthority } from '../../support/certificates.ts';
import { eventually } from '../../support/deadline.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import {
  MESSAGES,
  assertMessage,
  exchangeMessages,
  sendInFragments,
} from '../../support/websocket/compared-messages.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

/** Characters of one to four bytes. */
const UNICODE = Buffer.from('aß€👋'.repeat(5));

describe('WebSocket messages', () => {
  const authority = new CertificateAuthority();
  let app: WsEndpoint;
  let rig: WebRig;

  before(async () => {
    app = await WsEndpoint.listen({ maxPayload: 64 * 1024 * 1024 });
    const certificates = [authority.issue('localhost', ['DNS:localhost', 'IP:127.0.0.1'])];
    rig = await WebRig.start({
      workers: { l7: 3 },
      listeners: {
        spread: {},
        tls: { tls: { certificates }, routes: [{ match: {}, cluster: 'random-masks' }] },
        shared: { websocket: { compression: 'shared' } },
        tcp: { mode: 'l4', cluster: 'app' },
      },
      clusters: {
        app: { endpoints: [app.address] },
        'random-masks': { masking: 'random', endpoints: [app.address] },
      },
    });
  });
  after(async () => {
    app.close();
    authority.remove();
    await rig.stop();
  });

  it('keep content, kind and order through TLS, and with random masks upstream', async () => {
    const url = `wss://${rig.address('tls')}/`;
    await assert.rejects(WsPeer.connect(url), /unable to verify/);
    const { client, endpoint } = await rig.join(app, { listener: 'tls', scheme: 'wss', ca: authority.pem });
    const bytes = await exchangeMessages(client, endpoint, 2);
    const metrics = await rig.scrape();
    for (const direction of ['upstream', 'downstream']) {
      const labels = { cluster: 'random-masks', direction };
      assert.equal(metrics.sum('sluice_ws_messages_total', labels), MESSAGES);
      assert.equal(metrics.sum('sluice_ws_bytes_total', labels), bytes);
    }
    client.socket.terminate();
  });

  it('keep content, kind and order through a tunnel at layer 4', async () => {
    const { client, endpoint } = await rig.join(app, { listener: 'tcp' });
    await exchangeMessages(client, endpoint, 3);
    client.socket.terminate();
  });

  it('are compressed for a client that offers it', async () => {
    const { client, endpoint } = await rig.join(app, {
      listener: 'shared',
      perMessageDeflate: { threshold: 0 },
    });
    assert.match(client.socket.extensions, /^permessage-deflate/);
    assert.equal(endpoint.headers['sec-websocket-extensions'], undefined);
    const sent = [
      Buffer.alloc(0),
      UNICODE,
      Buffer.alloc(200, 'ab'),
      Buffer.alloc(1_000_000, 'a message that repeats itself '),
      UNICODE,
    ];
    for (const isBinary of [true, false]) {
      for (const data of sent) client.socket.send(data, { binary: isBinary });
      for (const data of sent) assertMessage(await endpoint.messages.next(), { data, isBinary });
      for (const data of sent) endpoint.socket.send(data, { binary: isBinary });
      sendInFragments(endpoint, UNICODE, 7, isBinary);
      for (const data of [...sent, UNICODE]) assertMessage(await client.messages.next(), { data, isBinary });
    }
    client.socket.terminate();
  });

  it('are not compressed for a client that does not offer it', async () => {
    const { client, endpoint } = await rig.join(app, { listener: 'shared' });
    assert.equal(client.socket.extensions, '');
    endpoint.socket.send(UNICODE, { binary: false });
    assertMessage(await client.messages.next(), { data: UNICODE, isBinary: false });
    client.socket.terminate();
  });

  it('are relayed by several workers behind one port', async () => {
    const pairs = await Promise.all(Array.from({ length: 60 }, () => rig.join(app, { listener: 'spread' })));
    // That one of three gets none of sixty happens once in ten thousand million times.
    const workers = await eventually(() => {
      const opened = rig.sluice.logs.filter(
        ({ msg, listener }) => msg === 'session opened' && listener === 'spread',
      );
      assert.equal(opened.length, pairs.length);
      return new Set(opened.map(({ worker }) => worker));
    });
    assert.deepEqual([...workers].sort(), ['l7-0', 'l7-1', 'l7-2']);
    for (const { client } of pairs) client.socket.terminate();
  });
});
