/** What every answer of a route carries: the route's own changes, and the id that the log has. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { WebSocketServer } from 'ws';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { freePorts } from '../../support/sockets/free-port.ts';
import {
  RawConnection,
  headerOf,
  upgradeRequest,
  valuesOf,
  type RawHead,
} from '../../support/sockets/raw-connection.ts';

const ORIGIN = 'https://page.example';
const HSTS = 'max-age=63072000';
const HEADERS = {
  response: {
    set: { 'Strict-Transport-Security': HSTS },
    add: { 'Access-Control-Allow-Origin': ORIGIN },
    remove: ['Server', 'Retry-After'],
  },
};
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

/**
 * Answers `/…` with headers that it chose, never answers `/hang`, and takes upgrades unless the path is
 * `/denied`.
 */
function startApp(): Promise<Server> {
  const own = { Server: 'app', 'Strict-Transport-Security': 'max-age=1', 'X-Request-Id': 'theirs' };
  const app = createServer((request, response) => {
    request.resume();
    if (!request.url!.startsWith('/hang')) response.writeHead(200, own).end('ok');
  });
  const sockets = new WebSocketServer({ noServer: true });
  sockets.on('headers', (lines) => lines.push(...Object.entries(own).map((pair) => pair.join(': '))));
  app.on('upgrade', (request, socket, head) => {
    if (request.url === '/denied') {
      socket.end(
        'HTTP/1.1 401 Unauthorized\r\nServer: app\r\nX-Request-Id: theirs\r\nContent-Length: 0\r\n\r\n',
      );
    } else if (request.url !== '/hang') {
      sockets.handleUpgrade(request, socket, head, () => undefined);
    }
  });
  return new Promise((settle) => app.listen(0, '127.0.0.1', () => settle(app)));
}

