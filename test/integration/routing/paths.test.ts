import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { within } from '../../support/deadline.ts';
import { HttpEndpoint } from '../../support/http/http-endpoint.ts';
import { Nginx, nginxVersion } from '../../support/processes/nginx.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';

/** Spellings that some server reads as a path under /admin. */
const SPELLINGS = [
  ...[
    '//admin/x',
    '///admin',
    '/.//admin',
    '/a//../admin',
    '/;/admin',
    '/.;/admin',
    '/x/..;/admin',
    '/x/..;a=b/admin',
  ],
  ...[
    '/%2fadmin/x',
    '/%2Fadmin',
    '/x/..%2fadmin',
    '/x%2f..%2fadmin/x',
    '/x/%2e%2e%2fadmin',
    '/x/..%5cadmin',
    '/./%2fadmin',
  ],
  ...['/admin%2fx', '/admin%5cx', '/admin;x', '/admin;/x', '/admin%3bx', '/admin%3fx', '/admin%23x'],
  ...[
    '/x/..%252fadmin',
    '/x/%252e%252e/admin',
    '/%2561dmin',
    '//x/admin',
    '/admin%20',
    '/%c0%afadmin',
    '/x/%c0%ae%c0%ae/admin',
  ],
];

describe('paths with several readings', () => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-paths-')));
  const targets: string[] = [];
  let app: HttpEndpoint;
  let nginx: Nginx | null = null;
  let rig: WebRig;

  before(async () => {
    mkdirSync(join(directory, 'files'));
    writeFileSync(join(directory, 'files/a;b'), 'with a semicolon');
    app = await HttpEndpoint.listen(({ url = '' }, response) => {
      targets.push(url);
      response.end(url);
    });
    if (nginxVersion() !== null) {
      nginx = await Nginx.start(
        (listen) => `server { listen ${listen};
          location / { return 200 open; }
          location /admin { return 200 secret; } }`,
      );
    }
    const guard = { match: { pathPrefix: '/admin' }, respond: { status: 403 } };
    const routes = [
      guard,
      { match: { pathPrefix: '/files' }, static: { root: directory } },
      { match: { pathRegex: '^/img(.*)$' }, cluster: 'app', rewrite: { path: '/static/$1' } },
      { match: { pathRegex: '^/old(.*)$' }, redirect: { to: '/new/$1' } },
      { match: { pathPrefix: '/strip' }, cluster: 'app', rewrite: { stripPrefix: '/strip' } },
      { match: { pathPrefix: '/twin' }, cluster: 'app' },
      { match: { pathPrefix: '/marked' }, cluster: 'app', headers: { request: { set: { 'X-Mark': '1' } } } },
      { match: {}, cluster: 'app' },
    ];
    rig = await WebRig.start({
      listeners: {
        web: { routes },
        other: { routes: [guard, { match: {}, cluster: 'nginx' }] },
        merging: { routes, paths: { mergeSlashes: true, escapedSlashes: 'decode', pathParameters: 'strip' } },
        passing: { routes, paths: { ambiguous: 'pass' } },
        refusing: { routes, paths: { escapedSlashes: 'refuse' } },
      },
      clusters: {
        app: { endpoints: [app.address] },
        nginx: { endpoints: [nginx?.address ?? app.address] },
      },
    });
  });
  after(async () => {
    app.close();
    await nginx?.stop();
    rmSync(directory, { recursive: true, force: true });
    await rig.stop();
  });

  /** Asks with the path as it is written, and answers with the status and the body. */
  async function get(path: string, listener = 'web', headers: Record<string, string> = {}): Promise<string> {
    const [host, port] = rig.address(listener).split(':');
    const answer = new Promise<string>((settle, fail) => {
      const request = httpRequest({ host, port, path, headers, agent: false }, (response) => {
        const { statusCode = 0, headers } = response;
        text(response).then((body) => settle(`${statusCode} ${headers.location ?? body}`.trim()), fail);
      });
      request.once('error', fail);
      request.end();
    });
    return within(`the answer to ${path}`, answer);
  }

  it('do not reach an endpoint if one of them is the path of another route', async () => {
    targets.length = 0;
    const answers = await Promise.all(SPELLINGS.map((path) => get(path)));
    for (const [index, answer] of answers.entries()) {
      assert.equal(answer, '400 the path is ambiguous and may match another route', SPELLINGS[index]);
    }
    assert.deepEqual(targets, []);
    await rig.sluice.waitForLog(({ path, status }) => path === '/x/..%2fadmin' && status === 400);
    const metrics = await rig.scrape();
    const labels = { listener: 'web', reason: 'ambiguous_path' };
    assert.equal(metrics.sum('sluice_http_requests_refused_total', labels), SPELLINGS.length);
  });

  it('never expose files that nginx hides behind the path', { skip: nginxVersion() === null }, async () => {
    assert.equal(await get('/x', 'other'), '200 open');
    assert.equal(await get('/admin', 'other'), '403');
    for (const answer of await Promise.all(SPELLINGS.map((path) => get(path, 'other')))) {
      assert.doesNotMatch(answer, /secret/);
    }
  });

  it('go upstream unchanged if all readings match the same route', async () => {
    for (const path of [
      '/api/v4/projects/group%2Frepo',
      '/@scope%2Fname',
      '/a//b',
      '/a;v=1/b',
      '/http%3A%2F%2Fh%2F?a=/..%2f',
    ]) {
      assert.equal(await get(path), `200 ${path}`);
    }
  });

  it('may match another route with the same effect, but none that changes a header', async () => {
    assert.equal(await get('//twin'), '200 //twin');
    assert.equal(await get('//marked'), '400 the path is ambiguous and may match another route');
  });

  it('are refused for static files, answers and redirects alike', async () => {
    for (const path of [
      '/files/..%2fadmin',
      '/files//../..;/admin',
      '/admin/..%2fx',
      '/old/..%2f..%2fadmin',
    ]) {
      assert.equal(await get(path), '400 the path is ambiguous and may match another route', path);
    }
    assert.equal(await get('/files/a;b'), '200 with a semicolon');
  });

  it('may have many readings if all lead to the same place', async () => {
    for (const path of ['/proxy/https:%2F%2Fh%2Fa%5Cb%253Bc;d//e%20', `/a%2Fb//c;d/${'x'.repeat(7000)}`]) {
      assert.equal(await get(path), `200 ${path}`);
    }
    assert.equal(await get(`/%${'25'.repeat(3900)}2F`), '400 the path is ambiguous in too many ways');
  });

  it('refuse a handshake with a separate reason', async () => {
    const client = await rig.ask({ path: '//admin/socket' });
    assert.match((await client.head()).startLine, / 400 /);
    const metrics = await rig.scrape();
    const labels = { listener: 'web', reason: 'ambiguous_path' };
    assert.equal(metrics.sum('sluice_ws_handshake_failures_total', labels), 1);
  });

  it('have one if the listener is set so', async () => {
    assert.equal(await get('/x%2f..//admin;v=1/y', 'merging'), '403');
    assert.equal(await get('/x//y%2fz;v=1?q=//;%2f', 'merging'), '200 /x/y/z?q=//;%2f');
    assert.equal(await get('/x/..%2fadmin', 'passing'), '200 /x/..%2Fadmin');
    assert.equal(await get('/x%2fy', 'refusing'), '400 the path has an escaped slash');
  });

  it('cannot bring a dot segment into a rewritten path', async () => {
    targets.length = 0;
    for (const path of [
      '/img../secret',
      '/img..%2fsecret',
      '/img..;/secret',
      '/img%2e./secret',
      '/img.;x',
      '/strip/..%2fx',
    ]) {
      assert.equal(await get(path, 'passing'), '400 the rewritten path has a dot segment', path);
    }
    assert.equal(await get('/old../x', 'passing'), '400 the location has a dot segment');
    const client = await rig.ask({ path: '/img../secret' });
    assert.match((await client.head()).startLine, / 400 /);
    assert.deepEqual(targets, []);
    assert.equal(await get('/img/a..b/.c'), '200 /static//a..b/.c');
    assert.equal(await get('/old/a'), '308 /new//a');
    const metrics = await rig.scrape();
    const reason = 'dot_segment';
    assert.equal(metrics.sum('sluice_http_requests_refused_total', { listener: 'passing', reason }), 7);
    assert.equal(metrics.sum('sluice_ws_handshake_failures_total', { listener: 'web', reason }), 1);
  });

  it('cannot make a host of a rewritten path', async () => {
    assert.equal(await get('/strip//evil.example/x'), '200 /evil.example/x');
  });
});
