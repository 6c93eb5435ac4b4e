/** Applications and frameworks as people run them, through a proxy. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import express, { type Response } from 'express';
import multer from 'multer';
import { chromium } from 'playwright-core';
import { Server as SocketIoServer } from 'socket.io';
import { io, type Socket as SocketIoClient } from 'socket.io-client';
import { createServer as createViteServer } from 'vite';
import { DEADLINE_MS, eventually, within } from '../../support/deadline.ts';
import { ask } from '../../support/http/http-endpoint.ts';
import { CHROMIUM, CHROMIUM_ARGUMENTS } from '../../support/processes/chromium.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';

const CLIENTS = 12;

describe('Socket.IO through several workers to several endpoints', () => {
  const endpoints: { server: HttpServer; io: SocketIoServer; name: string }[] = [];
  const clients: SocketIoClient[] = [];
  let rig: WebRig;

  before(async () => {
    for (const name of ['a', 'b', 'c']) {
      const server = createHttpServer();
      const application = new SocketIoServer(server);
      application.on('connection', (socket) => {
        socket.on('say', (text: string, answer: (text: string) => void) => answer(`${name}: ${text}`));
      });
      await listen(server);
      endpoints.push({ server, io: application, name });
    }
    rig = await WebRig.start({
      workers: { l7: 2 },
      listeners: { web: {} },
      clusters: {
        app: {
          endpoints: endpoints.map(({ server }) => addressOf(server)),
          balancer: 'round_robin',
          sticky: { cookie: 'app' },
        },
      },
    });
  });
  after(async () => {
    for (const client of clients) client.close();
    for (const { io: application } of endpoints) await application.close();
    await rig.stop();
  });

  it('polls, upgrades, and stays with its endpoint by the cookie', async () => {
    const upgraded = Array.from({ length: CLIENTS }, async () => {
      const client = io(`http://${rig.address('web')}`, { withCredentials: true, forceNew: true });
      clients.push(client);
      const failed = new Promise<never>((_, fail) => client.once('connect_error', fail));
      await within('the connection', Promise.race([failed, once(client, 'connect')]));
      // Every session begins with requests. Each could go to another endpoint.
      await eventually(() => assert.equal(client.io.engine.transport.name, 'websocket'));
    });
    await Promise.all(upgraded);
    const answers = await Promise.all(
      clients.map((client, index) =>
        client.timeout(DEADLINE_MS).emitWithAck('say', `hello ${index}`).then(String),
      ),
    );
    for (const [index, answer] of answers.entries())
      assert.match(answer, new RegExp(`^[abc]: hello ${index}$`));
    assert.equal(new Set(answers.map(([name]) => name)).size, 3);
    const metrics = await rig.scrape();
    assert.equal(metrics.sum('sluice_ws_sessions_active'), CLIENTS);
    assert.ok(metrics.sum('sluice_http_requests_total', { code: '2xx' }) >= 2 * CLIENTS);
    assert.equal(metrics.sum('sluice_http_requests_total', { code: '4xx' }), 0);
  });

  it('reaches every client from every endpoint', async () => {
    const heard = clients.map((client) => within('the news', once(client, 'news')));
    for (const { io: application, name } of endpoints) application.emit('news', name);
    await Promise.all(heard);
  });
});

describe('an Express application', () => {
  let server: HttpServer;
  let rig: WebRig;
  const streams = new Set<Response>();

  before(async () => {
    const app = express();
    app.set('trust proxy', true);
    const upload = multer({ storage: multer.memoryStorage() });
    app.post('/upload', upload.array('files'), (request, response) => {
      const files = request.files as Express.Multer.File[];
      response.json(files.map(({ originalname, buffer }) => [originalname, digest(buffer)]));
    });
    app.post('/json', express.json(), (request, response) => {
      const { ip, hostname, protocol } = request;
      response.cookie('seen', 'yes').json({ body: request.body as unknown, ip, hostname, protocol });
    });
    app.get('/redirect', (_, response) => response.redirect('/page?x=1'));
    app.get('/page', (request, response) => response.send(`page ${request.url}`));
    app.get('/events', (_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
      response.flushHeaders();
      streams.add(response);
      response.once('close', () => streams.delete(response));
    });
    app.post('/say', express.text(), (request, response) => {
      for (const stream of streams) stream.write(`data: ${String(request.body)}\n\n`);
      response.sendStatus(204);
    });
    server = createHttpServer(app);
    await listen(server);
    rig = await WebRig.start({
      listeners: { web: {} },
      clusters: { app: { endpoints: [addressOf(server)] } },
    });
  });
  after(async () => {
    server.close();
    server.closeAllConnections();
    await rig.stop();
  });
  const url = (path: string): string => `http://${rig.address('web')}${path}`;

  it('gets uploads whole', async () => {
    const files = [1, 100_000, 5_000_000].map((size) => randomBytes(size));
    const form = new FormData();
    for (const [index, bytes] of files.entries()) form.append('files', new Blob([bytes]), `${index}.bin`);
    const response = await fetch(url('/upload'), { method: 'POST', body: form });
    assert.deepEqual(
      await response.json(),
      files.map((bytes, index) => [`${index}.bin`, digest(bytes)]),
    );
  });

  it('receives facts about its client, and sets cookies', async () => {
    const response = await fetch(url('/json'), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ a: ['ü', 1] }),
    });
    assert.equal(response.headers.get('set-cookie'), 'seen=yes; Path=/');
    assert.deepEqual(await response.json(), {
      body: { a: ['ü', 1] },
      ip: '127.0.0.1',
      hostname: '127.0.0.1',
      protocol: 'http',
    });
  });

  it('redirects, and sends again only changed content', async () => {
    const page = await fetch(url('/redirect'));
    assert.deepEqual([page.redirected, await page.text()], [true, 'page /page?x=1']);
    const etag = page.headers.get('etag') ?? '';
    const again = await ask(url('/page?x=1'), { headers: { 'If-None-Match': etag } });
    assert.deepEqual([again.status, again.body.length], [304, 0]);
  });

  it('sends events as they happen', async () => {
    const left = new AbortController();
    const response = await fetch(url('/events'), { signal: left.signal });
    assert.equal(response.headers.get('content-type'), 'text/event-stream');
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let seen = '';
    for (const text of ['one', 'two', 'three']) {
      await fetch(url('/say'), { method: 'POST', body: text });
      while (!seen.includes(`data: ${text}\n\n`)) {
        const { value } = await within(`the event ${text}`, reader.read());
        assert.ok(value !== undefined);
        seen += value;
      }
    }
    left.abort();
    // The application notices that its reader left.
    await eventually(() => assert.equal(streams.size, 0));
  });
});

const noBrowser = existsSync(CHROMIUM) ? false : `there is no ${CHROMIUM}`;

describe('a page under development with Vite', { skip: noBrowser }, () => {
  it('is replaced in Chromium, by a WebSocket of the same route', async () => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-vite-')));
    const say = (text: string): void => {
      writeFileSync(join(root, 'message.js'), `export const text = ${JSON.stringify(text)};\n`);
    };
    say('before');
    writeFileSync(
      join(root, 'index.html'),
      '<!doctype html><p id="text"></p><script type="module" src="/main.js"></script>',
    );
    writeFileSync(
      join(root, 'main.js'),
      `import { text } from './message.js';
const show = (text) => (document.querySelector('#text').textContent = text);
show(text);
window.loadedAt = performance.timeOrigin;
import.meta.hot.accept('./message.js', (module) => show(module.text));
`,
    );
    const vite = await createViteServer({
      root,
      configFile: false,
      logLevel: 'silent',
      optimizeDeps: { noDiscovery: true, include: [] },
      server: { host: '127.0.0.1', port: 0, watch: { usePolling: true, interval: 50 } },
    });
    await vite.listen();
    const rig = await WebRig.start({
      listeners: { web: { routes: [{ name: 'vite', match: { pathPrefix: '/' }, cluster: 'vite' }] } },
      clusters: { vite: { endpoints: [addressOf(vite.httpServer as HttpServer)] } },
    });
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...CHROMIUM_ARGUMENTS] });
    try {
      const page = await browser.newPage();
      page.setDefaultTimeout(DEADLINE_MS);
      await page.goto(`http://${rig.address('web')}/`);
      const shows = async (text: string): Promise<void> => {
        await eventually(async () => assert.equal(await page.textContent('#text'), text));
      };
      await shows('before');
      await eventually(async () => {
        assert.equal((await rig.scrape()).sum('sluice_ws_sessions_active', { route: 'vite' }), 1);
      });
      const loadedAt = await page.evaluate('window.loadedAt');
      say('after');
      await shows('after');
      // Replaced, and not loaded again.
      assert.equal(await page.evaluate('window.loadedAt'), loadedAt);
    } finally {
      await browser.close();
      await vite.close();
      await rig.stop();
      rmSync(root, { recursive: true, force: true });
    }
  });
});

function listen(server: HttpServer): Promise<void> {
  return new Promise((settle) => server.listen(0, '127.0.0.1', settle));
}

function addressOf(server: HttpServer): string {
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function once(client: SocketIoClient, event: string): Promise<void> {
  return new Promise((settle) => client.once(event, () => settle()));
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
