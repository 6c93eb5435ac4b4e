/** Lines of the access log about requests, handshakes, sessions and tunnels. */
import assert from 'node:assert/strict';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { CertificateAuthority } from '../../support/certificates.ts';
import { eventually } from '../../support/deadline.ts';
import { ENGINES, isOwnEngine, type EngineName } from '../../support/engines.ts';
import { scrape } from '../../support/http/metrics.ts';
import type { LogLine, SluiceProcess } from '../../support/processes/sluice-process.ts';
import { startLoggedApp, startLoggedSluice } from '../../support/rigs/access-log-rig.ts';
import {
  RawConnection,
  headerOf,
  upgradeRequest,
  type RawHead,
} from '../../support/sockets/raw-connection.ts';

const CLIENT = '198.51.100.7';
const FROM_BROWSER = [
  `X-Forwarded-For: ${CLIENT}`,
  'Origin: https://page.example',
  'User-Agent: browser/1.0',
  'Sec-WebSocket-Protocol: chat.v1, chat.v2',
];
/** The fields that tell whose request it was, in every line about one. */
const WHOSE = {
  client: CLIENT,
  host: 'app.example',
  origin: 'https://page.example',
  userAgent: 'browser/1.0',
};

const ENDED = 'connection ended without a request';

describe('the access log', { concurrency: true }, () => {
  for (const engine of ENGINES) describe(`on ${engine}`, { concurrency: 1 }, () => accessLogOn(engine));
});

