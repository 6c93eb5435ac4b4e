import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { SCALE_ENGINES, type EngineName } from '../../support/engines.ts';
import { eventually } from '../../support/deadline.ts';
import { ask } from '../../support/http/http-endpoint.ts';
import { TokenIssuer } from '../../support/http/token-issuer.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

const FROM = [
  { header: 'authorization' },
  { cookie: 'session' },
  { query: 'token' },
  { subprotocol: 'bearer' },
] as const;

function listenerOf(engine: EngineName, keys: string): object {
  return {
    engine,
    access: {
      jwt: {
        keys,
        algorithms: ['ES256'],
        issuer: 'https://id.example.com',
        audience: 'chat',
        from: FROM,
        forward: { 'x-user': 'sub' },
      },
    },
  };
}

for (const engine of SCALE_ENGINES) {
  describe(`tokens on ${engine}`, { timeout: 300_000 }, () => {
    let issuer: TokenIssuer;
    let endpoint: WsEndpoint;
    let rig: WebRig;

    before(async () => {
      issuer = await TokenIssuer.listen();
      endpoint = await WsEndpoint.listen();
      rig = await WebRig.start({
        listeners: { web: listenerOf(engine, issuer.keysUrl) },
        clusters: { echo: { endpoints: [endpoint.address] } },
      });
    });
    after(async () => {
      endpoint.close();
      issuer.close();
      await rig.stop();
    });

    /** Joins a client, and returns what the endpoint has seen of it. */
    const join = async (options: Parameters<WebRig['join']>[1]): Promise<[WsPeer, WsPeer]> => {
      const { client, endpoint: peer } = await rig.join(endpoint, options);
      client.socket.close(1000);
      await client.closed();
      return [client, peer];
    };

    it('admit a client by its header, and identify it to the endpoint', async () => {
      const headers = { authorization: `Bearer ${await issuer.token('zoë')}`, 'x-user': 'root' };
      const [, peer] = await join({ headers });
      assert.equal(Buffer.from(String(peer.headers['x-user']), 'latin1').toString(), 'zoë');
      assert.equal(peer.headers.authorization, headers.authorization);
    });

    it('admit a client by its cookie', async () => {
      const [, peer] = await join({ headers: { cookie: `a=1; session=${await issuer.token('bob')}` } });
      assert.equal(peer.headers['x-user'], 'bob');
    });

    it('admit a client by its query, hidden from endpoint and log', async () => {
      const token = await issuer.token('carol');
      const [, peer] = await join({ path: `/room?a=1&token=${token}&b=2` });
      assert.equal(peer.headers['x-user'], 'carol');
      assert.equal(peer.url, '/room?a=1&b=2');
      assert.ok(!JSON.stringify(rig.sluice.logs).includes(token.split('.')[2]!));
    });

    it('admit a client by its subprotocols, and answer with the name that browsers need', async () => {
      const token = await issuer.token('dave');
      const alone = await join({ subprotocols: ['bearer', token] });
      assert.equal(alone[0].socket.protocol, 'bearer');
      assert.equal(alone[1].headers['sec-websocket-protocol'], undefined);
      const [client, peer] = await join({ subprotocols: ['chat', `bearer.${token}`, 'json'] });
      assert.equal(peer.headers['sec-websocket-protocol'], 'chat, json');
      assert.equal(client.socket.protocol, 'chat');
      assert.ok(!JSON.stringify(rig.sluice.logs).includes(token.split('.')[2]!));
    });

    it('are asked for with 401, and a bad one is refused with a reason', async () => {
      const url = `http://${rig.address('web')}/`;
      const missing = await ask(url);
      assert.equal(missing.status, 401);
      assert.equal(missing.headers['www-authenticate'], 'Bearer realm="sluice"');
      const bad = await ask(url, { headers: { authorization: 'Bearer a.b.c' } });
      assert.equal(bad.status, 401);
      assert.match(String(bad.headers['www-authenticate']), /error="invalid_token"/);
      const metrics = await rig.scrape();
      assert.ok(metrics.sum('sluice_access_refusals_total') >= 2);
    });

    it('with a new key are admitted at once, and tokens with a removed key are refused', async () => {
      const old = await issuer.token('old');
      await join({ headers: { authorization: `Bearer ${old}` } });
      await issuer.replace();
      await join({ headers: { authorization: `Bearer ${await issuer.token('new')}` } });
      const gone = await ask(`http://${rig.address('web')}/`, {
        headers: { authorization: `Bearer ${old}` },
      });
      assert.equal(gone.status, 401);
    });

    it('count while the URL of the keys is down', async () => {
      issuer.isDown = true;
      try {
        for (const name of ['erin', 'frank']) {
          const [, peer] = await join({ headers: { authorization: `Bearer ${await issuer.token(name)}` } });
          assert.equal(peer.headers['x-user'], name);
        }
      } finally {
        issuer.isDown = false;
      }
    });
  });
}

describe('a key set that is down at the start', { timeout: 120_000 }, () => {
  it('admits nobody until it is up, and then everybody with a token', async () => {
    const issuer = await TokenIssuer.listen();
    const endpoint = await WsEndpoint.listen();
    issuer.isDown = true;
    const rig = await WebRig.start({
      listeners: { web: listenerOf(SCALE_ENGINES[0]!, issuer.keysUrl) },
      clusters: { echo: { endpoints: [endpoint.address] } },
    });
    try {
      const headers = { authorization: `Bearer ${await issuer.token('alice')}` };
      const early = await ask(`http://${rig.address('web')}/`, { headers });
      assert.deepEqual([early.status, early.headers['retry-after']], [503, '5']);
      issuer.isDown = false;
      await eventually(async () => {
        const client = await WsPeer.connect(`ws://${rig.address('web')}/`, { headers });
        client.socket.close();
        await client.closed();
      });
    } finally {
      endpoint.close();
      issuer.close();
      await rig.stop();
    }
  });
});
