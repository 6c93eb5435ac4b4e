/** Requests that name an upgrade to WebSocket, and are answered as plain HTTP all the same. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { WebRig } from '../../support/rigs/web-rig.ts';
import {
  RawConnection,
  headerOf,
  upgradeRequest,
  type RawHead,
} from '../../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

describe('an upgrade is plain HTTP', () => {
  let endpoint: RawEndpoint;
  let rig: WebRig;

  before(async () => {
    endpoint = await RawEndpoint.listen();
    const routes = [
      { match: { pathPrefix: '/never' }, cluster: 'raw', upgrade: 'never' },
      { match: { pathPrefix: '/text' }, respond: { status: 200, body: 'text' } },
      { match: { pathPrefix: '/away' }, redirect: { to: '/text', status: 302 } },
      { match: { pathPrefix: '/also' }, cluster: 'raw' },
    ];
    rig = await WebRig.start({
      listeners: { web: { routes } },
      clusters: { raw: { retries: 0, endpoints: [endpoint.address] } },
    });
  });
  after(async () => {
    endpoint.close();
    await rig.stop();
  });

  const OK = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok';
  const handshake = (path: string, ...lines: string[]): string => upgradeRequest('app.example', lines, path);
  const fields = ({ headers }: RawHead): string[] => headers.map(([name]) => name.toLowerCase());

  /** Sends a request, which the endpoint must get without any Upgrade. */
  async function passesPlain(request: string): Promise<RawConnection> {
    const client = await RawConnection.connect(rig.address('web'));
    client.write(request);
    const { connection, head } = await endpoint.request();
    assert.equal(fields(head).includes('upgrade'), false);
    assert.equal(headerOf(head, 'sec-websocket-key'), undefined);
    assert.doesNotMatch(headerOf(head, 'connection') ?? '', /upgrade/i);
    connection.write(OK);
    assert.match((await client.head()).startLine, / 200 /);
    client.destroy();
    return connection;
  }

  it('if Upgrade comes without its connection option', async () => {
    const connection = /Connection: .*\r\n/;
    await passesPlain(handshake('/also').replace(connection, ''));
    await passesPlain(handshake('/also').replace(connection, 'Connection: keep-alive\r\n'));
    await passesPlain('GET /also HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n');
  });

  const malformed: readonly (readonly [what: string, of: (request: string) => string])[] = [
    ['right', (request) => request],
    ['without a key', (request) => request.replace(/Sec-WebSocket-Key: .*\r\n/, '')],
    ['with a bad key', (request) => request.replace(KEY, 'dGhl')],
    ['with two keys', (request) => request.replace('Upgrade:', `Sec-WebSocket-Key: ${KEY}\r\nUpgrade:`)],
    ['of another version', (request) => request.replace('Version: 13', 'Version: 8')],
    ['by HEAD', (request) => request.replace('GET', 'HEAD')],
    ['with two upgrades', (request) => request.replace('Upgrade:', 'Upgrade: h2c\r\nUpgrade:')],
    [
      'for a bad subprotocol',
      (request) => request.replace('Upgrade:', 'Sec-WebSocket-Protocol: ;\r\nUpgrade:'),
    ],
  ];
  for (const [what, change] of malformed) {
    it(`on a route that makes no WebSockets, if the handshake is ${what}`, async () => {
      await passesPlain(change(handshake('/never')));
      for (const [path, status] of [
        ['/text', 200],
        ['/away', 302],
      ] as const) {
        const client = await RawConnection.connect(rig.address('web'));
        client.write(change(handshake(path)));
        assert.equal(Number((await client.head()).startLine.split(' ')[1]), status);
        client.destroy();
      }
    });
  }

  it('with its body on a route that makes no WebSockets', async () => {
    for (const method of ['GET', 'POST']) {
      for (const [framing, body, behind] of [
        ['Content-Length: 5', 'hello', 'hello'],
        ['Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n', '5\r\nhello\r\n0\r\n\r\n'],
      ] as const) {
        const request = handshake('/never', framing).replace('GET', method);
        const connection = await passesPlain(`${request}${body}`);
        assert.equal((await connection.bytes(behind.length)).toString(), behind);
      }
    }
  });

  it('and counts as such', async () => {
    const metrics = await rig.scrape();
    const failed = (reason: string): number =>
      metrics.sum('sluice_ws_handshake_failures_total', { listener: 'web', reason });
    assert.equal(failed('bad_request'), 0);
    // Those that another route than one to a cluster has answered: the client wanted something else.
    assert.equal(failed('not_websocket'), 2 * malformed.length);
  });

  it('but a handshake that is malformed on a route that makes WebSockets', async () => {
    for (const [change, status] of [
      [(request: string) => request.replace(KEY, 'dGhl'), 400],
      [(request: string) => request.replace('Version: 13', 'Version: 8'), 426],
      [(request: string) => request.replace('GET', 'POST'), 400],
    ] as const) {
      const client = await RawConnection.connect(rig.address('web'));
      client.write(change(handshake('/also')));
      assert.equal(Number((await client.head()).startLine.split(' ')[1]), status);
      client.destroy();
    }
  });
});