function accessLogOn(engine: EngineName): void {
  const isOwn = isOwnEngine(engine);
  const authority = new CertificateAuthority();
  let app: Server;
  let sluice: SluiceProcess;

  before(async () => {
    app = await startLoggedApp();
    sluice = await startLoggedSluice(app, authority, engine);
  });
  after(async () => {
    app.closeAllConnections();
    app.close();
    authority.remove();
    assert.deepEqual(await sluice.stop(), { code: 0, signal: null });
  });

  async function open(bytes: string, listener = 'web'): Promise<RawConnection> {
    const client = await RawConnection.connect(sluice.address(listener));
    client.write(bytes);
    return client;
  }

  /** The head of the answer to bytes, and the line about them. */
  async function answered(bytes: string, msg: string): Promise<{ head: RawHead; line: LogLine }> {
    const client = await open(bytes);
    const head = await client.head();
    const requestId = headerOf(head, 'x-request-id');
    const line = await sluice.waitForLog((line) => line.msg === msg && line.requestId === requestId);
    client.destroy();
    return { head, line };
  }

  const upgrade = (path: string, more = FROM_BROWSER): string => upgradeRequest('app.example', more, path);
  const ask = (target: string, ...lines: readonly string[]): string =>
    `${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
  const subset = (line: LogLine, like: object): object =>
    Object.fromEntries(Object.keys(like).map((key) => [key, line[key]]));

  for (const [what, path, expected] of [
    ['without a route', '/nowhere', { route: 'none', status: 404, reason: 'no_route' }],
    ['at a route without WebSockets', '/fixed', { route: 'fixed', status: 403, reason: 'not_websocket' }],
    [
      'whose endpoint is down',
      '/gone',
      {
        route: 'gone',
        cluster: 'gone',
        status: 502,
        reason: 'dial_failed',
        detail: 'the endpoint cannot be reached',
      },
    ],
    [
      'that the endpoint refuses',
      '/app/denied',
      { route: 'app', cluster: 'app', status: 401, reason: 'refused' },
    ],
  ] as const) {
    it(`has a line for a handshake ${what}, with its client and its reason`, async () => {
      const { line } = await answered(upgrade(`${path}?token=secret`), 'handshake refused');
      const wanted = { listener: 'web', ...WHOSE, path, subprotocol: 'chat.v1, chat.v2', ...expected };
      assert.deepEqual(subset(line, wanted), wanted);
      assert.equal(
        typeof line.endpoint,
        path.startsWith('/app') || path === '/gone' ? 'string' : 'undefined',
      );
      const { seconds } = line;
      assert.ok(typeof seconds === 'number' && Math.round(seconds * 1e6) / 1e6 === seconds);
      assert.equal(
        sluice.logs.filter(({ msg, path: other }) => msg === 'request' && other === path).length,
        0,
      );
    });
  }

  it('says why the proxy refused a request', async () => {
    const ambiguous = 'the path is ambiguous and may match another route';
    for (const [bytes, status, reason, detail] of [
      [ask('GET /app//..%2fx', 'Host: a'), 400, 'ambiguous_path', ambiguous],
      [ask('GET /app', 'Host: a', 'Host: b'), 400, 'bad_host', 'more than one host header'],
      [ask('GET /nowhere', 'Host: a'), 404, undefined, 'no route for this request'],
      [ask('GET /fixed', 'Host: a'), 403, undefined, undefined],
      [ask('GET /gone', 'Host: a'), 502, 'dial_failed', 'the endpoint cannot be reached'],
    ] as const) {
      const { line } = await answered(bytes, 'request');
      assert.deepEqual([line.status, line.reason, line.detail], [status, reason, detail]);
    }
  });

  if (isOwn) {
    it('names the complete parts of a request whose head is refused', async () => {
      for (const [bytes, method, path, reason] of [
        ['GET /app?token=secret HTTP/1.1\r\nHost: a\nb', 'GET', '/app', 'bad_line_end'],
        ['POST /app HTTP/1.1\r\n\r\n', 'POST', '/app', 'bad_host'],
        ['GET /app\x00 HTTP/1.1\r\n\r\n', 'GET', undefined, 'bad_target'],
        ['G@T /app HTTP/1.1\r\n\r\n', undefined, undefined, 'bad_method'],
      ] as const) {
        const { line } = await answered(bytes, 'request');
        assert.deepEqual([line.method, line.path, line.reason], [method, path, reason]);
      }
    });
  }

  it('has a line for a handshake that is out of order', async () => {
    const bytes = upgrade('/app/').replace('Version: 13', 'Version: 8');
    const { line } = await answered(bytes, 'handshake refused');
    const wanted = { ...WHOSE, route: 'app', status: 426, reason: 'bad_request' };
    assert.deepEqual(subset(line, wanted), wanted);
  });

  it('has a line for a handshake that finds the cluster full', async () => {
    const first = await open(upgrade('/full'));
    assert.match((await first.head()).startLine, / 101 /);
    const { line } = await answered(upgrade('/full'), 'handshake refused');
    const wanted = { ...WHOSE, route: 'full', cluster: 'full', status: 503, reason: 'overload' };
    assert.deepEqual(subset(line, wanted), wanted);
    first.destroy();
  });

  it('has a line for a handshake whose client leaves before the answer', async () => {
    const asked = new Promise((settle) => app.once('upgrade', settle));
    const client = await open(upgrade('/app/hang'));
    await asked;
    client.destroy();
    const line = await sluice.waitForLog(({ reason }) => reason === 'client_gone');
    const wanted = { msg: 'handshake refused', ...WHOSE, path: '/app/hang', status: 499 };
    assert.deepEqual(subset(line, wanted), wanted);
  });

  it('bounds the lines of a flood of refused handshakes, and counts all of them', async () => {
    const clients = await Promise.all(Array.from({ length: 8 }, () => open('', 'flooded')));
    const flood = 50 * clients.length;
    await Promise.all(
      clients.map(async (client) => {
        for (let sent = 0; sent < 50; sent++) {
          client.write(upgrade('/nowhere'));
          await client.head();
          await client.bytes('no route for this request\n'.length);
        }
        client.destroy();
      }),
    );
    const of = (msg: string): LogLine[] =>
      sluice.logs.filter((line) => line.msg === msg && line.listener === 'flooded');
    await eventually(() => {
      const counts = of('handshakes refused').map(({ count }) => Number(count));
      assert.equal(of('handshake refused').length + counts.reduce((sum, count) => sum + count, 0), flood);
    });
    const perSecond = new Map<string, number>();
    for (const { time } of of('handshake refused')) {
      const second = String(time).slice(0, 19);
      perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
    }
    // A worker may read the clock for the line after the second has ended.
    for (const lines of perSecond.values()) assert.ok(lines <= 102, `${lines} lines`);
    assert.ok(of('handshakes refused').length <= perSecond.size + 1);
  });

  it('names the principal of a session, its path and subprotocols, and the choice of the endpoint', async () => {
    const client = await open(upgrade('/app/room?token=secret'));
    const head = await client.head();
    const requestId = headerOf(head, 'x-request-id');
    client.destroy();
    for (const event of ['session opened', 'session closed']) {
      const line = await sluice.waitForLog(({ msg, requestId: id }) => msg === event && id === requestId);
      const wanted = { ...WHOSE, route: 'app', cluster: 'app', path: '/app/room', subprotocol: 'chat.v2' };
      assert.deepEqual(subset(line, wanted), wanted);
      const { seconds } = line;
      if (typeof seconds === 'number') assert.equal(Math.round(seconds * 1e6) / 1e6, seconds);
    }
  });

  it('names the principal of a request', async () => {
    const bytes = upgrade('/app/page?token=secret').replace(/(?:Upgrade|Connection): .*\r\n/g, '');
    const { line } = await answered(bytes, 'request');
    const wanted = { ...WHOSE, route: 'app', cluster: 'app', method: 'GET', path: '/app/page', status: 200 };
    assert.deepEqual(subset(line, wanted), wanted);
  });

  it('has short lines, whatever a client sends', async () => {
    const odd = [`User-Agent: r\u00e9\u00a0\u0085${'u'.repeat(3000)}`, `Origin: ${'o'.repeat(3000)}`];
    const bytes = upgradeRequest('app.example', odd, `/${'p'.repeat(3000)}`);
    const { line } = await answered(bytes, 'handshake refused');
    const { path, origin, userAgent } = line;
    assert.deepEqual([path, origin], [`/${'p'.repeat(1023)}...`, `${'o'.repeat(256)}...`]);
    assert.match(String(userAgent), /^r.*u{200,256}\.\.\.$/);
    const request = await answered(`${'M'.repeat(3000)} /nowhere HTTP/1.1\r\nHost: a\r\n\r\n`, 'request');
    // sluice's own engines reject methods of this length.
    assert.equal(request.line.method, isOwn ? undefined : `${'M'.repeat(32)}...`);
  });

  it('counts requests that no route sees by their reason, and has a line for each at debug', async () => {
    const from = sluice.logs.length;
    const asked: readonly (readonly [reason: string, bytes: string])[] = [
      ['bad_method', ask('TRACE /x', 'Host: a')],
      ['bad_header', ask('GET /x', 'Host: a', 'x_y: z')],
      ['bad_host', ask('GET /x', 'Host: a', 'Host: b')],
      ['bad_framing', ask('GET /x', 'Host: a', 'Content-Length: 0', 'Content-Length: 0')],
      ['bad_target', ask('GET /x?a#b', 'Host: a')],
    ];
    for (const [reason, bytes] of asked) {
      const client = await open(bytes, 'unseen');
      const requestId = headerOf(await client.head(), 'x-request-id');
      const line = await sluice.waitForLog(
        ({ msg, requestId: id }) => msg === 'request refused' && id === requestId,
        undefined,
        from,
      );
      assert.deepEqual([line.level, line.reason, line.client], ['debug', reason, '127.0.0.1']);
      client.destroy();
    }
    const metrics = await scrape(sluice);
    for (const [reason] of asked) {
      assert.equal(
        metrics.sum('sluice_http_requests_refused_total', { listener: 'unseen', reason }),
        1,
        reason,
      );
    }
  });

  it('counts connections that end without a request, and those that cannot send one', async () => {
    const before = sluice.logs.length;
    const unreadable = isOwn ? 'malformed' : 'ended';
    const unused = async (listener: string): Promise<number[]> => {
      const metrics = await scrape(sluice);
      return ['ended', 'malformed'].map((reason) =>
        metrics.sum('sluice_connections_unused_total', { listener, reason }),
      );
    };
    const [ended = 0, malformed = 0] = await unused('unseen');
    for (const [listener, bytes, reason] of [
      ['unseen', 'GET / HTTP/9.0\r\nHost: a\r\n\r\n', unreadable],
      ['unseen', `GET / HTTP/1.1\r\nHost: a\r\nA: ${'a'.repeat(100_000)}\r\n\r\n`, unreadable],
      ['unseen', '', 'ended'],
    ] as const) {
      const from = sluice.logs.length;
      const client = await open(bytes, listener);
      client.socket.end();
      const line = await sluice.waitForLog(({ msg }) => msg === ENDED, undefined, from);
      assert.deepEqual(subset(line, { level: 0, listener: 0, client: 0, reason: 0, secure: 0 }), {
        level: 'debug',
        listener,
        client: '127.0.0.1',
        reason,
        secure: false,
      });
    }
    const from = sluice.logs.length;
    const plain = await open('GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'secure');
    const failed = await sluice.waitForLog(({ listener }) => listener === 'secure', undefined, from);
    // uWebSockets.js gives no reason.
    const expected = isOwn ? ['connection rejected', 'hello_malformed'] : [ENDED, 'ended'];
    assert.deepEqual([failed.msg, (failed as { reason?: string }).reason], expected);
    await plain.closed;
    const requested = await open('GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n', 'unseen');
    await requested.head();
    requested.socket.end();
    await requested.closed;
    assert.deepEqual(await unused('unseen'), isOwn ? [ended + 1, malformed + 2] : [ended + 3, 0]);
    assert.deepEqual(await unused('secure'), [isOwn ? 0 : 1, 0]);
    const rejected = (await scrape(sluice)).sum('sluice_connections_rejected_total', { listener: 'secure' });
    assert.equal(rejected, isOwn ? 1 : 0);
    await eventually(() => {
      const lines = sluice.logs.slice(before);
      assert.equal(lines.filter(({ msg }) => msg === ENDED).length, isOwn ? 3 : 4);
    });
  });

  it('names a tunnel by the same id when it opens and when it ends, and no other by it', async () => {
    const ids = new Set<unknown>();
    for (let tunnel = 0; tunnel < 6; tunnel++) {
      const listener = tunnel % 2 === 0 ? 'raw' : 'net';
      const from = sluice.logs.length;
      const [host, port] = sluice.address(listener).split(':');
      const socket = connect(Number(port), host);
      const opened = await sluice.waitForLog(({ msg }) => msg === 'tunnel opened', undefined, from);
      socket.destroy();
      const closed = await sluice.waitForLog(({ msg }) => msg === 'tunnel closed', undefined, from);
      assert.match(String(opened.tunnelId), /^[\da-f]{12}-[\da-z]+$/);
      assert.equal(closed.tunnelId, opened.tunnelId);
      assert.equal(opened.listener, listener);
      ids.add(opened.tunnelId);
    }
    assert.equal(ids.size, 6);
  });

  it('has a line for a handshake that a shutdown ends', async () => {
    const asked = new Promise((settle) => app.once('upgrade', settle));
    const client = await open(upgrade('/app/hang'));
    await asked;
    sluice.kill('SIGTERM');
    const head = await client.head();
    const requestId = headerOf(head, 'x-request-id');
    const line = await sluice.waitForLog((one) => one.reason === 'draining' && one.requestId === requestId);
    const wanted = { msg: 'handshake refused', ...WHOSE, path: '/app/hang', status: 503 };
    assert.deepEqual(subset(line, wanted), wanted);
    client.destroy();
    // A second signal could find Node without its handlers, on its way out.
    await sluice.waitForExit();
  });

  it('holds no query, token or cookie', () => {
    assert.doesNotMatch(JSON.stringify(sluice.logs), /secret/);
  });
}
