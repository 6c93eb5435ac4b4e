/** Pages of the proxy's own error answers, on each engine, as curl and as plain bytes see them. */
import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ENGINES, type EngineName } from '../../support/engines.ts';
import { askByCurl } from '../../support/processes/curl.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { freePorts } from '../../support/sockets/free-port.ts';
import { RawConnection, headerOf, upgradeRequest } from '../../support/sockets/raw-connection.ts';

/** Larger than a socket takes at once, and not ASCII. */
const LARGE = `<!doctype html><p>ä</p>${'x'.repeat(60 * 1024)}\n`;
const JSON_PAGE = '{"error":"gone"}\n';
const TEXT_PAGE = 'refused\n';

describe('error pages', () => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-pages-')));
  const file = (name: string): string => join(directory, name);
  let app: Server;
  let rig: WebRig;

  before(async () => {
    writeFileSync(file('404.html'), LARGE);
    writeFileSync(file('gone.json'), JSON_PAGE);
    writeFileSync(file('refused.txt'), TEXT_PAGE);
    app = createServer((request, response) => {
      request.resume();
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end('the endpoint’s own');
    });
    await new Promise<void>((settle) => app.listen(0, '127.0.0.1', settle));
    const [nobody] = await freePorts(1);
    const to = `127.0.0.1:${(app.address() as AddressInfo).port}`;
    const routes = [
      { match: { path: '/app' }, to },
      { match: { path: '/only' }, to, upgrade: 'only' },
      { match: { path: '/gone' }, cluster: 'gone', headers: { response: { set: { 'x-route': 'gone' } } } },
      { match: { path: '/plain' }, cluster: 'gone', errorPages: 'off' },
      { match: { path: '/own' }, cluster: 'gone', errorPages: { 502: file('refused.txt') } },
      { match: { path: '/closed' }, to, access: { allow: ['192.0.2.1'] } },
      { match: { path: '/said' }, respond: { status: 404, body: 'said\n' } },
      { match: { pathPrefix: '/files' }, static: { root: directory } },
    ];
    const errorPages = { 404: file('404.html'), '5xx': file('gone.json'), default: file('refused.txt') };
    const http = { maxBodySize: '10B' };
    rig = await WebRig.start({
      listeners: Object.fromEntries(ENGINES.map((engine) => [engine, { engine, errorPages, http, routes }])),
      clusters: { gone: { endpoints: [`127.0.0.1:${nobody!}`], retries: 0, outlier: 'off' } },
    });
  });
  after(async () => {
    app.close();
    app.closeAllConnections();
    rmSync(directory, { recursive: true, force: true });
    await rig.stop();
  });

  for (const engine of ENGINES) describe(`on ${engine}`, () => pagesOn(engine));

  function pagesOn(engine: EngineName): void {
    const ask = (path: string, ...args: string[]): ReturnType<typeof askByCurl> =>
      askByCurl(rig.address(engine), path, args);

    /** The answer to bytes on an open connection. */
    async function answer(client: RawConnection, bytes: string, hasBody = true): Promise<[string, string]> {
      client.write(bytes);
      const head = await client.head();
      const length = Number(headerOf(head, 'content-length'));
      return [
        head.startLine.slice(9, 12),
        hasBody ? (await client.bytes(length)).toString() : String(length),
      ];
    }

    it('replace short texts, and keep status and headers', async () => {
      const cases = [
        ['/none', 404, LARGE, 'text/html; charset=utf-8'],
        ['/files/none', 404, LARGE, 'text/html; charset=utf-8'],
        ['/gone', 502, JSON_PAGE, 'application/json'],
        ['/own', 502, TEXT_PAGE, 'text/plain; charset=utf-8'],
        ['/closed', 403, TEXT_PAGE, 'text/plain; charset=utf-8'],
        ['/only', 426, TEXT_PAGE, 'text/plain; charset=utf-8'],
      ] as const;
      for (const [path, status, body, type] of cases) {
        const got = await ask(path);
        assert.deepEqual([path, got.status, got.body === body], [path, status, true]);
        assert.equal(got.headers.get('content-type'), type);
        assert.equal(got.headers.get('x-route'), path === '/gone' ? 'gone' : undefined);
        assert.equal(got.headers.get('upgrade'), status === 426 ? 'websocket' : undefined);
      }
      const large = await ask('/app', '--data', 'more than ten bytes', '-H', 'Expect:');
      assert.deepEqual([large.status, large.body], [413, TEXT_PAGE]);
    });

    it('leave the answers of endpoints, of respond routes and of routes without pages', async () => {
      assert.equal((await ask('/app')).body, 'the endpoint’s own');
      assert.equal((await ask('/said')).body, 'said\n');
      const plain = await ask('/plain');
      assert.match(plain.headers.get('content-type') ?? '', /^text\/plain/);
      assert.ok(![JSON_PAGE, TEXT_PAGE, LARGE].includes(plain.body));
    });

    it('answer HEAD with the length alone, and the connection stays usable', async () => {
      const client = await RawConnection.connect(rig.address(engine));
      const length = String(Buffer.byteLength(LARGE));
      const lines = 'HTTP/1.1\r\nHost: app.example\r\n\r\n';
      assert.deepEqual(await answer(client, `HEAD /none ${lines}`, false), ['404', length]);
      assert.deepEqual(await answer(client, `GET /none ${lines}`), ['404', LARGE]);
      assert.deepEqual(await answer(client, `GET /gone ${lines}`), ['502', JSON_PAGE]);
      client.destroy();
    });

    it('reach clients whose WebSocket is refused', async () => {
      for (const [path, status, body] of [
        ['/none', '404', LARGE],
        ['/gone', '502', JSON_PAGE],
        ['/closed', '403', TEXT_PAGE],
      ] as const) {
        const client = await RawConnection.connect(rig.address(engine));
        assert.deepEqual(await answer(client, upgradeRequest('app.example', [], path)), [status, body]);
        client.destroy();
      }
    });

    it('are not for malformed requests', async () => {
      for (const request of [
        'GET /none HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
        'TRACE /none HTTP/1.1\r\nHost: a\r\n\r\n',
      ]) {
        const client = await RawConnection.connect(rig.address(engine));
        client.write(request);
        const text = (await client.rest()).toString();
        assert.match(text, /^HTTP\/1.1 40[05] /);
        assert.ok(!text.includes(TEXT_PAGE) && text.length < 1000, text);
      }
    });
  }
});
