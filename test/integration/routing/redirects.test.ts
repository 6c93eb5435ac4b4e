import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ENGINES, isOwnEngine, type EngineName } from '../../support/engines.ts';
import { askByCurl } from '../../support/processes/curl.ts';
import { runCommand } from '../../support/processes/run-command.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { RawConnection, headerOf, upgradeRequest } from '../../support/sockets/raw-connection.ts';

describe('redirects by parts of the request', () => {
  let rig: WebRig;

  before(async () => {
    const routes = [
      {
        match: { host: ['bare.example', '*.bare.example'] },
        redirect: { to: 'https://www.bare.example$path' },
      },
      {
        match: { pathPrefix: '/login' },
        redirect: { to: 'https://id.example/?to=https://$host$path$query', status: 302 },
      },
      { match: { pathRegex: '^/group(.*)$' }, redirect: { to: 'https://example.com$1' } },
      { match: { pathPrefix: '/slash' }, redirect: { to: '$path/' } },
      { match: { path: '/app' }, cluster: 'app' },
      { match: {}, redirect: { to: 'https://$host:8443$path$query' } },
    ];
    rig = await WebRig.start({
      listeners: Object.fromEntries(
        ENGINES.flatMap((engine): [string, object][] => [
          [engine, { engine, routes }],
          [`${engine}-to-https`, { engine, ...TO_HTTPS }],
        ]),
      ),
      clusters: { app: { endpoints: ['127.0.0.1:9'] } },
    });
  });
  after(() => rig.stop());

  for (const engine of ENGINES) {
    describe(`(${engine})`, () => tests(engine, () => rig.address(engine)));

    describe(`of redirectToHttps (${engine})`, () => {
      const listener = `${engine}-to-https`;
      const ask = async (path: string, args: readonly string[] = []): Promise<string> => {
        const sent = ['--header', 'Host: a.test:80', ...args];
        const { status, headers } = await askByCurl(rig.address(listener), path, sent);
        return `${status} ${headers.get('location') ?? ''}`;
      };

      it('take every request that no route takes', async () => {
        assert.equal(await ask('/a%20b?q=1'), '308 https://a.test/a%20b?q=1');
        assert.equal(await ask('/', ['--data', 'body']), '308 https://a.test/');
        assert.equal(await ask('/.well-known/acme-challenge/token'), '200 ');
      });

      it('follow the access rules and limits of the listener', async () => {
        assert.equal(await ask('/', ['--header', 'X-Forwarded-For: 203.0.113.9']), '403 ');
        const key = ['--header', 'x-key: one'];
        assert.equal(await ask('/', key), '308 https://a.test/');
        assert.equal(await ask('/', key), '429 ');
      });

      it('are logged and counted as the route redirect-to-https', async () => {
        const client = await RawConnection.connect(rig.address(listener));
        client.write(upgradeRequest('a.test', [], '/socket'));
        assert.match((await client.head()).startLine, / 308 /);
        client.destroy();
        const line = await rig.sluice.waitForLog(
          (each) => each.listener === listener && each.path === '/socket',
        );
        assert.deepEqual([line.route, line.status, line.reason], ['redirect-to-https', 308, 'not_websocket']);
        const metrics = await rig.scrape();
        assert.ok(metrics.sum('sluice_http_requests_total', { listener, route: 'redirect-to-https' }) > 0);
      });
    });
  }
});

/** A listener of plain HTTP behind a proxy, with an access rule and a limit. */
const TO_HTTPS = {
  redirectToHttps: true,
  trustedProxies: ['127.0.0.1'],
  access: { deny: ['203.0.113.0/24'] },
  limits: [{ key: { header: 'x-key' }, requests: '1/h' }],
  routes: [{ match: { pathPrefix: '/.well-known/acme-challenge' }, respond: { body: 'proof' } }],
};