describe('the headers of an answer', () => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-answers-')));
  let app: Server;
  let rig: WebRig;

  before(async () => {
    mkdirSync(join(directory, 'site'));
    writeFileSync(join(directory, 'site/page.txt'), 'page');
    app = await startApp();
    const [nobody] = await freePorts(1);
    const routes = [
      { match: { path: '/respond' }, respond: { status: 200, body: 'hi' } },
      { match: { path: '/redirect' }, redirect: { to: '/respond' } },
      { match: { pathPrefix: '/site' }, static: { root: directory } },
      { match: { path: '/gone' }, cluster: 'gone' },
      { match: { path: '/full' }, cluster: 'full' },
      { match: { path: '/only' }, cluster: 'app', upgrade: 'only' },
      { match: { path: '/sticky' }, cluster: 'sticky', more: { remove: ['set-cookie'] } },
      { match: { pathPrefix: '/nameless' }, cluster: 'app', more: { remove: ['x-request-id'] } },
      { match: { pathPrefix: '/app' }, cluster: 'app', rewrite: { stripPrefix: '/app' } },
    ];
    const address = `127.0.0.1:${(app.address() as AddressInfo).port}`;
    rig = await WebRig.start({
      listeners: {
        web: {
          routes: routes.map(({ more, ...route }) => ({
            ...route,
            headers: { response: { ...HEADERS.response, ...more } },
          })),
          websocket: { handshakeTimeout: '300ms' },
          http: { requestTimeout: '300ms', maxBodySize: '10B', idleTimeout: '1s' },
        },
      },
      clusters: {
        app: { endpoints: [address] },
        gone: { endpoints: [`127.0.0.1:${nobody!}`], retries: 0, outlier: { consecutiveFailures: 1000 } },
        full: { endpoints: [{ address, maxConnections: 1, weight: 1 }], maxConnections: 1 },
        sticky: { endpoints: [address], sticky: { cookie: 'home' } },
      },
    });
  });
  after(async () => {
    app.close();
    app.closeAllConnections();
    rmSync(directory, { recursive: true, force: true });
    await rig.stop();
  });

  /** The head of the answer to bytes. */
  async function head(bytes: string): Promise<RawHead> {
    const client = await RawConnection.connect(rig.address('web'));
    try {
      client.write(bytes);
      return await client.head();
    } finally {
      client.destroy();
    }
  }

  const plain = (path: string, more: readonly string[] = [], method = 'GET', body = ''): string =>
    `${method} ${path} HTTP/1.1\r\n${['Host: app.example', ...more].join('\r\n')}\r\n\r\n${body}`;
  const upgrade = (path: string): string => upgradeRequest('app.example', [], path);

  const ANSWERS: readonly (readonly [status: number, what: string, bytes: string])[] = [
    [200, 'an endpoint', plain('/app/')],
    [200, 'a fixed response', plain('/respond')],
    [308, 'a redirect', plain('/redirect')],
    [200, 'a file', plain('/site/page.txt')],
    [304, 'a file that has not changed', plain('/site/page.txt', ['If-None-Match: *'])],
    [404, 'a file that is missing', plain('/site/none.txt')],
    [416, 'a range beyond a file', plain('/site/page.txt', ['Range: bytes=99-'])],
    [502, 'an endpoint that is down', plain('/gone')],
    [504, 'an endpoint that does not answer', plain('/app/hang')],
    [413, 'a body that is too large', plain('/app/', ['Content-Length: 11'], 'POST', 'x'.repeat(11))],
    [
      413,
      'chunks that are too large',
      plain('/app/', ['Transfer-Encoding: chunked'], 'POST', 'b\r\nxxxxxxxxxxx\r\n0\r\n\r\n'),
    ],
    [408, 'a body that stops', plain('/app/', ['Content-Length: 9'], 'POST', 'x')],
    [426, 'a route for WebSockets alone', plain('/only')],
    [101, 'a WebSocket', upgrade('/app/')],
    [401, "an endpoint's refusal of a WebSocket", upgrade('/app/denied')],
    [502, 'a WebSocket whose endpoint is down', upgrade('/gone')],
    [504, 'a WebSocket whose endpoint does not answer', upgrade('/app/hang')],
  ];
  for (const [status, what, bytes] of ANSWERS) {
    it(`are the route's for ${what} (${status}), with one request id`, async () => {
      const answer = await head(bytes);
      assert.match(answer.startLine, new RegExp(`^HTTP/1.1 ${status} `));
      assert.equal(headerOf(answer, 'strict-transport-security'), HSTS);
      assert.equal(headerOf(answer, 'access-control-allow-origin'), ORIGIN);
      assert.equal(headerOf(answer, 'server'), undefined);
      assert.match(headerOf(answer, 'x-request-id') ?? '', UUID);
    });
  }

  it("are the route's if the cluster has all its connections (503)", async () => {
    const client = await RawConnection.connect(rig.address('web'));
    client.write(upgrade('/full'));
    assert.match((await client.head()).startLine, / 101 /);
    for (const bytes of [plain('/full'), upgrade('/full')]) {
      const answer = await head(bytes);
      assert.match(answer.startLine, / 503 /);
      assert.equal(headerOf(answer, 'access-control-allow-origin'), ORIGIN);
      assert.equal(headerOf(answer, 'retry-after'), undefined);
    }
    client.destroy();
  });

  it('have the request id alone if no route was found', async () => {
    for (const [bytes, status] of [
      [plain('/nowhere'), 404],
      [plain('/app/', ['Host: twice']), 400],
      [upgrade('/nowhere'), 404],
      [plain('/app/', [], 'TRACE'), 405],
    ] as const) {
      const answer = await head(bytes);
      assert.match(answer.startLine, new RegExp(` ${status} `));
      assert.match(headerOf(answer, 'x-request-id') ?? '', UUID);
      assert.equal(headerOf(answer, 'strict-transport-security'), undefined);
    }
  });

  it('leave the request id out if the route removes it', async () => {
    for (const bytes of [plain('/nameless'), upgrade('/nameless')]) {
      assert.deepEqual(valuesOf(await head(bytes), 'x-request-id'), []);
    }
  });

  it("keep the proxy's own cookie if the route removes the endpoint's", async () => {
    for (const bytes of [plain('/sticky'), upgrade('/sticky')]) {
      assert.match(headerOf(await head(bytes), 'set-cookie') ?? '', /^home=/);
    }
  });
});
