import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { askByCurl } from '../../support/processes/curl.ts';
import { runCommand } from '../../support/processes/run-command.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { RawConnection, upgradeRequest } from '../../support/sockets/raw-connection.ts';
import { WsEndpoint, WsPeer, type ConnectOptions } from '../../support/websocket/ws-peer.ts';

describe('the routes of a listener', () => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-routes-')));
  let app: WsEndpoint;
  let rig: WebRig;

  before(async () => {
    const root = join(directory, 'public');
    mkdirSync(join(root, 'site'), { recursive: true });
    writeFileSync(join(root, 'site/index.html'), '<h1>home</h1>');
    writeFileSync(join(root, 'site/app.js'), 'export const letters = "abcdefghij";\n');
    mkdirSync(join(root, 'app'));
    for (const [name, content] of [
      ['main.js', 'plain'],
      ['main.js.br', 'as brotli'],
      ['main.js.gz', 'as gzip'],
      ['style.css', 'plain'],
      ['style.css.gz', 'as gzip'],
    ] as const)
      writeFileSync(join(root, 'app', name), content);
    writeFileSync(join(directory, 'secret'), 'secret');
    app = await WsEndpoint.listen({ handleProtocols: (offered) => [...offered].at(-1) ?? false });
    const say = (body: string): object => ({ respond: { body } });
    const where = { path: '/where' };
    rig = await WebRig.start({
      listeners: {
        web: {
          routes: [
            { match: { path: '/ping' }, ...say('pong\n') },
            {
              match: { path: '/teapot' },
              respond: { status: 418, body: '{"short":true}', contentType: 'application/json' },
            },
            { match: { path: '/empty' }, respond: { status: 204 } },
            { match: { pathRegex: '^/old/([a-z]+)/(.*)$' }, redirect: { to: '/new/$2/$1', status: 301 } },
            { match: { path: '/moved' }, redirect: { to: 'https://other.example/x?y=1' } },
            { match: { path: '/here' }, redirect: { to: '/ping', status: 302 } },
            { match: { host: 'api.example.com', ...where }, ...say('exact host') },
            { match: { host: '*.example.com', ...where }, ...say('wildcard host') },
            {
              match: { headers: { 'X-Tier': 'gold' }, query: { v: '2' }, ...where },
              ...say('header and query'),
            },
            { match: { headers: { 'X-Tier': 'gold' }, ...where }, ...say('header') },
            { match: { query: { v: '2' }, ...where }, ...say('query') },
            { match: { subprotocol: 'chat.v2', ...where }, cluster: 'app' },
            { match: where, ...say('path') },
            { match: { pathRegex: '^/users/\\d+$' }, ...say('number') },
            { match: { pathPrefix: '/users' }, ...say('prefix') },
            { match: { pathPrefix: '/site' }, static: { root } },
            {
              match: { pathPrefix: '/app' },
              static: { root, fallback: 'site/index.html', precompressed: true, cacheControl: 'max-age=60' },
              headers: { response: { set: { 'X-Frame-Options': 'DENY' } } },
            },
            { match: { host: 'ws.example.com' }, cluster: 'app' },
            { match: { path: '/ws' }, cluster: 'app', upgrade: 'only' },
          ],
        },
        counted: {
          routes: [
            { name: 'ok', match: { path: '/ok' }, ...say('ok') },
            { name: 'away', match: { path: '/away' }, redirect: { to: '/ok' } },
            { name: 'down', match: { path: '/down' }, respond: { status: 503 } },
            { name: 'site', match: { pathPrefix: '/site' }, static: { root } },
            { name: 'ws', match: { path: '/ws' }, cluster: 'app', upgrade: 'only' },
          ],
        },
      },
      clusters: { app: { endpoints: [app.address] } },
    });
  });
  after(async () => {
    app.close();
    rmSync(directory, { recursive: true, force: true });
    await rig.stop();
  });

  const curl = (path: string, args: readonly string[] = [], listener = 'web'): ReturnType<typeof askByCurl> =>
    askByCurl(rig.address(listener), path, args);

  describe('respond', () => {
    it('with the body that is configured', async () => {
      const { status, headers, body } = await curl('/ping');
      assert.equal(status, 200);
      assert.equal(headers.get('content-type'), 'text/plain; charset=utf-8');
      assert.equal(headers.get('content-length'), '5');
      assert.equal(body, 'pong\n');
    });

    it('with status and content type', async () => {
      const { status, headers, body } = await curl('/teapot');
      assert.equal(status, 418);
      assert.equal(headers.get('content-type'), 'application/json');
      assert.deepEqual(JSON.parse(body), { short: true });
    });

    it('without a body to HEAD, and for 204', async () => {
      const head = await curl('/ping', ['--head']);
      assert.deepEqual([head.status, head.headers.get('content-length'), head.body], [200, '5', '']);
      const empty = await curl('/empty');
      assert.deepEqual([empty.status, empty.headers.get('content-length'), empty.body], [204, undefined, '']);
    });

    it('to any method, whatever it brings along', async () => {
      for (const args of [
        ['--request', 'DELETE'],
        ['--data', 'x'.repeat(1000)],
        ['--header', 'Transfer-Encoding: chunked', '--data', 'x'.repeat(1000)],
      ]) {
        assert.equal((await curl('/ping', args)).body, 'pong\n');
      }
    });

    it('to several requests on one connection', async () => {
      const url = `http://${rig.address('web')}`;
      const format = ['--write-out', '%{http_code} %{num_connects}\n', '--output', '/dev/null'];
      const { stdout } = await runCommand('curl', [
        ...['-sS', ...format, `${url}/ping`, '--next'],
        ...['-sS', '--head', ...format, `${url}/ping`, '--next'],
        ...['-sS', ...format, `${url}/nowhere`, '--next'],
        ...['-sS', ...format, `${url}/ping`],
      ]);
      assert.equal(stdout, '200 1\n200 0\n404 0\n200 0\n');
    });

    it("to Node's fetch", async () => {
      const response = await fetch(`http://${rig.address('web')}/here?a=1`);
      assert.deepEqual([response.status, response.redirected, await response.text()], [200, true, 'pong\n']);
      assert.equal(new URL(response.url).search, '?a=1');
    });
  });

  describe('redirect', () => {
    for (const [path, status, location] of [
      ['/old/shop/a/b', 301, '/new/a/b/shop'],
      ['/old/shop/a?x=1&y=%20', 301, '/new/a/shop?x=1&y=%20'],
      ['/old/shop/', 301, '/new//shop'],
      ['/old/shop//evil.example/', 301, '/new//evil.example//shop'],
      ['/moved', 308, 'https://other.example/x?y=1'],
      ['/moved?z=2', 308, 'https://other.example/x?y=1'],
    ] as const) {
      it(`from ${path} to ${location}`, async () => {
        const answer = await curl(path);
        assert.deepEqual([answer.status, answer.headers.get('location')], [status, location]);
        assert.equal(answer.body, '');
        const head = await curl(path, ['--head']);
        assert.deepEqual([head.status, head.headers.get('location')], [status, location]);
      });
    }
  });

  describe('match', () => {
    const host = (name: string): string[] => ['--header', `Host: ${name}`];
    const gold = ['--header', 'x-tier: gold'];
    for (const [path, args, expected] of [
      ['/where', [], 'path'],
      ['/where', host('api.example.com'), 'exact host'],
      ['/where', host('API.Example.com:8080'), 'exact host'],
      ['/where', host('api.example.com.'), 'exact host'],
      ['/where', host('www.example.com'), 'wildcard host'],
      ['/where', host('a.b.example.com'), 'wildcard host'],
      ['/where', host('example.com'), 'path'],
      ['/where', host('notexample.com'), 'path'],
      ['/where', gold, 'header'],
      ['/where', ['--header', 'x-tier: Gold'], 'path'],
      ['/where?v=2', [], 'query'],
      ['/where?a=1&v=2', [], 'query'],
      ['/where?v=%32', [], 'query'],
      ['/where?v=1', [], 'path'],
      ['/where?v=2', gold, 'header and query'],
      ['/where?v=2', [...gold, ...host('api.example.com')], 'exact host'],
      ['/x/../where', [], 'path'],
      ['/%77here', [], 'path'],
      ['/users/12', [], 'number'],
      ['/users/x', [], 'prefix'],
      ['/users', [], 'prefix'],
    ] as const) {
      it(`${path} ${args.join(' ')}: ${expected}`, async () => {
        assert.equal((await curl(path, args)).body, expected);
      });
    }

    it('nothing else: other paths get 404', async () => {
      for (const path of ['/', '/where/', '/pings', '/userss', '/PING', '/old/UPPER/x', '/ping%2f']) {
        const { status, headers, body } = await curl(path);
        assert.equal(status, 404, path);
        assert.equal(headers.get('content-type'), 'text/plain; charset=utf-8');
        assert.equal(body, 'no route for this request\n');
      }
    });

    it('WebSockets too, by path, host and subprotocol', async () => {
      const connect = async (path: string, options: ConnectOptions): Promise<void> => {
        const client = await WsPeer.connect(`ws://${rig.address('web')}${path}`, options);
        const endpoint = await app.sessions.next();
        assert.equal(endpoint.url, path);
        client.socket.close();
      };
      await connect('/ws', {});
      await connect('/any/path?x=1', { headers: { host: 'ws.example.com' } });
      await connect('/where', { subprotocols: ['chat.v1', 'chat.v2'] });
      await assert.rejects(connect('/where', { subprotocols: ['chat.v1'] }), /response: 200/);
      await assert.rejects(connect('/nowhere', {}), /response: 404/);
    });

    it('a cluster for WebSockets only: anything else is a 426', async () => {
      for (const args of [[], ['--head'], ['--data', 'x']]) {
        const { status, headers } = await curl('/ws', args);
        assert.equal(status, 426);
        assert.equal(headers.get('upgrade'), 'websocket');
        assert.match(headers.get('connection') ?? '', /\bUpgrade\b/);
        assert.equal(headers.get('sec-websocket-version'), '13');
      }
      assert.equal(app.sessions.waiting, 0);
    });
  });

  describe('serve files', () => {
    it('with type, length and validators, whole, in part and not again', async () => {
      const page = await curl('/site/');
      assert.deepEqual([page.status, page.body], [200, '<h1>home</h1>']);
      assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
      const etag = page.headers.get('etag') ?? '';
      assert.notEqual(etag, '');
      const again = await curl('/site/', ['--header', `If-None-Match: ${etag}`]);
      assert.deepEqual([again.status, again.body], [304, '']);
      const part = await curl('/site/app.js', ['--range', '7-11']);
      assert.deepEqual([part.status, part.body], [206, 'const']);
      assert.match(part.headers.get('content-range') ?? '', /^bytes 7-11\/\d+$/);
      const head = await curl('/site/app.js', ['--head']);
      assert.deepEqual([head.status, head.body], [200, '']);
      assert.equal(head.headers.get('content-length'), '37');
    });

    it('compressed beforehand, in the coding that the client likes best', async () => {
      for (const [path, accepted, body, coding] of [
        ['/app/main.js', 'gzip, br', 'as brotli', 'br'],
        ['/app/main.js', 'gzip, br;q=0', 'as gzip', 'gzip'],
        ['/app/main.js', 'gzip', 'as gzip', 'gzip'],
        ['/app/main.js', 'identity', 'plain', undefined],
        ['/app/style.css', 'gzip, br', 'as gzip', 'gzip'],
        ['/app/style.css', 'br', 'plain', undefined],
      ] as const) {
        const answer = await curl(path, ['--header', `Accept-Encoding: ${accepted}`]);
        const { headers } = answer;
        assert.deepEqual([answer.status, answer.body, headers.get('content-encoding')], [200, body, coding]);
        assert.match(headers.get('content-type') ?? '', path.endsWith('.js') ? /javascript/ : /css/);
        assert.equal(headers.get('vary')?.toLowerCase(), 'accept-encoding');
        assert.equal(headers.get('cache-control'), 'max-age=60');
        assert.equal(headers.get('x-frame-options'), 'DENY');
      }
      const plain = await curl('/app/main.js');
      const packed = await curl('/app/main.js', ['--header', 'Accept-Encoding: br']);
      assert.notEqual(plain.headers.get('etag'), packed.headers.get('etag'));
    });

    it('or the page of an application if the file does not exist', async () => {
      for (const path of ['/app/', '/app/any/route', '/app/none.js']) {
        const { status, headers, body } = await curl(path);
        assert.deepEqual([status, body], [200, '<h1>home</h1>'], path);
        assert.match(headers.get('content-type') ?? '', /^text\/html/);
      }
      assert.equal((await curl('/app/route', ['--request', 'POST'])).status, 405);
    });

    it('from below their directory only', async () => {
      const expected = [
        ['/site/../../secret', 404],
        // Its readings leave the route.
        ['/site/..%2f..%2fsecret', 400],
        ['/site/%2e%2e/%2e%2e/secret', 404],
        ['/site/nothing', 404],
      ] as const;
      for (const [path, wanted] of expected) {
        const { status, body } = await curl(path);
        assert.equal(status, wanted, path);
        assert.doesNotMatch(body, /secret$/);
      }
    });
  });

  it('count their requests by route and class, and the outcome of upgrades', async () => {
    const upgrade = async (path: string): Promise<void> => {
      const client = await RawConnection.connect(rig.address('counted'));
      client.write(upgradeRequest('app.example', [], path));
      await client.head();
      client.destroy();
    };
    for (const path of [
      '/ok',
      '/ok',
      '/ok?x',
      '/away',
      '/down',
      '/site/',
      '/site/nothing',
      '/ws',
      '/nowhere',
    ])
      await curl(path, [], 'counted');
    await curl('/ok', ['--head'], 'counted');
    await curl('/%zz', [], 'counted');
    await upgrade('/ok');
    await upgrade('/nowhere');
    await upgrade('/nowhere');
    await upgrade('/%00');
    const listener = 'counted';
    // An answer is counted when it has been sent, so that it may be here before.
    await eventually(async () => {
      const metrics = await rig.scrape();
      for (const [route, code, count] of [
        ['ok', '2xx', 5],
        ['ok', '4xx', 0],
        ['away', '3xx', 1],
        ['down', '5xx', 1],
        ['site', '2xx', 1],
        ['site', '4xx', 1],
        ['ws', '4xx', 1],
        ['none', '4xx', 5],
      ] as const) {
        const labels = { listener, route, code };
        assert.equal(metrics.sum('sluice_http_requests_total', labels), count, `${route} ${code}`);
      }
      const timed = metrics.sum('sluice_http_request_duration_seconds_count', { listener, route: 'ok' });
      assert.equal(timed, 5);
      for (const [reason, count] of [
        ['not_websocket', 1],
        ['no_route', 2],
        ['bad_request', 1],
        ['dial_failed', 0],
      ] as const) {
        assert.equal(metrics.sum('sluice_ws_handshake_failures_total', { listener, reason }), count, reason);
      }
    });
  });
});
