/** Pages of the demo and of other sites, in a browser: only the demo's own can open its sockets with `origins: [self]`. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { chromium, type Browser, type Page } from 'playwright-core';
import { SCALE_ENGINES } from '../../support/engines.ts';
import { scrape } from '../../support/http/metrics.ts';
import { CHROMIUM, CHROMIUM_ARGUMENTS } from '../../support/processes/chromium.ts';
import { startSluice, type SluiceProcess } from '../../support/processes/sluice-process.ts';
import { freePorts } from '../../support/sockets/free-port.ts';

const PUBLIC = resolve(import.meta.dirname, '../../../config/public');
const DEADLINE_MS = 60_000;
const skip = existsSync(CHROMIUM) ? false : `there is no ${CHROMIUM}`;

describe('origins of WebSockets, in a browser', { skip, timeout: 300_000 }, () => {
  let sluice: SluiceProcess;
  let other: Server;
  let browser: Browser;

  before(async () => {
    const ports = await freePorts(2);
    const clusters = ['wsapp', 'chat'].map((name, index) => ({
      name,
      endpoints: [{ address: `127.0.0.1:${ports[index]!}` }],
    }));
    sluice = await startSluice({
      config: {
        workers: { l7: 1, l4: 1 },
        admin: { address: '127.0.0.1:0' },
        demo: { echo: 'wsapp', chat: 'chat' },
        listeners: SCALE_ENGINES.map((engine) => ({
          ...{ name: engine, mode: 'l7', engine, address: '127.0.0.1:0' },
          access: { origins: ['self'] },
          routes: [
            { match: { path: '/wsapp' }, cluster: 'wsapp' },
            { match: { path: '/chat' }, cluster: 'chat' },
            { match: { pathPrefix: '/' }, static: { root: PUBLIC, index: 'index.html' } },
          ],
        })),
        clusters,
      },
    });
    other = createServer((_, response) => {
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><title>another site</title>');
    });
    await once(other.listen(0, '127.0.0.1'), 'listening');
    browser = await chromium.launch({ executablePath: CHROMIUM, args: [...CHROMIUM_ARGUMENTS] });
  });
  after(async () => {
    await browser.close();
    other.close();
    await sluice.stop();
  });

  const openPage = async (url: string): Promise<Page> => {
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(DEADLINE_MS);
    await page.goto(url);
    return page;
  };
  /** Opens a WebSocket by a script of a page. Returns whether it has opened. */
  const opens = (page: Page, url: string): Promise<boolean> =>
    page.evaluate(
      (target) =>
        new Promise<boolean>((settle) => {
          const socket = new WebSocket(target);
          socket.onopen = () => settle(true);
          socket.onerror = () => settle(false);
        }),
      url,
    );

  for (const engine of SCALE_ENGINES) {
    it(`are admitted from the demo's own page on ${engine}, and from no other`, async () => {
      const address = sluice.address(engine);
      const own = await openPage(`http://${address}/`);
      for (const part of ['chat', 'echo']) await own.locator(`#${part}-state[data-state=open]`).waitFor();
      assert.equal(await opens(own, `ws://${address}/wsapp`), true);
      const refusals = async (): Promise<number> =>
        (await scrape(sluice)).sum('sluice_ws_handshake_failures_total', {
          listener: engine,
          reason: 'access',
        });
      assert.equal(await refusals(), 0);
      const { port } = other.address() as AddressInfo;
      for (const host of ['127.0.0.1', 'localhost']) {
        const foreign = await openPage(`http://${host}:${port}/`);
        assert.equal(await opens(foreign, `ws://${address}/wsapp`), false, host);
        assert.equal(await opens(foreign, `ws://${address}/chat`), false, host);
        // A sandboxed frame has the origin "null". Its page here has no Content-Security-Policy.
        assert.equal(await foreign.evaluate(inFrame(`ws://${address}/wsapp`)), 'refused');
        await foreign.context().close();
      }
      assert.equal(await refusals(), 6);
      await own.context().close();
    });
  }
});

/** Returns a script that opens a WebSocket in a sandboxed frame of its page: it comes to `open` or `refused`. */
function inFrame(url: string): string {
  const inner = `<script>const socket = new WebSocket(${JSON.stringify(url)});
    socket.onopen = () => parent.postMessage('open', '*');
    socket.onerror = () => parent.postMessage('refused', '*');</script>`;
  return `new Promise((settle) => {
    addEventListener('message', ({ data }) => settle(data), { once: true });
    const frame = document.createElement('iframe');
    frame.setAttribute('sandbox', 'allow-scripts');
    frame.srcdoc = ${JSON.stringify(inner).replaceAll('</', '<\\/')};
    document.body.append(frame);
  })`;
}
