import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { BIG, MODIFIED, StaticServer } from '../../support/http/static-server.ts';

describe('static files', () => {
  let server: StaticServer;

  before(async () => {
    server = await StaticServer.start();
  });
  after(() => server.close());

  it('serves a file with its type and validators', async () => {
    const { status, headers, body } = await server.ask('/docs/index.html');
    assert.equal(status, 200);
    assert.equal(body.toString(), '<p>docs');
    assert.equal(headers['content-type'], 'text/html; charset=utf-8');
    assert.equal(headers['content-length'], '7');
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['last-modified'], MODIFIED.toUTCString());
    assert.equal(headers['accept-ranges'], 'bytes');
    assert.match(headers.etag ?? '', /^"[\da-f]+-7"$/);
    assert.equal(headers['cache-control'], undefined);
  });

  it('derives types from file extensions, and sends none otherwise', async () => {
    for (const [path, type] of [
      ['/app.js', 'text/javascript; charset=utf-8'],
      ['/data', 'application/octet-stream'],
      ['/big.bin', 'application/octet-stream'],
    ] as const) {
      assert.equal((await server.ask(path)).headers['content-type'], type, path);
    }
  });

  it('serves names that are escaped in a URL', async () => {
    assert.equal((await server.ask('/a%20b%25%C3%A9.txt')).body.toString(), 'odd name');
  });

  it('serves large and empty files whole', async () => {
    const big = await server.ask('/big.bin');
    assert.equal(big.complete, true);
    assert.ok(big.body.equals(BIG));
    const zero = await server.ask('/zero.txt');
    assert.equal(zero.status, 200);
    assert.equal(zero.headers['content-length'], '0');
  });

  it('answers a HEAD as the GET without the body, and keeps the connection', async () => {
    const get = await server.ask('/big.bin');
    for (let i = 0; i < 2; i++) {
      const head = await server.ask('/big.bin', { range: 'bytes=0-9' }, 'HEAD');
      assert.equal(head.status, 200);
      assert.equal(head.body.length, 0);
      assert.deepEqual({ ...head.headers, date: '' }, { ...get.headers, date: '' });
    }
    const answers = await server.raw(
      'HEAD /app.js HTTP/1.1\r\nHost: a\r\n\r\n',
      'HEAD /missing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    );
    assert.match(
      answers,
      /^HTTP\/1.1 200 OK\r\n(?:[\w-]+: .*\r\n)+\r\nHTTP\/1.1 404 Not Found\r\n(?:[\w-]+: .*\r\n)+\r\n$/,
    );
  });

  it('serves the index of a directory', async () => {
    assert.equal((await server.ask('/')).body.toString(), '<p>home');
    assert.equal((await server.ask('/docs/')).body.toString(), '<p>docs');
    assert.equal((await server.ask('/empty/')).status, 404);
  });

  it('redirects a directory to itself with a slash, never to another host', async () => {
    const { status, headers } = await server.ask('/docs');
    assert.equal(status, 301);
    assert.equal(headers.location, '/docs/');
    assert.equal((await server.ask('//docs')).headers.location, '/docs/');
    assert.equal((await server.ask('///docs')).headers.location, '/docs/');
  });

  it('refuses other methods', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const { status, headers } = await server.ask('/app.js', {}, method);
      assert.equal(status, 405, method);
      assert.equal(headers.allow, 'GET, HEAD');
    }
  });

  it('serves no missing or hidden file, no outside path and no directory', async () => {
    for (const path of [
      '/missing',
      '/docs/missing/',
      '/app.js/',
      '/app.js/x',
      '/.env',
      '/.git/config',
      '/.git',
      '/.git/',
      '/leak',
      `/${'x'.repeat(300)}`,
    ]) {
      assert.equal((await server.ask(path)).status, 404, path);
    }
    assert.equal((await server.ask('/.well-known/security.txt')).body.toString(), 'Contact:');
  });

  it('never leaves its root, however the path is written', async () => {
    for (const path of [
      '/../private/key',
      '/docs/../../private/key',
      '/%2e%2e/private/key',
      '/.%2e/private/key',
      '/..%2fprivate/key',
      '/%2e%2e%2fprivate%2fkey',
      '/%252e%252e/private/key',
      '/..%252fprivate/key',
      '/..\\private\\key',
      '/..%5cprivate%5ckey',
      '/docs/%2e%2e/%2e%2e/private/key',
      '//../private/key',
      '/....//private/key',
      '/..;/private/key',
      '/%c0%ae%c0%ae/private/key',
      '/..%00/private/key',
      '/private/key%00.html',
      '/leak',
      '/etc/passwd',
      '//etc/passwd',
    ]) {
      const answer = await server.raw(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      assert.match(answer, /^HTTP\/1.1 (400|404) /, path);
      assert.doesNotMatch(answer, /secret|root:/, path);
    }
  });

  it('serves single ranges', async () => {
    for (const [range, first, last] of [
      ['bytes=0-99', 0, 99],
      ['bytes=699990-', 699_990, 699_999],
      ['bytes=-5', 699_995, 699_999],
      ['bytes=100-500000', 100, 500_000],
    ] as const) {
      const { status, headers, body } = await server.ask('/big.bin', { range });
      assert.equal(status, 206, range);
      assert.equal(headers['content-range'], `bytes ${first}-${last}/700000`);
      assert.equal(headers['content-length'], String(last - first + 1));
      assert.ok(body.equals(BIG.subarray(first, last + 1)), range);
    }
  });

  it('serves the whole file for several ranges and for unknown range units', async () => {
    for (const range of ['bytes=0-1,5-6', 'lines=1-2', 'bytes=5-2']) {
      const { status, headers, body } = await server.ask('/big.bin', { range });
      assert.equal(status, 200, range);
      assert.equal(headers['content-range'], undefined);
      assert.equal(body.length, BIG.length);
    }
  });

  it('refuses a range outside of the file', async () => {
    const { status, headers } = await server.ask('/big.bin', { range: 'bytes=700000-' });
    assert.equal(status, 416);
    assert.equal(headers['content-range'], 'bytes */700000');
  });

  it('serves a range only of the version that the client has', async () => {
    const { etag = '' } = (await server.ask('/big.bin')).headers;
    const range = 'bytes=0-9';
    assert.equal((await server.ask('/big.bin', { range, 'if-range': etag })).status, 206);
    assert.equal((await server.ask('/big.bin', { range, 'if-range': MODIFIED.toUTCString() })).status, 206);
    assert.equal((await server.ask('/big.bin', { range, 'if-range': '"other"' })).status, 200);
  });

  it('answers conditional requests', async () => {
    const { etag = '' } = (await server.ask('/app.js')).headers;
    const unchanged = await server.ask('/app.js', { 'if-none-match': etag });
    assert.equal(unchanged.status, 304);
    assert.equal(unchanged.headers.etag, etag);
    assert.equal(unchanged.headers['content-length'], undefined);
    assert.equal((await server.ask('/app.js', { 'if-none-match': etag }, 'HEAD')).status, 304);
    assert.equal((await server.ask('/app.js', { 'if-modified-since': MODIFIED.toUTCString() })).status, 304);
    assert.equal((await server.ask('/app.js', { 'if-match': '"other"' })).status, 412);
    assert.equal((await server.ask('/app.js', { 'if-none-match': '"other"' })).status, 200);
  });

  it('serves many clients at once', async () => {
    const many = await Promise.all(
      Array.from({ length: 20 }, () =>
        server.raw('GET /big.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'),
      ),
    );
    for (const answer of many)
      assert.ok(Buffer.from(answer.slice(answer.indexOf('\r\n\r\n') + 4), 'latin1').equals(BIG));
  });

  it('closes the file when a client that does not read leaves', async () => {
    await eventually(() => assert.deepEqual(server.openFiles(), []));
    const socket = await server.stalledClient('/huge.bin');
    assert.deepEqual(server.openFiles(), [join(server.root, 'huge.bin')]);
    socket.destroy();
    await server.reported({ path: '/huge.bin', status: 200 });
  });

  it('ends the connection short when the file is cut off under it', async () => {
    const path = join(server.root, 'shrinking.bin');
    writeFileSync(path, '');
    truncateSync(path, 2 ** 30);
    const socket = await server.stalledClient('/shrinking.bin');
    truncateSync(path, 1000);
    const ended = new Promise((resolve) => socket.once('close', resolve));
    let received = 0;
    socket.on('data', (chunk: Buffer) => (received += chunk.length));
    await ended;
    assert.ok(received < 2 ** 30);
    await server.reported({ path: '/shrinking.bin', status: 200 });
  });

  it('reports the status of every answer, with no file left open', async () => {
    await eventually(() => assert.deepEqual(server.openFiles(), []));
    server.reports.length = 0;
    for (const path of ['/app.js', '/missing', '/docs']) await server.ask(path);
    await server.reported(
      { path: '/app.js', status: 200 },
      { path: '/missing', status: 404 },
      { path: '/docs', status: 301 },
    );
  });
});