function tests(engine: EngineName, address: () => string): void {
  const locationOf = async (path: string, args: readonly string[] = []): Promise<string> => {
    const { status, headers, body } = await askByCurl(address(), path, args);
    return status >= 400 ? `${status} ${body.trim()}` : `${status} ${headers.get('location') ?? ''}`;
  };
  const host = (name: string): string[] => ['--header', `Host: ${name}`];

  for (const [path, name, expected] of [
    ['/', 'Example.COM:8080', '308 https://example.com:8443/'],
    ['/a%2fb/%7Ec?q=1&r=%20', 'example.com', '308 https://example.com:8443/a%2Fb/~c?q=1&r=%20'],
    ['/x', '[::1]:1', '308 https://[::1]:8443/x'],
    ['/x', 'example.com.', '308 https://example.com:8443/x'],
    ['/x?', 'example.com', '308 https://example.com:8443/x'],
    ['//evil.test/%0d%0aSet-Cookie:a', 'a.test', '308 https://a.test:8443//evil.test/%0D%0ASet-Cookie:a'],
    ['/@evil.test', 'a.test', '308 https://a.test:8443/@evil.test'],
    ['/a/..;/b', 'a.test', '400 the location has a dot segment'],
    ['/x?y', 'bare.example', '308 https://www.bare.example/x?y'],
    ['/x', 'a.b.bare.example', '308 https://www.bare.example/x'],
    ['/login/a?b=1&c=2', 'a.test', '302 https://id.example/?to=https://a.test%2Flogin%2Fa%3Fb%3D1%26c%3D2'],
    ['/group/a', 'a.test', '308 https://example.com/a'],
    ['/group.evil.test/a', 'a.test', '400 the location names another host'],
    ['/group@evil.test', 'a.test', '400 the location names another host'],
    ['/slash', 'a.test', '308 /slash/'],
  ] as const) {
    it(`answer ${path} on ${name}: ${expected}`, async () => {
      assert.equal(await locationOf(path, host(name)), expected);
    });
  }

  it('never insert a malformed host', async () => {
    for (const name of ['a.test/x', 'a.test@evil.test', 'a.test%0d', 'a b', 'a.test?x', 'a\\b', 'a..b', '']) {
      assert.match(await locationOf('/', host(name === '' ? ' ' : name)), /^400 /, name);
    }
  });

  // uws answers 505 to these.
  const own = { skip: !isOwnEngine(engine) };
  it('take host and path of an absolute target', own, async () => {
    const target = ['--request-target', 'http://real.test:81/p?q'];
    assert.equal(await locationOf('/', [...host('other.test'), ...target]), '308 https://real.test:8443/p?q');
  });

  it('answer OPTIONS * with the root', own, async () => {
    const target = ['--request', 'OPTIONS', '--request-target', '*'];
    assert.equal(await locationOf('/', [...host('a.test'), ...target]), '308 https://a.test:8443/');
  });

  it('refuse HTTP/1.0 without a host', own, async () => {
    const client = await RawConnection.connect(address());
    client.write('GET / HTTP/1.0\r\n\r\n');
    assert.match((await client.head()).startLine, / 400 /);
    client.destroy();
  });

  it('answer a WebSocket handshake', async () => {
    const client = await RawConnection.connect(address());
    client.write(upgradeRequest('a.test', [], '/chat?x=1'));
    const head = await client.head();
    assert.match(head.startLine, / 308 /);
    assert.equal(headerOf(head, 'location'), 'https://a.test:8443/chat?x=1');
    client.destroy();
  });

  it('lead curl to the same place as the header says', async () => {
    const { stdout } = await runCommand('curl', [
      ...['-sS', '-o', '/dev/null', '--write-out', '%{redirect_url}', '--path-as-is'],
      ...[...host('a.test'), `http://${address()}//evil.test/x`],
    ]);
    assert.equal(stdout, 'https://a.test:8443//evil.test/x');
  });
}
