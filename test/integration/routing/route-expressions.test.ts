import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { within } from '../../support/deadline.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { RawConnection, headerOf, upgradeRequest } from '../../support/sockets/raw-connection.ts';
import { WsEndpoint } from '../../support/websocket/ws-peer.ts';

const EXPRESSIONS = ['^/(?:[\\w-]+/?)+\\.html$', '/.*/.*/.*/.*/end$', '^/((a+)+)+$'];
/** One alone kept a worker busy for ever when V8 ran the expressions. */
const HOSTILE = [
  `/${'a'.repeat(60)}!`,
  `/${'a'.repeat(8000)}!`,
  '/'.repeat(400),
  `/end${'/'.repeat(8000)}`,
  `/.html${'-/'.repeat(4000)}!`,
  `/${'a'.repeat(30)}/b`,
];

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: app.example\r\n\r\n`;
}

describe('the expressions of routes', () => {
  let app: WsEndpoint;
  let rig: WebRig;

  before(async () => {
    app = await WsEndpoint.listen();
    rig = await WebRig.start({
      listeners: {
        web: {
          routes: [
            { match: { path: '/ping' }, respond: { body: 'pong' } },
            { match: { path: '/ws' }, cluster: 'app' },
            { match: { pathRegex: '^/old/([a-z]+)/(.*?)(\\.html)?$' }, redirect: { to: '/new/$2/$1$3' } },
            ...EXPRESSIONS.map((pathRegex) => ({ match: { pathRegex }, respond: { status: 204 } })),
            { match: {}, respond: { body: 'other' } },
          ],
        },
      },
      clusters: { app: { endpoints: [app.address] } },
    });
  });
  after(async () => {
    app.close();
    await rig.stop();
  });

  async function statusOf(request: string): Promise<string> {
    const client = await RawConnection.connect(rig.address('web'));
    client.write(request);
    const { startLine } = await client.head();
    client.destroy();
    return startLine;
  }

  it('freeze no worker, whatever the path is', async () => {
    const hostile = await Promise.all(HOSTILE.map(() => RawConnection.connect(rig.address('web'))));
    for (const [index, client] of hostile.entries()) client.write(get(HOSTILE[index]!));
    const answer = await within('an answer beside them', fetch(`http://${rig.address('web')}/ping`));
    assert.equal(await answer.text(), 'pong');
    for (const client of hostile) {
      assert.equal((await client.head()).startLine, 'HTTP/1.1 200 OK');
      client.destroy();
    }
  });

  it('get neither TRACE nor CONNECT', async () => {
    for (const method of ['TRACE', 'trace']) {
      const client = await RawConnection.connect(rig.address('web'));
      client.write(`${method} /ping HTTP/1.1\r\nHost: app.example\r\n\r\n`);
      const head = await client.head();
      assert.equal(head.startLine, 'HTTP/1.1 405 Method Not Allowed');
      assert.match(headerOf(head, 'allow') ?? '', /GET, HEAD, POST/);
      client.destroy();
    }
    assert.equal(
      await statusOf('CONNECT /ping HTTP/1.1\r\nHost: app.example\r\n\r\n'),
      'HTTP/1.1 400 Bad Request',
    );
  });

  it('hand their groups to redirects', async () => {
    const client = await RawConnection.connect(rig.address('web'));
    client.write(get('/old/team/a/b.html'));
    const head = await client.head();
    assert.equal(head.startLine, 'HTTP/1.1 308 Permanent Redirect');
    assert.equal(headerOf(head, 'location'), '/new/a/b/team.html');
    client.destroy();
  });

  it('refuse paths of more than 8 KiB with 414, and handshakes too', async () => {
    const long = `/${'x'.repeat(8 * 1024)}`;
    assert.equal(await statusOf(get(long)), 'HTTP/1.1 414 URI Too Long');
    assert.equal(await statusOf(upgradeRequest('app.example', [], long)), 'HTTP/1.1 414 URI Too Long');
    assert.equal(await statusOf(get(long.slice(0, -1))), 'HTTP/1.1 200 OK');
    const metrics = await rig.scrape();
    assert.equal(metrics.sum('sluice_ws_handshake_failures_total', { reason: 'bad_request' }), 1);
  });
});
